//! `GET /sign-in/{ticket}`: a link that signs in once.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use billstack_core::link::is_wanted;
use billstack_store::{Actor, sessions};

use super::PATH;
use crate::api::auth::new_session;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::visitor::Visitor;
use crate::links::asked_by;
use crate::pages::view::{see_other, see_other_with};
use crate::secrets::{new_token, token_hash};

/// Opens a session for whom the ticket was made, and goes to where it leads. Whoever only looks whether there is
/// something does not use it up. Any other ticket leads to where one signs in with a password.
pub async fn enter(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let taken = is_wanted(&asked_by(&parts)).then(|| app.tickets.take(&ticket));
    let Some(ticket) = taken.flatten() else {
        return Ok(see_other(PATH));
    };
    let (user_id, token) = (ticket.user_id, new_token());
    let (origin, hash) = (
        app.origin(Actor::User(user_id.clone()), &visitor.request_id),
        token_hash(&token),
    );
    let opened = app.store.write(origin, move |tx, act| {
        sessions::create(tx, act, &user_id, &hash, sessions::LIFETIME)
    });
    opened.await?;
    Ok(see_other_with(&ticket.leads_to, new_session(&app, &token)))
}
