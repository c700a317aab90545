//! `GET …/teams/{teamId}/members`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::members;
use serde::Serialize;
use utoipa::ToSchema;

use super::MemberJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page};

/// A page of members.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MembersAnswer {
    /// The newest first.
    members: Vec<MemberJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List members.
///
/// The people of the team with their roles, who came last first.
#[utoipa::path(
    get, path = "", operation_id = "list_members",
    params(PageParams),
    responses((status = 200, description = "A page of members.", body = MembersAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let part = app
        .store
        .scan(move |tx| Ok(members::list(tx, &access.team_id, &page)?));
    let part = part.await?;
    Ok(answer::send(answer::ok(&MembersAnswer {
        members: part.rows.iter().map(MemberJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
