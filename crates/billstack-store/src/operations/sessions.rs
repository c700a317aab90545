//! Sessions of signed-in users: opened, kept alive, ended.

use billstack_core::time::{DAY, HOUR};

use super::refusal::Abort;
use super::users;
use crate::seam::{Act, Tx};
use crate::tables::sessions;

pub use crate::tables::sessions::{Session, TOUCH_AFTER, end, end_all_of, find, touch};

/// How long a session may go unused.
pub const IDLE: i64 = 12 * HOUR;

/// How long a session lasts at most, however much it is used.
pub const LIFETIME: i64 = 14 * DAY;

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
    let session = Session {
        user,
        created_at: act.at,
        seen_at: act.at,
        expires_at: act.at.plus(lifetime),
    };
    sessions::insert(tx, &session, token_hash)?;
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;
    use billstack_core::time::Micros;

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
