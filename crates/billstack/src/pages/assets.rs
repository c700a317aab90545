//! `/assets/{hash}/{name}`: styles, scripts and pictures, part of the binary.
//!
//! The hash is that of all of them, so a page and what it loads belong together, and browsers keep each for ever.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::error::{ApiError, Reason};
use crate::http::fixed::Fixed;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Every file: its name, its type and its content.
const FILES: [(&str, &str, &[u8]); 3] = [
    ("app.css", CSS, include_bytes!("../../../../assets/app.css")),
    (
        "app.js",
        SCRIPT,
        include_bytes!("../../../../assets/app.js"),
    ),
    (
        "icon.svg",
        SVG,
        include_bytes!("../../../../assets/icon.svg"),
    ),
];

/// What the addresses of this version hold.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, _, content) in FILES {
        hash.update(name);
        hash.update(content);
    }
    hex::encode(&hash.finalize()[..8])
});

static FIXED: LazyLock<HashMap<&str, Fixed>> = LazyLock::new(|| {
    let fixed = FILES.map(|(name, kind, content)| {
        let kind = HeaderValue::from_static(kind);
        (name, Fixed::new(kind, content))
    });
    HashMap::from(fixed)
});

/// The address of a file.
pub(super) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *HASH)
}

/// A file. While nodes are replaced one may be asked for that of another version: it gives its own, for once.
pub async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(file) = FIXED.get(name.as_str()) else {
        return ApiError::new(Reason::NotFound).into_response();
    };
    let mut response = file.answer(&headers);
    let fixed = HeaderValue::from_static;
    let own = response.headers_mut();
    own.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    own.insert(CORP, fixed("same-origin"));
    let kept = match hash == *HASH {
        true => "public, max-age=31536000, immutable",
        false => "no-store",
    };
    own.insert(CACHE_CONTROL, fixed(kept));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_their_budgets() {
        let size = |name: &str| {
            let file = FILES.iter().find(|(known, ..)| *known == name);
            file.expect("a file").2.len()
        };
        assert!(size("app.css") <= 24 * 1024, "{}", size("app.css"));
        assert!(size("app.js") <= 20 * 1024, "{}", size("app.js"));
    }
}
