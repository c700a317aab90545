//! Teams: the tenants. Everything else belongs to one.

use billstack_core::access::Role;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

/// SQL for the id of the team that a row belongs to; its number, which is no team's id, where there is no
/// such team.
macro_rules! team_of {
    ($row:literal) => {
        concat!(
            "COALESCE((SELECT of_team.id FROM teams of_team WHERE of_team.team_id = ",
            $row,
            ".team_id), CAST(",
            $row,
            ".team_id AS TEXT))"
        )
    };
}
pub(crate) use team_of;

statements! {
    GET = "SELECT id, name, created_at FROM teams WHERE team_id = $1";
    FEW = "SELECT id, name, created_at FROM teams ORDER BY team_id LIMIT $1";
    INSERT = "INSERT INTO teams (team_id, id, name, created_at) VALUES ($1, $2, $3, $4)";
}

/// Every list of teams.
pub(crate) const LISTS: &[&List] = &[&OF_USER];

static OF_USER: List = List {
    name: "teams of a user",
    select: "SELECT t.id, t.name, t.created_at, m.role FROM members m \
        JOIN teams t ON t.team_id = m.team_id WHERE m.user_id = $1",
    scope: 1,
    filters: &[],
    keys: ["t.created_at", "t.id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// A team.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    /// `team_…`.
    pub id: TeamId,
    /// Display name.
    pub name: String,
    /// When it was created.
    pub created_at: Micros,
}

/// A team as one of its members sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamOfUser {
    /// The team.
    pub team: Team,
    /// What the member may do in it.
    pub role: Role,
}

fn decode(row: &dyn Row) -> Result<Team, Fault> {
    Ok(Team {
        id: row.team_id(0)?,
        name: row.string(1)?,
        created_at: row.time(2)?,
    })
}

/// The team with this id.
pub fn get(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<Team>, Fault> {
    tx.one(GET, params![team_id], decode)
}

/// Teams in no order, `most` at most: enough to tell whether there is one or several.
pub fn few(tx: &mut dyn Tx, most: i64) -> Result<Vec<Team>, Fault> {
    tx.all(FEW, params![most], decode)
}

/// Teams a user belongs to, the newest first.
pub fn list_of_user(
    tx: &mut dyn Tx,
    user_id: &str,
    page: &Page,
) -> Result<Part<TeamOfUser>, Fault> {
    let decode = |row: &dyn Row| {
        let role = row.read(3, Role::read)?;
        Ok(TeamOfUser {
            team: decode(row)?,
            role,
        })
    };
    OF_USER.read(tx, params![user_id], &[], page, decode, |of_user| Cursor {
        at: of_user.team.created_at.0,
        key: of_user.team.id.to_string(),
    })
}

/// Adds a team.
pub(crate) fn insert(tx: &mut dyn Tx, team: &Team) -> Result<(), Fault> {
    let (id, at) = (&team.id, team.created_at);
    tx.must(INSERT, params![id, id.as_str(), &team.name, at])
}
