//! `POST /api/auth/sign-out`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Actor;
use billstack_store::sessions;
use serde::Serialize;
use utoipa::ToSchema;

use super::with_cookie;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::session_cookie;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::visitor::Visitor;

/// That nobody is signed in any more.
#[derive(Serialize, ToSchema)]
pub struct SignOutAnswer {
    /// Always true.
    success: bool,
}

/// Sign out.
///
/// Ends the session on the server and takes the cookie away. Without a session it answers the same.
#[utoipa::path(
    post, path = "", operation_id = "sign_out",
    security((), ("session" = [])),
    responses((
        status = 200, description = "Nobody is signed in.", body = SignOutAnswer,
        headers(("Set-Cookie" = String, description = "Takes the session away.")),
    )),
)]
pub async fn handle(
    State(app): State<Shared>,
    visitor: Visitor,
    _: NoInput,
) -> Result<Response, ApiError> {
    if let Some(hash) = visitor.token_hash {
        let origin = app.origin(Actor::Anonymous, &visitor.request_id);
        let ended = app
            .store
            .write(origin, move |tx, _| Ok(sessions::end(tx, &hash)?));
        ended.await?;
    }
    let done = answer::send(answer::ok(&SignOutAnswer { success: true }));
    Ok(with_cookie(done, session_cookie(&app).clear()))
}
