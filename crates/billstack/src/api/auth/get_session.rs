//! `GET /api/auth/get-session`.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use billstack_store::sessions::{self, Session};
use serde::Serialize;
use utoipa::ToSchema;

use super::UserJson;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::answer;
use crate::http::visitor::Visitor;

/// A session that is alive.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
#[serde(rename_all = "camelCase")]
pub struct SessionJson {
    /// When it ends at the latest; it ends earlier when it goes unused for twelve hours.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When the user signed in.
    #[schema(format = DateTime)]
    created_at: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub struct GetSessionAnswer {
    /// The session; null when nobody is signed in.
    session: Option<SessionJson>,
    /// The user; null when nobody is signed in.
    user: Option<UserJson>,
}

/// Get the session.
///
/// Tells who is signed in; to be nobody is an answer as well.
#[utoipa::path(
    get, path = "", operation_id = "get_session",
    security((), ("session" = [])),
    responses((status = 200, description = "The session and its user.", body = GetSessionAnswer)),
)]
pub async fn handle(State(app): State<Shared>, visitor: Visitor) -> Result<Response, ApiError> {
    let now = app.now();
    let found = app.store.point(move |tx| match &visitor.token_hash {
        Some(hash) => Ok(sessions::find(tx, hash, now, sessions::IDLE)?),
        None => Ok(None),
    });
    let found = found.await?;
    let mut response = answer::send(answer::ok(&GetSessionAnswer {
        session: found.as_ref().map(session_json),
        user: found.as_ref().map(|session| UserJson::new(&session.user)),
    }));
    // The answer depends on a cookie, which caches do not look at.
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    Ok(response)
}

fn session_json(session: &Session) -> SessionJson {
    SessionJson {
        expires_at: rfc3339(session.expires_at.0),
        created_at: rfc3339(session.created_at.0),
    }
}
