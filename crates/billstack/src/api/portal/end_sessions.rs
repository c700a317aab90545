//! `POST …/portal/end-sessions`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::portal;
use billstack_store::{Act, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;

/// Says that it was done.
#[derive(Serialize, ToSchema)]
pub struct SessionsEndedAnswer {
    /// Always true.
    success: bool,
}

/// End all portal sessions.
///
/// Ends every session of the project's customers at once: those that there are, and those that tickets on their way would
/// begin.
#[utoipa::path(
    post, path = "", operation_id = "end_portal_sessions",
    responses((status = 200, description = "All sessions have ended.", body = SessionsEndedAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: NoInput,
) -> Result<Response, ApiError> {
    let place = access.place.clone();
    let end = move |tx: &mut dyn Tx, act: &mut Act| Ok(portal::end_sessions(tx, act, &place)?);
    let answer = |(): &()| answer::ok(&SessionsEndedAnswer { success: true });
    app.write_answer(&access.caller, input.keyed, end, answer)
        .await
}
