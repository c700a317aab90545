//! Where something is: a project of a team.

use billstack_core::ids::{ProjectId, TeamId};

/// A project of a team.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// The team.
    pub team_id: TeamId,
    /// The project inside the team.
    pub project_id: ProjectId,
}

impl Place {
    /// A place by the team and the project, or by their ids. It need not exist.
    pub fn new(team_id: impl Into<TeamId>, project_id: impl Into<ProjectId>) -> Place {
        Place {
            team_id: team_id.into(),
            project_id: project_id.into(),
        }
    }
}

/// The team of what belongs to none, such as the first user of a server. No team has this id.
pub fn no_team() -> TeamId {
    TeamId::from("")
}
