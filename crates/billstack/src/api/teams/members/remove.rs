//! `DELETE …/teams/{teamId}/members/{userId}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::members;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::teams::actor_role;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// The member that is none any more.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovedMember)]
#[serde(rename_all = "camelCase")]
pub struct RemovedMemberJson {
    /// The user.
    user_id: String,
    /// Always true.
    deleted: bool,
}

/// Who was removed.
#[derive(Serialize, ToSchema)]
pub struct RemoveMemberAnswer {
    /// The member.
    member: RemovedMemberJson,
}

/// Remove a member.
///
/// Admins remove others, only an owner removes owners, and anybody may leave; the last owner stays.
#[utoipa::path(
    delete, path = "", operation_id = "remove_member",
    responses((status = 200, description = "The member is removed.", body = RemoveMemberAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    Item(id): Item,
    _: NoInput,
) -> Result<Response, ApiError> {
    if id != access.user.id && !access.role.can_administer() {
        return Err(ApiError::new(Reason::Forbidden));
    }
    let (team_id, user_id) = (access.team_id, access.user.id);
    let member = RemovedMemberJson {
        user_id: id.clone(),
        deleted: true,
    };
    let removed = app.write(&access.caller, move |tx, act| {
        let actor_role = actor_role(tx, &team_id, &user_id)?;
        members::remove(tx, act, &team_id, &user_id, actor_role, &id)
    });
    removed.await?;
    Ok(answer::send(answer::ok(&RemoveMemberAnswer { member })))
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::NotFound, Reason::LastOwner];
