//! `…/teams/{teamId}/members`: who belongs to a team, and what they may do.

pub mod list;
pub mod remove;
pub mod update;

use billstack_core::access::Role;
use billstack_store::members::Member;
use serde::Serialize;
use utoipa::ToSchema;

use super::RoleJson;
use crate::clock::rfc3339;

/// A user's place in a team.
#[derive(Serialize, ToSchema)]
#[schema(as = TeamMember)]
#[serde(rename_all = "camelCase")]
pub struct MemberJson {
    /// The user.
    #[schema(example = "usr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    user_id: String,
    /// Their display name.
    name: String,
    /// Their e-mail address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// What they may do in the team.
    #[schema(value_type = RoleJson)]
    role: Role,
    /// When they joined.
    #[schema(format = DateTime)]
    created_at: String,
}

impl MemberJson {
    /// The JSON form of a member.
    pub fn new(member: &Member) -> MemberJson {
        MemberJson {
            user_id: member.user_id.clone(),
            name: member.name.clone(),
            email: member.email.clone(),
            role: member.role,
            created_at: rfc3339(member.created_at.0),
        }
    }
}
