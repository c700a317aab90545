//! `GET …/teams/{teamId}/invitations`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::invitations;
use serde::Serialize;
use utoipa::ToSchema;

use super::InvitationJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page};

/// A page of invitations.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationsAnswer {
    /// The newest first, those that have expired among them.
    invitations: Vec<InvitationJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List invitations.
///
/// Those that wait to be accepted, expired ones among them, the newest first.
#[utoipa::path(
    get, path = "", operation_id = "list_invitations",
    params(PageParams),
    responses((status = 200, description = "A page of invitations.", body = InvitationsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let part = app
        .store
        .scan(move |tx| Ok(invitations::list(tx, &access.team_id, &page)?));
    let part = part.await?;
    Ok(answer::send(answer::ok(&InvitationsAnswer {
        invitations: part.rows.iter().map(InvitationJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
