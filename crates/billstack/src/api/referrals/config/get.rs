//! `GET …/referrals/config`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::programs;

use super::ConfigAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;

/// Get the program.
///
/// A project that never set one has a disabled program with zero amounts in `usd`.
#[utoipa::path(
    get, path = "", operation_id = "get_config",
    responses((status = 200, description = "The program.", body = ConfigAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: ProjectRead) -> Result<Response, ApiError> {
    let project_id = access.place().project_id.clone();
    let program = access
        .point(&app, |tx, place| Ok(programs::get(tx, place)?))
        .await?;
    Ok(answer::send(answer::ok(&ConfigAnswer::new(
        &program,
        &project_id,
    ))))
}
