//! Projects of a team.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::project::ProjectMode;
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

/// SQL for whether the project that a row is in is a test project.
macro_rules! in_test_project {
    ($row:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM projects of_mode WHERE of_mode.team_id = ",
            $row,
            ".team_id AND of_mode.project_id = ",
            $row,
            ".project_id AND of_mode.mode = 'test')"
        )
    };
}
pub(crate) use in_test_project;

statements! {
    EXISTS = "SELECT id FROM projects WHERE team_id = $1 AND project_id = $2";
    GET = "SELECT id, name, mode, created_at FROM projects WHERE team_id = $1 AND project_id = $2";
    INSERT = "INSERT INTO projects (team_id, project_id, id, name, mode, clock_offset, created_at) \
        VALUES ($1, $2, $3, $4, $5, 0, $6)";
    /// Nobody moves it until the transaction ends. No row of a live project is locked, or even found.
    CLOCK = "SELECT clock_offset FROM projects \
        WHERE team_id = $1 AND project_id = $2 AND mode = 'test' /* FOR SHARE */";
    SHOW_CLOCK = "SELECT clock_offset FROM projects \
        WHERE team_id = $1 AND project_id = $2 AND mode = 'test'";
    ADVANCE = "UPDATE projects SET clock_offset = $4 \
        WHERE team_id = $1 AND project_id = $2 AND mode = 'test' AND clock_offset = $3";
}

/// Every list of projects.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "projects",
    select: "SELECT id, name, mode, created_at FROM projects WHERE team_id = $1",
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
    /// What it is for.
    pub mode: ProjectMode,
    /// When it was created.
    pub created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Project, Fault> {
    Ok(Project {
        id: row.project_id(0)?,
        name: row.string(1)?,
        mode: row.read(2, ProjectMode::read)?,
        created_at: row.time(3)?,
    })
}

/// Whether the team has this project.
pub fn exists(tx: &mut dyn Tx, place: &Place) -> Result<bool, Fault> {
    tx.exists(EXISTS, params![&place.team_id, &place.project_id])
}

/// The project at this place.
pub fn get(tx: &mut dyn Tx, place: &Place) -> Result<Option<Project>, Fault> {
    tx.one(GET, params![&place.team_id, &place.project_id], decode)
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
    let (id, at, mode) = (&project.id, project.created_at, project.mode.as_str());
    let row = params![team_id, id, id.as_str(), &project.name, mode, at];
    tx.must(INSERT, row)
}

/// How far the clock of a test project is ahead of the time, for whoever goes by it in a transaction that writes:
/// it stays so until the transaction ends. `None` in any other project.
pub(crate) fn hold_clock(tx: &mut dyn Tx, place: &Place) -> Result<Option<i64>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    tx.one(CLOCK, scope, |row| row.int(0))
}

/// How far the clock of a test project is ahead of the time; `None` in any other project.
pub fn clock(tx: &mut dyn Tx, place: &Place) -> Result<Option<i64>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    tx.one(SHOW_CLOCK, scope, |row| row.int(0))
}

/// Moves the clock of a test project; tells whether nobody else has moved it meanwhile.
pub(crate) fn advance(tx: &mut dyn Tx, place: &Place, from: i64, to: i64) -> Result<bool, Fault> {
    tx.hit(
        ADVANCE,
        params![&place.team_id, &place.project_id, from, to],
    )
}
