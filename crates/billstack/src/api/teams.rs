//! `/api/billstack/teams`: the tenants, and what belongs to a team as a whole.

pub mod activity;
pub mod api_keys;
pub mod create;
pub mod invitations;
pub mod list;
pub mod members;
pub mod projects;
pub mod status;
pub mod stripe;

use billstack_core::access::Role;
use billstack_core::ids::TeamId;
use billstack_store::Refusal;
use billstack_store::teams::Team;
use billstack_store::{Abort, Tx};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::clock::rfc3339;
use crate::http::json::Text;

/// The longest name of a team, project or key, in characters.
const LONGEST_NAME: usize = 255;

/// What a person may do in a team.
#[derive(Serialize, ToSchema)]
#[schema(as = TeamRole)]
#[serde(rename_all = "snake_case")]
pub enum RoleJson {
    /// Everything; a team always has at least one.
    Owner,
    /// Everything but making and unmaking owners.
    Admin,
    /// Read and write inside the team's projects.
    Member,
    /// Read only.
    Viewer,
}

/// A team as one of its members sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Team)]
#[serde(rename_all = "camelCase")]
pub struct TeamJson {
    /// Its id.
    #[schema(example = "team_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Display name.
    name: String,
    /// What the signed-in user may do in it.
    #[schema(value_type = RoleJson)]
    role: Role,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

impl TeamJson {
    /// The JSON form of a team.
    pub fn new(team: &Team, role: Role) -> TeamJson {
        TeamJson {
            id: team.id.to_string(),
            name: team.name.clone(),
            role,
            created_at: rfc3339(team.created_at.0),
        }
    }
}

/// A team as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct TeamAnswer {
    /// The team.
    pub team: TeamJson,
}

/// The name of something new.
pub(crate) type Name = Text<1, LONGEST_NAME>;

/// The role somebody shall have.
struct SentRole(Role);

impl<'de> Deserialize<'de> for SentRole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<1, 64>::deserialize(deserializer)?;
        Role::parse(&text)
            .map(SentRole)
            .ok_or_else(|| D::Error::custom("must be owner, admin, member or viewer."))
    }
}

/// The role of the caller, as operations want it: read in the transaction that acts on it.
pub(crate) fn actor_role(tx: &mut dyn Tx, team_id: &TeamId, user_id: &str) -> Result<Role, Abort> {
    let role = billstack_store::members::role_of(tx, team_id, user_id)?;
    Ok(role.ok_or(Refusal::CallerNoLongerAllowed)?)
}
