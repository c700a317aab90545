//! Members of a team and their roles.

use billstack_core::access::Role;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    ROLE = "SELECT role FROM members WHERE team_id = $1 AND user_id = $2";
    GET = "SELECT m.user_id, u.email, u.name, m.role, m.created_at FROM members m \
        JOIN users u ON u.id = m.user_id WHERE m.team_id = $1 AND m.user_id = $2";
    BY_EMAIL = "SELECT m.user_id FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.team_id = $1 AND u.email = $2";
    OTHER_OWNER = "SELECT user_id FROM members \
        WHERE team_id = $1 AND role = 'owner' AND user_id <> $2 LIMIT 1";
    INSERT = "INSERT INTO members (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    SET_ROLE = "UPDATE members SET role = $3 WHERE team_id = $1 AND user_id = $2";
    DELETE = "DELETE FROM members WHERE team_id = $1 AND user_id = $2";
}

/// Every list of members.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "members",
    select: "SELECT m.user_id, u.email, u.name, m.role, m.created_at FROM members m \
        JOIN users u ON u.id = m.user_id WHERE m.team_id = $1",
    scope: 1,
    filters: &[],
    keys: ["m.created_at", "m.user_id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// A user's place in a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// `usr_…`.
    pub user_id: String,
    /// The user's normalised e-mail address.
    pub email: String,
    /// The user's display name.
    pub name: String,
    /// What the user may do in the team.
    pub role: Role,
    /// When the user joined.
    pub created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Member, Fault> {
    Ok(Member {
        user_id: row.string(0)?,
        email: row.string(1)?,
        name: row.string(2)?,
        role: row.read(3, Role::read)?,
        created_at: row.time(4)?,
    })
}

/// What a user may do in a team; `None` when they do not belong to it.
pub fn role_of(tx: &mut dyn Tx, team_id: &TeamId, user_id: &str) -> Result<Option<Role>, Fault> {
    tx.one(ROLE, params![team_id, user_id], |row| {
        row.read(0, Role::read)
    })
}

/// Members of a team, the newest first.
pub fn list(tx: &mut dyn Tx, team_id: &TeamId, page: &Page) -> Result<Part<Member>, Fault> {
    LIST.read(tx, params![team_id], &[], page, decode, |member| Cursor {
        at: member.created_at.0,
        key: member.user_id.clone(),
    })
}

/// Whether a member of the team has this normalised e-mail address.
pub(crate) fn has_email(tx: &mut dyn Tx, team_id: &TeamId, email: &str) -> Result<bool, Fault> {
    tx.exists(BY_EMAIL, params![team_id, email])
}

/// The member of a team with this user id.
pub(crate) fn get(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    user_id: &str,
) -> Result<Option<Member>, Fault> {
    tx.one(GET, params![team_id, user_id], decode)
}

/// Whether the team has another owner than this user.
pub(crate) fn has_other_owner(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    user_id: &str,
) -> Result<bool, Fault> {
    tx.exists(OTHER_OWNER, params![team_id, user_id])
}

/// Adds a member; tells whether the user was none before.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    user_id: &str,
    role: Role,
    at: Micros,
) -> Result<bool, Fault> {
    tx.hit(INSERT, params![team_id, user_id, role.as_str(), at])
}

/// Gives a member another role.
pub(crate) fn set_role(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    user_id: &str,
    role: Role,
) -> Result<(), Fault> {
    tx.must(SET_ROLE, params![team_id, user_id, role.as_str()])
}

/// Removes a member.
pub(crate) fn delete(tx: &mut dyn Tx, team_id: &TeamId, user_id: &str) -> Result<(), Fault> {
    tx.must(DELETE, params![team_id, user_id])
}
