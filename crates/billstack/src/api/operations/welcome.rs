//! `GET /` for a browser: what this is, and where to go. Programs get the 404 of any address that is none.

use std::sync::OnceLock;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, VARY};
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, Reason};
use crate::http::fixed::Fixed;

/// The page runs nothing, and takes its style from this server.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// The page, to whoever names HTML among what they accept; `*/*` alone is a program.
pub async fn index(headers: HeaderMap) -> Response {
    static PAGE: OnceLock<Fixed> = OnceLock::new();
    let accepted = headers.get_all(ACCEPT).into_iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    let vary = (VARY, HeaderValue::from_static("Accept"));
    if !accepted.any(|value| value.contains("text/html")) {
        return ([vary], ApiError::new(Reason::NotFound)).into_response();
    }
    let page = PAGE.get_or_init(|| {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        Fixed::new(kind, include_str!("../../../../../assets/welcome.html"))
    });
    let nosniff = HeaderName::from_static("x-content-type-options");
    let safe = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (nosniff, HeaderValue::from_static("nosniff")),
    ];
    let mut answer = (safe, page.answer(&headers)).into_response();
    answer.headers_mut().append(vary.0, vary.1);
    answer
}
