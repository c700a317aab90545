//! `GET /docs`: the API document for people, with everything it needs in the binary.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa_swagger_ui::Config;

use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::fixed::Fixed;

/// The viewer runs its own scripts and styles, and talks to this server alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'",
);

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What most paths begin with; it is shown less strongly than the rest.
const OF_A_PROJECT: &str = "/api/billstack/teams/{teamId}/projects/{projectId}";

/// The page itself.
pub async fn index(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, ApiError> {
    static PAGE: OnceLock<Fixed> = OnceLock::new();
    let page = PAGE.get_or_init(|| Fixed::new(HTML, page(app.api_document)));
    Ok((safe(), page.answer(&headers)).into_response())
}

/// A file of the page.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    Ok((safe(), kept(&name)?.answer(&headers)).into_response())
}

fn safe() -> [(HeaderName, HeaderValue); 5] {
    let fixed = HeaderValue::from_static;
    let named = HeaderName::from_static;
    let same_origin = fixed("same-origin");
    [
        (CONTENT_SECURITY_POLICY, POLICY),
        (named("x-content-type-options"), fixed("nosniff")),
        (REFERRER_POLICY, same_origin.clone()),
        (named("cross-origin-opener-policy"), same_origin.clone()),
        (named("cross-origin-resource-policy"), same_origin),
    ]
}

/// The page with a line for each call. They are written here so that they are there at once: the viewer takes a
/// second to load, and seconds to draw all of them.
fn page(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let mut calls = String::new();
    let tags = document["tags"].as_array().into_iter().flatten();
    for tag in tags.filter_map(|tag| tag["name"].as_str()) {
        let _ = writeln!(calls, "<h2>{tag}</h2>");
        let paths = document["paths"].as_object().into_iter().flatten();
        for (path, item) in paths {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation["tags"][0] == tag {
                    calls.push_str(&line(path, method, operation));
                }
            }
        }
    }
    include_str!("../../../../../assets/docs.html").replace("CALLS", &calls)
}

fn line(path: &str, method: &str, operation: &Value) -> String {
    let text = |member: &str| operation[member].as_str().unwrap_or_default();
    let shown = match path.strip_prefix(OF_A_PROJECT) {
        Some(rest) => format!("<span>{OF_A_PROJECT}</span>{rest}"),
        None => path.to_owned(),
    };
    format!(
        "<details id=\"{id}\" data-path=\"{path}\" data-method=\"{method}\"><summary><b>{verb}</b> \
         <code>{shown}</code> {what}</summary><div></div></details>\n",
        id = text("operationId"),
        verb = method.to_uppercase(),
        what = text("summary"),
    )
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
    let own = |kind, text: &'static str| Ok(Fixed::new(HeaderValue::from_static(kind), text));
    match name {
        "docs.js" => {
            return own(
                "text/javascript",
                include_str!("../../../../../assets/docs.js"),
            );
        }
        "pages.css" => return own("text/css", include_str!("../../../../../assets/pages.css")),
        // The library's own page, which draws every call.
        "index.html" | "swagger-initializer.js" => return Err(Reason::NotFound.into()),
        _ => {}
    }
    let config = CONFIG.get_or_init(Arc::default);
    let found = utoipa_swagger_ui::serve(name, Arc::clone(config));
    let file = found.map_err(|error| {
        tracing::error!(%error, name, "a file of the API viewer could not be read");
        ApiError::new(Reason::Internal)
    })?;
    let file = file.ok_or(ApiError::new(Reason::NotFound))?;
    let kind = HeaderValue::from_str(&file.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Ok(Fixed::new(kind, file.bytes.into_owned()))
}
