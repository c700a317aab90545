//! `GET /api/billstack/teams`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::teams;
use serde::Serialize;
use utoipa::ToSchema;

use super::TeamJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page};

/// A page of teams.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TeamsAnswer {
    /// The newest first.
    teams: Vec<TeamJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List the teams of the signed-in user.
///
/// Those in which the signed-in user is a member, the newest first, each with the user's role.
#[utoipa::path(
    get, path = "", operation_id = "list_teams",
    params(PageParams),
    responses((status = 200, description = "A page of teams.", body = TeamsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let part = app
        .store
        .scan(move |tx| Ok(teams::list_of_user(tx, &signed.user.id, &page)?));
    let part = part.await?;
    let teams = part
        .rows
        .iter()
        .map(|row| TeamJson::new(&row.team, row.role));
    Ok(answer::send(answer::ok(&TeamsAnswer {
        teams: teams.collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
