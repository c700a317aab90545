//! `GET /openapi.json`.

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::app::Shared;

/// Read the API document.
#[utoipa::path(
    get, path = "", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object, example = json!({"openapi": "3.1.0", "info": {"title": "BillStack Referrals", "version": "0.1.0"}, "paths": {}}))),
)]
pub async fn handle(State(app): State<Shared>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], app.api_document).into_response()
}
