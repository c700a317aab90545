//! Projects of a team.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

/// SQL for the id of the project that a row is about, null when it is about none. Where there is no such
/// project it is the number, which is no project's id.
macro_rules! project_of {
    ($row:literal) => {
        concat!(
            "COALESCE((SELECT of_project.id FROM projects of_project WHERE of_project.team_id = ",
            $row,
            ".team_id AND of_project.project_id = ",
            $row,
            ".project_id), CAST(",
            $row,
            ".project_id AS TEXT))"
        )
    };
}
pub(crate) use project_of;

statements! {
    EXISTS = "SELECT id FROM projects WHERE team_id = $1 AND project_id = $2";
    INSERT = "INSERT INTO projects (team_id, project_id, id, name, created_at) \
        VALUES ($1, $2, $3, $4, $5)";
}

/// Every list of projects.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "projects",
    select: "SELECT id, name, created_at FROM projects WHERE team_id = $1",
    scope: 1,
    filters: &[],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// A product of a team with its own customers and referral program.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// `proj_…`.
    pub id: ProjectId,
    /// Display name.
    pub name: String,
    /// When it was created.
    pub created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Project, Fault> {
    Ok(Project {
        id: row.project_id(0)?,
        name: row.string(1)?,
        created_at: row.time(2)?,
    })
}

/// Whether the team has this project.
pub fn exists(tx: &mut dyn Tx, place: &Place) -> Result<bool, Fault> {
    tx.exists(EXISTS, params![&place.team_id, &place.project_id])
}

/// Projects of a team, the newest first.
pub fn list(tx: &mut dyn Tx, team_id: &TeamId, page: &Page) -> Result<Part<Project>, Fault> {
    LIST.read(tx, params![team_id], &[], page, decode, |project| Cursor {
        at: project.created_at.0,
        key: project.id.to_string(),
    })
}

/// Adds a project.
pub(crate) fn insert(tx: &mut dyn Tx, team_id: &TeamId, project: &Project) -> Result<(), Fault> {
    let (id, at) = (&project.id, project.created_at);
    tx.must(INSERT, params![team_id, id, id.as_str(), &project.name, at])
}
