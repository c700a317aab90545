//! `POST /sign-out`.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use billstack_store::{Actor, sessions};

use super::form::Form;
use super::view::see_other_with;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::session_cookie;
use crate::http::visitor::Visitor;

/// Ends the session. What the browser keeps of the pages for going back goes with it.
pub async fn handle(
    State(app): State<Shared>,
    visitor: Visitor,
    _: Form,
) -> Result<Response, ApiError> {
    if let Some(hash) = visitor.token_hash {
        let origin = app.origin(Actor::Anonymous, &visitor.request_id);
        let ended = app
            .store
            .write(origin, move |tx, _| Ok(sessions::end(tx, &hash)?));
        ended.await?;
    }
    let mut answer = see_other_with("/sign-in", session_cookie(&app).clear());
    let (name, cache) = ("clear-site-data", "\"cache\"");
    answer.headers_mut().insert(
        HeaderName::from_static(name),
        HeaderValue::from_static(cache),
    );
    Ok(answer)
}
