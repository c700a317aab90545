//! `PATCH …/teams/{teamId}/members/{userId}`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Role;
use billstack_store::members;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberJson;
use crate::api::teams::{RoleJson, SentRole, actor_role};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::path::Item;

/// What the member may do from now on.
#[derive(Deserialize, ToSchema)]
pub struct UpdateMemberRequest {
    /// The new role.
    #[schema(value_type = RoleJson)]
    role: SentRole,
}

impl UpdateMemberRequest {
    /// The role.
    pub(crate) fn role(self) -> Role {
        let SentRole(role) = self.role;
        role
    }
}

/// A member as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct MemberAnswer {
    /// The member.
    member: MemberJson,
}

/// Change a member's role.
///
/// Only an owner makes or lowers owners, and the last one stays.
#[utoipa::path(
    patch, path = "", operation_id = "update_member",
    request_body = UpdateMemberRequest,
    responses((status = 200, description = "The member as they are now.", body = MemberAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    Item(id): Item,
    input: Input<UpdateMemberRequest>,
) -> Result<Response, ApiError> {
    let role = input.body.role();
    let (team_id, user_id) = (access.team_id, access.user.id);
    let changed = app.write(&access.caller, move |tx, act| {
        let actor_role = actor_role(tx, &team_id, &user_id)?;
        members::set_role(tx, act, &team_id, actor_role, &id, role)
    });
    let member = MemberJson::new(&changed.await?);
    Ok(answer::send(answer::ok(&MemberAnswer { member })))
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::NotFound, Reason::LastOwner];
