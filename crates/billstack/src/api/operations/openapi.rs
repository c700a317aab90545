//! `GET /openapi.json`.

use std::sync::OnceLock;

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::http;

/// The document as people read it, with what it is first.
#[derive(Serialize)]
struct Ordered<'d> {
    openapi: &'d Value,
    info: &'d Value,
    servers: &'d Value,
    tags: &'d Value,
    paths: &'d Value,
    components: &'d Value,
}

/// The API document as it is served and printed by `billstack openapi`.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let document = http::openapi::document(http::table());
        let [openapi, info, servers, tags, paths, components] =
            ["openapi", "info", "servers", "tags", "paths", "components"]
                .map(|member| &document[member]);
        let ordered = Ordered {
            openapi,
            info,
            servers,
            tags,
            paths,
            components,
        };
        let mut text = serde_json::to_string_pretty(&ordered).unwrap_or_default();
        text.push('\n');
        text
    })
}

/// Read the API document.
#[utoipa::path(
    get, path = "", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object, example = json!({"openapi": "3.1.0", "info": {"title": "BillStack Referrals", "version": "0.1.0"}, "paths": {}}))),
)]
pub async fn handle() -> Response {
    (
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        text(),
    )
        .into_response()
}
