//! `GET …/links/settings`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::links;

use super::LinkSettingsAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;

/// Get how links are set up.
///
/// Links of a project that never set them up are off.
#[utoipa::path(
    get, path = "", operation_id = "get_link_settings",
    responses((status = 200, description = "The settings.", body = LinkSettingsAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: ProjectRead) -> Result<Response, ApiError> {
    let read = access.point(&app, |tx, place| {
        Ok((links::settings(tx, place)?, links::names(tx, place)?))
    });
    let (settings, names) = read.await?;
    let shown = LinkSettingsAnswer::new(&app, settings, names);
    Ok(answer::send(answer::ok(&shown)))
}
