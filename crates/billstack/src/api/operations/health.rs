//! `GET /healthz`.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// The process answers.
#[derive(Serialize, ToSchema)]
pub struct HealthAnswer {
    /// Always `ok`.
    #[schema(example = "ok")]
    pub status: &'static str,
}

/// Tell whether the process is alive.
///
/// For balancers: it answers without looking at the database.
#[utoipa::path(
    get, path = "", operation_id = "health",
    responses((status = 200, description = "It is.", body = HealthAnswer)),
)]
pub async fn handle() -> Json<HealthAnswer> {
    Json(HealthAnswer { status: "ok" })
}
