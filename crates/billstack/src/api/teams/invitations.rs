//! `…/teams/{teamId}/invitations`: who may join a team, and has not yet.

pub mod create;
pub mod list;
pub mod revoke;

use billstack_core::access::Role;
use billstack_store::invitations::Invitation;
use serde::Serialize;
use utoipa::ToSchema;

use super::RoleJson;
use crate::clock::rfc3339;

/// An invitation nobody has accepted yet.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
#[serde(rename_all = "camelCase")]
pub struct InvitationJson {
    /// Its id.
    #[schema(example = "inv_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The e-mail address it is for.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The role it gives.
    #[schema(value_type = RoleJson)]
    role: Role,
    /// From when on it cannot be accepted any more.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

impl InvitationJson {
    /// The JSON form of an invitation.
    pub fn new(invitation: &Invitation) -> InvitationJson {
        InvitationJson {
            id: invitation.id.clone(),
            email: invitation.email.clone(),
            role: invitation.role,
            expires_at: rfc3339(invitation.expires_at.0),
            created_at: rfc3339(invitation.created_at.0),
        }
    }
}
