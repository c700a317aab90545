//! `GET /openapi.json`.

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::app::Shared;
use crate::http::fixed::Fixed;

/// Read the API document.
///
/// This document. It is compressed for those who take gzip, and has an `ETag`.
#[utoipa::path(
    get, path = "", operation_id = "openapi",
    responses((status = 304, description = "It is what `If-None-Match` names."), (status = 200, description = "OpenAPI 3.1.", body = Object, example = json!({"openapi": "3.1.0", "info": {"title": "BillStack Referrals", "version": "0.1.0"}, "paths": {}}))),
)]
pub async fn handle(State(app): State<Shared>, headers: HeaderMap) -> Response {
    static DOCUMENT: OnceLock<Fixed> = OnceLock::new();
    let json = HeaderValue::from_static("application/json");
    let document = DOCUMENT.get_or_init(|| Fixed::new(json, app.api_document));
    document.answer(&headers)
}
