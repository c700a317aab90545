//! Sessions of signed-in users. The token itself is never stored, only its hash.

use billstack_core::time::{DAY, HOUR, MINUTE, Micros};

use crate::act::Act;
use crate::tx::{Abort, Fault, Tx};
use crate::users::{self, User};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at) \
        VALUES ($1, $2, $3, $3, $4)";
    FIND = "SELECT u.id, u.email, u.name, u.created_at, s.created_at, s.seen_at, s.expires_at \
        FROM sessions s JOIN users u ON u.id = s.user_id \
        WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.seen_at >= $3";
    TOUCH = "UPDATE sessions SET seen_at = $2 \
        WHERE token_hash = $1 AND seen_at < $3 AND expires_at > $2";
    END = "DELETE FROM sessions WHERE token_hash = $1";
    END_ALL = "DELETE FROM sessions WHERE user_id = $1";
    END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2";
}

/// How long a session may go unused.
pub const IDLE: i64 = 12 * HOUR;

/// How long a session lasts at most, however much it is used.
pub const LIFETIME: i64 = 14 * DAY;

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

/// Opens a session for a user, `lifetime` microseconds long at most.
///
/// Whoever verified a password before asks [`users::has_password`] in the same transaction.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    user_id: &str,
    token_hash: &str,
    lifetime: i64,
) -> Result<Session, Abort> {
    let user = users::require(tx, user_id)?;
    let expires_at = act.at.plus(lifetime);
    tx.must(INSERT, params![token_hash, user_id, act.at, expires_at])?;
    Ok(Session {
        user,
        created_at: act.at,
        seen_at: act.at,
        expires_at,
    })
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
            created_at: row.time(4)?,
            seen_at: row.time(5)?,
            expires_at: row.time(6)?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn a_session_dies_of_age_and_of_idleness() {
        let bench = Bench::new();
        let user = bench.user("a@example.com");
        let open = |tx: &mut dyn Tx, act: &mut Act| create(tx, act, &user.id, "one", LIFETIME);
        let session = bench.run(open).unwrap();
        let at = session.seen_at;
        let alive = |now: Micros| bench.read(|tx| find(tx, "one", now, IDLE)).is_some();
        assert_eq!(bench.read(|tx| find(tx, "one", at, IDLE)), Some(session));
        assert!(alive(at.plus(IDLE)));
        assert!(!alive(at.plus(IDLE + 1)));

        let touched = |now: Micros| bench.run(|tx, _| Ok(touch(tx, "one", now)?)).unwrap();
        assert!(!touched(at.plus(TOUCH_AFTER)));
        assert!(touched(at.plus(TOUCH_AFTER + 1)));
        assert!(alive(at.plus(IDLE + TOUCH_AFTER + 1)));

        assert!(touched(at.plus(LIFETIME - 1)));
        assert!(alive(at.plus(LIFETIME - 1)));
        assert!(!alive(at.plus(LIFETIME)));
        assert!(!touched(at.plus(LIFETIME + TOUCH_AFTER)));
    }

    #[test]
    fn every_session_but_one_can_be_ended() {
        let bench = Bench::new();
        let user = bench.user("a@example.com");
        for token in ["one", "two", "three"] {
            let open = |tx: &mut dyn Tx, act: &mut Act| create(tx, act, &user.id, token, LIFETIME);
            bench.run(open).unwrap();
        }
        let ended = bench.run(|tx, _| Ok(end_all_of(tx, &user.id, Some("two"))?));
        assert_eq!(ended, Ok(2));
        assert_eq!(bench.run(|tx, _| Ok(end(tx, "two")?)), Ok(true));
        assert_eq!(bench.run(|tx, _| Ok(end(tx, "two")?)), Ok(false));
    }
}
