//! `POST …/teams/{teamId}/invitations`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Role;
use billstack_store::invitations;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::InvitationJson;
use crate::api::teams::{RoleJson, SentRole, actor_role};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::schema::EmailText;
use crate::one_time_token::new_invitation_token;
use crate::secrets::token_hash;

/// Who is invited.
#[derive(Deserialize, ToSchema)]
pub struct CreateInvitationRequest {
    /// E-mail address; only a user with this one can accept.
    email: EmailText,
    /// The role in the team.
    #[schema(value_type = RoleJson)]
    role: SentRole,
}

impl CreateInvitationRequest {
    /// The address in its normal form, and the role.
    pub(crate) fn whom(self) -> (String, Role) {
        let SentRole(role) = self.role;
        (self.email.normal, role)
    }
}

/// An invitation and its token.
#[derive(Serialize, ToSchema)]
pub struct CreateInvitationAnswer {
    /// The invitation.
    invitation: InvitationJson,
    /// To be passed on to the person invited; it is shown this once.
    #[schema(
        example = "inv.team_01kgv5r3mq7x2h9d4t8w6c0b1e.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    token: String,
}

/// Invite somebody.
///
/// Takes the place of an earlier invitation of the same address. No e-mail is sent: pass the token
/// on yourself. Only an owner invites owners.
#[utoipa::path(
    post, path = "", operation_id = "create_invitation",
    request_body = CreateInvitationRequest,
    responses((status = 201, description = "The invitation.", body = CreateInvitationAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    input: Input<CreateInvitationRequest>,
) -> Result<Response, ApiError> {
    let (email, role) = input.body.whom();
    let (team_id, user_id) = (access.team_id, access.user.id);
    let token = new_invitation_token(&team_id);
    let hash = token_hash(&token);
    let made = app.write(&access.caller, move |tx, act| {
        let actor_role = actor_role(tx, &team_id, &user_id)?;
        invitations::create(tx, act, &team_id, actor_role, &email, role, &hash)
    });
    let invitation = InvitationJson::new(&made.await?);
    Ok(answer::send(answer::created(&CreateInvitationAnswer {
        invitation,
        token,
    })))
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::AlreadyMember];
