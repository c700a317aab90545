//! The styles of customers' pages: one of ours, whose address holds its hash, and one of a theme, whose address holds
//! the theme.

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

static HASH: LazyLock<String> = LazyLock::new(|| hex::encode(&Sha256::digest(STYLE)[..8]));

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The address of our style.
pub(super) fn style_address() -> String {
    format!("/portal/assets/{}/portal.css", *HASH)
}

/// The address of the style of a theme.
pub(super) fn theme_address(theme: &Theme) -> String {
    format!("/portal/theme.css?{}", theme.query())
}

/// Our style. While nodes are replaced one may be asked for that of another version: it gives its own, for once.
pub async fn style(Path(hash): Path<String>) -> Response {
    let is_ours = hash == *HASH;
    (headers(is_ours), STYLE).into_response()
}

/// The style that an address describes. It is made of the address alone.
pub async fn theme(RawQuery(query): RawQuery) -> Response {
    let theme = Theme::of_query(query.as_deref().unwrap_or_default());
    (headers(true), theme.css()).into_response()
}

fn headers(is_fixed: bool) -> HeaderMap {
    let fixed = HeaderValue::from_static;
    let kept = match is_fixed {
        true => "public, max-age=31536000, immutable",
        false => "no-store",
    };
    HeaderMap::from_iter([
        (CONTENT_TYPE, fixed("text/css; charset=utf-8")),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (CORP, fixed("same-origin")),
        (CACHE_CONTROL, fixed(kept)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_holds_its_budget() {
        assert!(STYLE.len() <= 24 * 1024, "{}", STYLE.len());
    }
}
