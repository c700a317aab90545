//! `GET /portal/enter/{ticket}`: lets a customer in, once.

use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_core::ids::{TeamId, is_id};
use billstack_core::link::is_wanted;
use billstack_core::portal::Session;
use billstack_core::time::SECOND;
use billstack_store::{Actor, portal};

use super::page;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::portal_cookie;
use crate::http::request_id::RequestId;
use crate::http::visitor::{client_address, takes_html};
use crate::links::asked_by;
use crate::secrets::{new_token, token_hash};

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// A new ticket of a team: its id, a dot and 64 hex digits. Tickets are kept by team, so it has to name it.
pub(crate) fn new_ticket(team_id: &TeamId) -> String {
    format!("{team_id}.{}", new_token())
}

/// Where a ticket is used.
pub(crate) fn address(app: &App, ticket: &str) -> String {
    format!("{}/portal/enter/{ticket}", app.public_url())
}

/// Lets the customer in whose ticket it is, who then has a cookie till the session ends. Whoever only looks whether
/// there is something does not use the ticket up.
pub async fn enter(
    State(app): State<Shared>,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    app.portal_pace
        .count_address(&client_address(&parts, &app)?)?;
    if !is_wanted(&asked_by(&parts)) {
        return Ok((StatusCode::NO_CONTENT, headers()).into_response());
    }
    let ticket = path.map_or(String::new(), |Path(ticket)| ticket);
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let session = take(&app, &ticket, &request_id.unwrap_or_default()).await?;
    match session.and_then(|session| Some((session.token(&app.portal_key)?, session))) {
        Some((token, session)) => Ok(let_in(&app, &token, &session)),
        None => {
            let refused = match takes_html(&parts.headers) {
                true => page::no_way_in(&app, &parts),
                false => ApiError::new(Reason::InvalidPortalToken).into_response(),
            };
            Ok((headers(), refused).into_response())
        }
    }
}

async fn take(app: &App, ticket: &str, request_id: &str) -> Result<Option<Session>, ApiError> {
    let Some((team_id, _)) = ticket.split_once('.').filter(|(team_id, _)| is_id(team_id)) else {
        return Ok(None);
    };
    let (team_id, hash) = (TeamId::from(team_id), token_hash(ticket));
    let origin = app.origin(Actor::Anonymous, request_id);
    let taken = app.store.write(origin, move |tx, act| {
        Ok(portal::enter(tx, act, &team_id, &hash)?)
    });
    Ok(taken.await?)
}

fn let_in(app: &Shared, token: &str, session: &Session) -> Response {
    let left = session.expires_at.since(app.now()) / SECOND;
    let cookie = portal_cookie(app).set(token, u64::try_from(left).unwrap_or(0));
    let to = [
        (LOCATION, HeaderValue::from_static("/portal")),
        (SET_COOKIE, cookie),
    ];
    (StatusCode::SEE_OTHER, headers(), to).into_response()
}

/// Nobody keeps or lists the address, and nothing tells the next page what it was.
fn headers() -> HeaderMap {
    let fixed = HeaderValue::from_static;
    HeaderMap::from_iter([
        (CACHE_CONTROL, fixed("no-store")),
        (REFERRER_POLICY, fixed("no-referrer")),
        (X_ROBOTS_TAG, fixed("noindex")),
    ])
}
