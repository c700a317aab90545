//! `…/teams/{teamId}/projects`: products with their own customers and referral program.

pub mod create;
pub mod list;

use billstack_core::ids::TeamId;
use billstack_core::project::ProjectMode;
use billstack_store::projects::Project;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// What a project is for.
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectMode)]
#[serde(rename_all = "snake_case")]
pub enum ProjectModeJson {
    /// Real customers and real money.
    Live,
    /// Trying out: it has a clock of its own, which can be moved forward.
    Test,
}

/// A project of a team.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
#[serde(rename_all = "camelCase")]
pub struct ProjectJson {
    /// Its id.
    #[schema(example = "proj_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Display name.
    name: String,
    /// What it is for.
    #[schema(value_type = ProjectModeJson)]
    mode: ProjectMode,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// The team.
    team_id: String,
}

impl ProjectJson {
    /// The JSON form of a project.
    pub fn new(project: &Project, team_id: &TeamId) -> ProjectJson {
        ProjectJson {
            id: project.id.to_string(),
            name: project.name.clone(),
            mode: project.mode,
            created_at: rfc3339(project.created_at.0),
            team_id: team_id.to_string(),
        }
    }
}
