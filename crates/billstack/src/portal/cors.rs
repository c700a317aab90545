//! Which pages of other origins may read an answer: those that the project allows, each by its name.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, HeaderValue, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_core::portal;

/// The origin that a request says it comes from.
pub(crate) fn origin(headers: &HeaderMap) -> Option<String> {
    let mut sent = headers.get_all(ORIGIN).iter();
    let origin = sent.next()?.to_str().ok()?;
    sent.next().is_none().then(|| origin.to_owned())
}

/// An answer about a customer, which a page of one of these origins may read. Nobody keeps it.
pub(crate) fn readable(
    mut response: Response,
    allowed: &[String],
    origin: Option<&str>,
) -> Response {
    let fixed = HeaderValue::from_static;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, fixed("no-store"));
    headers.append(VARY, fixed("Origin"));
    let named = origin.filter(|origin| portal::allows(allowed, origin));
    if let Some(named) = named.and_then(|origin| HeaderValue::from_str(origin).ok()) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, named);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            fixed("Retry-After, X-Request-Id"),
        );
    }
    response
}

/// What a browser asks before it sends a token from a page of another origin. It does not show the token yet, so
/// nobody can say whose it will be: the answer to the request itself names the origin, or no page can read it.
pub async fn preflight(headers: HeaderMap) -> Response {
    let fixed = HeaderValue::from_static;
    let mut answer = HeaderMap::from_iter([
        (VARY, fixed("Origin")),
        (ACCESS_CONTROL_ALLOW_METHODS, fixed("GET, POST")),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            fixed("authorization, content-type"),
        ),
        (ACCESS_CONTROL_MAX_AGE, fixed("600")),
    ]);
    let origin =
        origin(&headers).filter(|origin| portal::allows(std::slice::from_ref(origin), origin));
    if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    (StatusCode::NO_CONTENT, answer).into_response()
}
