//! `GET …/portal/settings`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::portal;

use super::PortalSettingsAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;

/// Get how customers' pages are set up.
///
/// No other origin may show them before one is set.
#[utoipa::path(
    get, path = "", operation_id = "get_portal_settings",
    responses((status = 200, description = "The settings.", body = PortalSettingsAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: ProjectRead) -> Result<Response, ApiError> {
    let read = access.point(&app, |tx, place| Ok(portal::settings(tx, place)?));
    let shown = PortalSettingsAnswer::new(&read.await?);
    Ok(answer::send(answer::ok(&shown)))
}
