//! Invitations to a team: for one address, one role, one use.

use billstack_core::access::Role;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    FIND = "SELECT id, email, role, created_at, expires_at FROM invitations \
        WHERE team_id = $1 AND token_hash = $2 AND expires_at > $3";
    PUT = "INSERT INTO invitations (team_id, id, email, role, token_hash, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (team_id, email) DO UPDATE SET id = excluded.id, role = excluded.role, \
        token_hash = excluded.token_hash, created_at = excluded.created_at, \
        expires_at = excluded.expires_at";
    DROP_EXPIRED = "DELETE FROM invitations WHERE (team_id, id) IN (\
        SELECT team_id, id FROM invitations WHERE expires_at < $1 LIMIT $2)";
    DELETE = "DELETE FROM invitations WHERE team_id = $1 AND id = $2";
}

/// Every list of invitations.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "invitations",
    select: "SELECT id, email, role, created_at, expires_at FROM invitations WHERE team_id = $1",
    scope: 1,
    filters: &[],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// An invitation nobody has accepted yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// `inv_…`.
    pub id: String,
    /// The normalised e-mail address it is for.
    pub email: String,
    /// The role it gives.
    pub role: Role,
    /// When it was made.
    pub created_at: Micros,
    /// From when on it cannot be accepted any more.
    pub expires_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Invitation, Fault> {
    Ok(Invitation {
        id: row.string(0)?,
        email: row.string(1)?,
        role: row.read(2, Role::read)?,
        created_at: row.time(3)?,
        expires_at: row.time(4)?,
    })
}

/// The invitation under this token, unless it has expired.
pub fn find(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    token_hash: &str,
    now: Micros,
) -> Result<Option<Invitation>, Fault> {
    tx.one(FIND, params![team_id, token_hash, now], decode)
}

/// Invitations of a team, the newest first, those that have expired among them.
pub fn list(tx: &mut dyn Tx, team_id: &TeamId, page: &Page) -> Result<Part<Invitation>, Fault> {
    LIST.read(tx, params![team_id], &[], page, decode, |invitation| {
        Cursor {
            at: invitation.created_at.0,
            key: invitation.id.clone(),
        }
    })
}

/// Keeps an invitation in place of any earlier one of its address.
pub(crate) fn put(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    new: &Invitation,
    token_hash: &str,
) -> Result<(), Fault> {
    let row = params![
        team_id,
        &new.id,
        &new.email,
        new.role.as_str(),
        token_hash,
        new.created_at,
        new.expires_at,
    ];
    tx.must(PUT, row)
}

/// Removes an invitation; tells whether there was one. Whoever removes it to accept it is the one who
/// accepted.
pub(crate) fn delete(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<bool, Fault> {
    tx.hit(DELETE, params![team_id, id])
}

/// Removes invitations that expired before a time. Returns how many.
pub(crate) fn drop_expired(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(DROP_EXPIRED, params![before, limit])
}
