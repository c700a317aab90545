//! `POST /api/auth/end-other-sessions`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::sessions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::http::answer;
use crate::http::input::NoInput;

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
pub struct EndOtherSessionsAnswer {
    /// All of the user but the one at hand.
    #[schema(minimum = 0, example = 2)]
    ended: u64,
}

/// End all other sessions.
///
/// Signs the user out everywhere but here.
#[utoipa::path(
    post, path = "", operation_id = "end_other_sessions",
    responses((status = 200, description = "Only the session at hand is left.", body = EndOtherSessionsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    _: NoInput,
) -> Result<Response, ApiError> {
    let ended = end(&app, signed).await?;
    Ok(answer::send(answer::ok(&EndOtherSessionsAnswer { ended })))
}

/// Ends every session of a user but the one at hand, and tells how many.
pub(crate) async fn end(app: &App, signed: SignedIn) -> Result<u64, ApiError> {
    let (user_id, token_hash) = (signed.user.id, signed.token_hash);
    let ended = app.write(&signed.caller, move |tx, _| {
        Ok(sessions::end_all_of(tx, &user_id, Some(&token_hash))?)
    });
    ended.await
}
