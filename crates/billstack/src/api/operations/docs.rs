//! `GET /docs`: the API document for people, with everything it needs in the binary.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui::Config;

use crate::error::{ApiError, Reason};
use crate::http::fixed::Fixed;

/// The viewer runs its own scripts and styles, and talks to this server alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'",
);

/// The page itself.
pub async fn index(headers: HeaderMap) -> Result<Response, ApiError> {
    answer("index.html", &headers)
}

/// A file of the page.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    answer(&name, &headers)
}

fn answer(name: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let nosniff = HeaderName::from_static("x-content-type-options");
    let safe = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (nosniff, HeaderValue::from_static("nosniff")),
    ];
    Ok((safe, kept(name)?.answer(headers)).into_response())
}

/// The file as it is kept from the first time that somebody asks for it; there are only a few.
fn kept(name: &str) -> Result<Arc<Fixed>, ApiError> {
    static FILES: Mutex<Option<HashMap<String, Arc<Fixed>>>> = Mutex::new(None);
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let files = files.get_or_insert_default();
    if let Some(file) = files.get(name) {
        return Ok(Arc::clone(file));
    }
    let file = Arc::new(file(name)?);
    files.insert(name.to_owned(), Arc::clone(&file));
    Ok(file)
}

fn file(name: &str) -> Result<Fixed, ApiError> {
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
    let mut bytes = file.bytes.into_owned();
    if name == "index.html" {
        // Its files lie below `/docs/`, also when the page is read at `/docs`.
        bytes = String::from_utf8_lossy(&bytes)
            .replace("\"./", "\"/docs/")
            .replace("\"index.css\"", "\"/docs/index.css\"")
            .into_bytes();
    }
    Ok(Fixed::new(kind, bytes))
}
