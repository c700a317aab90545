//! API keys of a team. The key itself is never stored, only its hash and how it begins.

use billstack_core::access::Scopes;
use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::time::Micros;

use super::projects::project_of;
use super::teams::team_of;
use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    /// One statement, because each request of a backend waits for it.
    FIND_AT = "SELECT k.id, k.scopes, k.expires_at, k.revoked_at, k.team_id, k.project_id, \
        k.last_used_on, (SELECT p.id FROM projects p WHERE p.team_id = $2 AND p.project_id = $3) \
        FROM api_keys k WHERE k.key_hash = $1";
    /// Finds the key where it is not revoked.
    EXPIRY = "SELECT expires_at FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL";
    GET = concat!("SELECT id, name, prefix, ", project_of!("api_keys"), ", scopes, \
        expires_at, revoked_at, created_at, last_used_on FROM api_keys WHERE team_id = $1 AND id = $2");
    HELD = concat!("SELECT id, name, prefix, ", project_of!("api_keys"), ", scopes, \
        expires_at, revoked_at, created_at, last_used_on, ", team_of!("api_keys"), " FROM api_keys WHERE key_hash = $1");
    INSERT = "INSERT INTO api_keys (key_hash, team_id, id, name, prefix, project_id, scopes, \
        expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    TOUCH = "UPDATE api_keys SET last_used_on = $2 \
        WHERE key_hash = $1 AND (last_used_on IS NULL OR last_used_on < $2)";
    REVOKE = "UPDATE api_keys SET revoked_at = $3 \
        WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL";
}

/// Every list of keys.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "api keys",
    select: concat!(
        "SELECT id, name, prefix, ",
        project_of!("api_keys"),
        ", scopes, expires_at, revoked_at, created_at, last_used_on FROM api_keys WHERE team_id = $1"
    ),
    scope: 1,
    filters: &[],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// An API key, but for the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// `key_…`.
    pub id: String,
    /// Display name.
    pub name: String,
    /// How the key begins, to recognise it by.
    pub prefix: String,
    /// The one project it is good for; `None` means every project of the team.
    pub project_id: Option<ProjectId>,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is refused.
    pub expires_at: Option<Micros>,
    /// When it was revoked.
    pub revoked_at: Option<Micros>,
    /// When it was made.
    pub created_at: Micros,
    /// The first moment of the day of UTC on which it was last used.
    pub last_used_on: Option<Micros>,
}

/// What decides about a key at a place. Teams and projects are compared by their numbers.
pub(crate) struct KeyAt {
    pub(crate) id: String,
    pub(crate) scopes: Scopes,
    pub(crate) expires_at: Option<Micros>,
    pub(crate) revoked_at: Option<Micros>,
    pub(crate) team: i64,
    /// The one project it is good for.
    pub(crate) project: Option<i64>,
    /// The day on which it was last used.
    pub(crate) last_used_on: Option<Micros>,
    /// Whether the project of the place exists.
    pub(crate) is_project_there: bool,
}

fn decode(row: &dyn Row) -> Result<ApiKey, Fault> {
    Ok(ApiKey {
        id: row.string(0)?,
        name: row.string(1)?,
        prefix: row.string(2)?,
        project_id: row.opt_project_id(3)?,
        scopes: row.read(4, Scopes::from_text)?,
        expires_at: row.opt_time(5)?,
        revoked_at: row.opt_time(6)?,
        created_at: row.time(7)?,
        last_used_on: row.opt_time(8)?,
    })
}

/// The key with this hash, even one that is revoked or expired, for a request at a place.
pub(crate) fn find_at(
    tx: &mut dyn Tx,
    key_hash: &str,
    place: &Place,
) -> Result<Option<KeyAt>, Fault> {
    let scope = params![key_hash, &place.team_id, &place.project_id];
    tx.one(FIND_AT, scope, |row| {
        Ok(KeyAt {
            id: row.string(0)?,
            scopes: row.read(1, Scopes::from_text)?,
            expires_at: row.opt_time(2)?,
            revoked_at: row.opt_time(3)?,
            team: row.int(4)?,
            project: row.opt_int(5)?,
            last_used_on: row.opt_time(6)?,
            is_project_there: row.opt_text(7)?.is_some(),
        })
    })
}

/// Asks ahead for what [`find_at`] finds; see [`Tx::ask_ahead`].
pub(crate) fn find_at_ahead(tx: &mut dyn Tx, key_hash: &str, place: &Place) -> Result<bool, Fault> {
    let scope = params![key_hash, &place.team_id, &place.project_id];
    tx.ask_ahead(FIND_AT, scope)
}

/// Keys of a team, the newest first, those that are revoked among them.
pub fn list(tx: &mut dyn Tx, team_id: &TeamId, page: &Page) -> Result<Part<ApiKey>, Fault> {
    LIST.read(tx, params![team_id], &[], page, decode, |key| Cursor {
        at: key.created_at.0,
        key: key.id.clone(),
    })
}

/// The key of a team with this id.
pub(crate) fn get(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<ApiKey>, Fault> {
    tx.one(GET, params![team_id, id], decode)
}

/// The key with this hash, and the team that it is of.
pub fn held(tx: &mut dyn Tx, key_hash: &str) -> Result<Option<(TeamId, ApiKey)>, Fault> {
    tx.one(HELD, params![key_hash], |row| {
        Ok((row.team_id(9)?, decode(row)?))
    })
}

/// What a new key is made of.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The hash of the key.
    pub key_hash: String,
    /// Display name.
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    /// The one project it is good for.
    pub project_id: Option<ProjectId>,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is refused.
    pub expires_at: Option<Micros>,
}

/// Adds a key.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    new: &NewApiKey,
    at: Micros,
) -> Result<(), Fault> {
    let scopes = new.scopes.to_text();
    let row = params![
        &new.key_hash,
        team_id,
        id,
        &new.name,
        &new.prefix,
        new.project_id.as_ref(),
        &scopes,
        new.expires_at,
        at,
    ];
    tx.must(INSERT, row)
}

/// Marks the day on which a key was used; tells whether it was not marked before.
pub(crate) fn touch(tx: &mut dyn Tx, key_hash: &str, day: Micros) -> Result<bool, Fault> {
    tx.hit(TOUCH, params![key_hash, day])
}

/// Revokes a key; tells whether it was not revoked before.
pub(crate) fn revoke(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    at: Micros,
) -> Result<bool, Fault> {
    tx.hit(REVOKE, params![team_id, id, at])
}
