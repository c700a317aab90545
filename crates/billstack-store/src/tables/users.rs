//! People who sign in. Passwords come hashed.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT id, email, name, created_at, single_keys FROM users WHERE id = $1";
    CREDENTIALS = "SELECT id, email, name, created_at, single_keys, password_hash FROM users WHERE email = $1";
    HOLD_PASSWORD = "SELECT id FROM users WHERE id = $1 AND password_hash = $2 /* FOR SHARE */";
    ANY = "SELECT id FROM users LIMIT 1";
    INSERT = "INSERT INTO users (id, email, name, password_hash, created_at, single_keys) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    SET_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1";
    SET_SINGLE_KEYS = "UPDATE users SET single_keys = $2 WHERE id = $1";
    TEAMS = "SELECT t.id FROM members AS m JOIN teams AS t ON t.team_id = m.team_id \
        WHERE m.user_id = $1 ORDER BY t.id";
}

/// A person who can sign in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// `usr_…`.
    pub id: String,
    /// Normalised e-mail address, unique on this server.
    pub email: String,
    /// Display name.
    pub name: String,
    /// When the user signed up.
    pub created_at: Micros,
    /// Whether single keys are shortcuts on pages.
    pub single_keys: bool,
}

pub(crate) fn decode(row: &dyn Row) -> Result<User, Fault> {
    Ok(User {
        id: row.string(0)?,
        email: row.string(1)?,
        name: row.string(2)?,
        created_at: row.time(3)?,
        single_keys: row.flag(4)?,
    })
}

/// The user with this id.
pub fn get(tx: &mut dyn Tx, id: &str) -> Result<Option<User>, Fault> {
    tx.one(GET, params![id], decode)
}

/// The user with this normalised e-mail address, and the hash of their password.
pub fn credentials(tx: &mut dyn Tx, email: &str) -> Result<Option<(User, String)>, Fault> {
    tx.one(CREDENTIALS, params![email], |row| {
        Ok((decode(row)?, row.string(5)?))
    })
}

/// Whether the user still has this password hash; if so, it stays until the transaction ends.
///
/// Verifying a password takes long and happens outside of any transaction. Ask here before acting on it, so
/// that a password changed meanwhile opens no session.
pub fn has_password(tx: &mut dyn Tx, id: &str, password_hash: &str) -> Result<bool, Fault> {
    tx.exists(HOLD_PASSWORD, params![id, password_hash])
}

/// Whether the server has any user.
pub fn any(tx: &mut dyn Tx) -> Result<bool, Fault> {
    tx.exists(ANY, &[])
}

/// Adds a user; tells whether the address was free.
pub(crate) fn insert(tx: &mut dyn Tx, user: &User, password_hash: &str) -> Result<bool, Fault> {
    let row = params![
        &user.id,
        &user.email,
        &user.name,
        password_hash,
        user.created_at,
        user.single_keys
    ];
    tx.hit(INSERT, row)
}

/// Sets a user's password; tells whether there is such a user.
pub(crate) fn set_password(tx: &mut dyn Tx, id: &str, password_hash: &str) -> Result<bool, Fault> {
    tx.hit(SET_PASSWORD, params![id, password_hash])
}

/// Says whether single keys are shortcuts for a user; tells whether there is such a user.
pub(crate) fn set_single_keys(tx: &mut dyn Tx, id: &str, are: bool) -> Result<bool, Fault> {
    tx.hit(SET_SINGLE_KEYS, params![id, are])
}

/// The teams that a user belongs to.
pub(crate) fn teams_of(tx: &mut dyn Tx, id: &str) -> Result<Vec<TeamId>, Fault> {
    tx.all(TEAMS, params![id], |row| row.team_id(0))
}
