//! Teams: the tenants. Everything else belongs to one.

use billstack_core::access::Role;
use billstack_core::ids::{IdKind, TeamId};
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::Act;
use crate::list::{Cursor, List, Order, Page, Part, Texts};
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{members, users};
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

/// What names are taken of that belong to no team, such as the turn of a job: see [`Tx::lock`].
pub fn none() -> TeamId {
    TeamId::from("")
}

statements! {
    GET = "SELECT id, name, created_at FROM teams WHERE team_id = $1";
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

/// The team with this id, or the refusal that there is none.
pub(crate) fn require(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Team, Abort> {
    Ok(get(tx, team_id)?.ok_or(Refusal::NotFound("team"))?)
}

/// Teams a user belongs to, the newest first.
pub fn list_of_user(
    tx: &mut dyn Tx,
    user_id: &str,
    page: &Page,
) -> Result<Part<TeamOfUser>, Fault> {
    let decode = |row: &dyn Row| {
        let role = row.parsed(3, Role::parse)?;
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

/// Creates a team with its first owner.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    name: &str,
    owner_user_id: &str,
) -> Result<Team, Abort> {
    let owner = users::require(tx, owner_user_id)?;
    let id = TeamId::from(act.id(IdKind::Team));
    tx.must(INSERT, params![&id, id.as_str(), name, act.at])?;
    let facts = json!({"name": name});
    act.record_team(tx, &id, "team.created", id.as_str(), facts)?;
    members::add(tx, act, &id, &owner.id, Role::Owner)?;
    Ok(Team {
        id,
        name: name.to_owned(),
        created_at: act.at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, page};

    #[test]
    fn a_user_sees_their_own_teams_page_by_page() {
        let bench = Bench::new();
        let (ann, bob) = (bench.user("a@example.com"), bench.user("b@example.com"));
        let one = bench.team(&ann);
        let two = bench.team(&ann);
        bench.team(&bob);

        let first = bench.read(|tx| list_of_user(tx, &ann.id, &page(1, None)));
        let role = Role::Owner;
        assert_eq!(first.rows, [TeamOfUser { team: two, role }]);
        let second = bench.read(|tx| list_of_user(tx, &ann.id, &page(1, first.next.clone())));
        assert_eq!(second.rows, [TeamOfUser { team: one, role }]);
        assert_eq!(second.next, None);
    }
}
