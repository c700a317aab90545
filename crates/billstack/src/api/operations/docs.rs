//! `GET /docs`: the API document for people, with everything it needs in the binary.

use std::sync::{Arc, OnceLock};

use axum::extract::Path;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui::Config;

use crate::error::{ApiError, Reason};

/// The viewer runs its own scripts and styles, and talks to this server alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'",
);

/// The page itself.
pub async fn index() -> Result<Response, ApiError> {
    file("index.html")
}

/// A file of the page.
pub async fn asset(Path(name): Path<String>) -> Result<Response, ApiError> {
    file(&name)
}

fn file(name: &str) -> Result<Response, ApiError> {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| Arc::new(Config::from("/openapi.json")));
    let found = utoipa_swagger_ui::serve(name, Arc::clone(config));
    let file = found.map_err(|error| {
        tracing::error!(%error, name, "a file of the API viewer could not be read");
        ApiError::new(Reason::Internal)
    })?;
    let file = file.ok_or(ApiError::new(Reason::NotFound))?;
    let kind = HeaderValue::from_str(&file.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let nosniff = HeaderName::from_static("x-content-type-options");
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (nosniff, HeaderValue::from_static("nosniff")),
    ];
    let mut bytes = file.bytes.into_owned();
    if name == "index.html" {
        // Its files lie below `/docs/`, also when the page is read at `/docs`.
        bytes = String::from_utf8_lossy(&bytes)
            .replace("\"./", "\"/docs/")
            .replace("\"index.css\"", "\"/docs/index.css\"")
            .into_bytes();
    }
    Ok((headers, bytes).into_response())
}
