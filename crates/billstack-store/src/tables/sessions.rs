//! Sessions of signed-in users. The token itself is never stored, only its hash.

use billstack_core::time::{MINUTE, Micros};

use super::users::{self, User};
use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at) \
        VALUES ($1, $2, $3, $3, $4)";
    FIND = "SELECT u.id, u.email, u.name, u.created_at, u.single_keys, s.created_at, s.seen_at, s.expires_at \
        FROM sessions s JOIN users u ON u.id = s.user_id \
        WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.seen_at >= $3";
    TOUCH = "UPDATE sessions SET seen_at = $2 \
        WHERE token_hash = $1 AND seen_at < $3 AND expires_at > $2";
    END = "DELETE FROM sessions WHERE token_hash = $1";
    END_ALL = "DELETE FROM sessions WHERE user_id = $1";
    END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2";
    DROP_DEAD = "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions \
        WHERE expires_at <= $1 OR seen_at <= $2 LIMIT $3)";
}

/// A session seen less than this long ago is not marked again: that would be a write per request.
pub const TOUCH_AFTER: i64 = 5 * MINUTE;

/// A session that is alive.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Whose it is.
    pub user: User,
    /// When the user signed in.
    pub created_at: Micros,
    /// When it was last used, give or take [`TOUCH_AFTER`].
    pub seen_at: Micros,
    /// When it ends at the latest.
    pub expires_at: Micros,
}

/// The session under this token, unless it has ended or was unused for more than `idle`
/// microseconds.
pub fn find(
    tx: &mut dyn Tx,
    token_hash: &str,
    now: Micros,
    idle: i64,
) -> Result<Option<Session>, Fault> {
    let oldest_use = now.plus(idle.saturating_neg());
    tx.one(FIND, params![token_hash, now, oldest_use], |row| {
        Ok(Session {
            user: users::decode(row)?,
            created_at: row.time(5)?,
            seen_at: row.time(6)?,
            expires_at: row.time(7)?,
        })
    })
}

/// Marks a session as used, when the last mark is older than [`TOUCH_AFTER`]; tells whether it did.
pub fn touch(tx: &mut dyn Tx, token_hash: &str, now: Micros) -> Result<bool, Fault> {
    tx.hit(TOUCH, params![token_hash, now, now.plus(-TOUCH_AFTER)])
}

/// Ends a session; tells whether there was one.
pub fn end(tx: &mut dyn Tx, token_hash: &str) -> Result<bool, Fault> {
    tx.hit(END, params![token_hash])
}

/// Ends every session of a user, but the one under `except` when given; tells how many.
pub fn end_all_of(tx: &mut dyn Tx, user_id: &str, except: Option<&str>) -> Result<u64, Fault> {
    match except {
        Some(token_hash) => tx.execute(END_OTHERS, params![user_id, token_hash]),
        None => tx.execute(END_ALL, params![user_id]),
    }
}

/// Adds a session.
pub(crate) fn insert(tx: &mut dyn Tx, session: &Session, token_hash: &str) -> Result<(), Fault> {
    let Session {
        user,
        created_at,
        expires_at,
        ..
    } = session;
    tx.must(
        INSERT,
        params![token_hash, &user.id, *created_at, *expires_at],
    )
}

/// Removes sessions that have expired, or were not used for `idle` microseconds. Returns how many.
pub(crate) fn drop_dead(tx: &mut dyn Tx, now: Micros, idle: i64, limit: i64) -> Result<u64, Fault> {
    let idle_since = now.plus(idle.saturating_neg());
    tx.execute(DROP_DEAD, params![now, idle_since, limit])
}
