//! What customers' pages load: our style and the script of frames, whose addresses hold their hash, and the style of a
//! theme, whose address holds the theme.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use billstack_core::portal::Theme;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../../../assets/portal.css");

const SCRIPT: &str = include_str!("../../../../assets/embed/frame.js");

const ICON: &str = include_str!("../../../../assets/icon.svg");

const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

static HASH: LazyLock<String> = LazyLock::new(|| hex::encode(&Sha256::digest(STYLE)[..8]));

static SCRIPT_HASH: LazyLock<String> = LazyLock::new(|| hex::encode(&Sha256::digest(SCRIPT)[..8]));

static ICON_HASH: LazyLock<String> = LazyLock::new(|| hex::encode(&Sha256::digest(ICON)[..8]));

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The address of our style.
pub(super) fn style_address() -> String {
    format!("/portal/assets/{}/portal.css", *HASH)
}

/// The address of the script of frames.
pub(super) fn script_address() -> String {
    format!("/embed/assets/{}/frame.js", *SCRIPT_HASH)
}

/// The address of the icon of pages.
pub(super) fn icon_address() -> String {
    format!("/portal/assets/{}/icon.svg", *ICON_HASH)
}

/// The address of the style of a theme.
pub(super) fn theme_address(theme: &Theme) -> String {
    format!("/portal/theme.css?{}", theme.query())
}

/// Our style. While nodes are replaced one may be asked for that of another version: it gives its own, for once.
pub async fn style(Path(hash): Path<String>) -> Response {
    let is_ours = hash == *HASH;
    (headers(CSS, is_ours), STYLE).into_response()
}

/// The script of frames, likewise.
pub async fn script(Path(hash): Path<String>) -> Response {
    let is_ours = hash == *SCRIPT_HASH;
    (headers(JAVASCRIPT, is_ours), SCRIPT).into_response()
}

/// The icon of pages, likewise.
pub async fn icon(Path(hash): Path<String>) -> Response {
    let is_ours = hash == *ICON_HASH;
    (headers(SVG, is_ours), ICON).into_response()
}

/// The style that an address describes. It is made of the address alone.
pub async fn theme(RawQuery(query): RawQuery) -> Response {
    let theme = Theme::of_query(query.as_deref().unwrap_or_default());
    (headers(CSS, true), theme.css()).into_response()
}

fn headers(kind: &'static str, is_fixed: bool) -> HeaderMap {
    let fixed = HeaderValue::from_static;
    let kept = match is_fixed {
        true => "public, max-age=31536000, immutable",
        false => "no-store",
    };
    HeaderMap::from_iter([
        (CONTENT_TYPE, fixed(kind)),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (CORP, fixed("same-origin")),
        (CACHE_CONTROL, fixed(kept)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_their_budgets() {
        assert!(STYLE.len() <= 24 * 1024, "{}", STYLE.len());
        assert!(SCRIPT.len() <= 20 * 1024, "{}", SCRIPT.len());
    }
}
