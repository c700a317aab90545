//! Projects: live ones, and those in which an integration is tried out by a clock of their own.

use crate::time::{DAY, Micros};

text_enum! {
    /// What a project is for; it never changes.
    pub enum ProjectMode {
        /// Real customers and real money.
        Live = "live",
        /// Trying out: its clock can be moved forward.
        Test = "test",
    }
}

/// How far a clock may be moved at once: ten years, so that no mistyped year puts it where nothing can follow.
pub const LONGEST_ADVANCE: i64 = 3_653 * DAY;

/// Why a clock is not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdvanced {
    /// That time is over.
    Backward,
    /// It is more than [`LONGEST_ADVANCE`] ahead.
    TooFar,
}

/// By how much a clock that shows `now` is moved to show `to`.
pub fn advance(now: Micros, to: Micros) -> Result<i64, NotAdvanced> {
    match to.since(now) {
        by if by < 0 => Err(NotAdvanced::Backward),
        by if by > LONGEST_ADVANCE => Err(NotAdvanced::TooFar),
        by => Ok(by),
    }
}

/// What the clock of a project that is ahead of the time shows when something happens elsewhere, such as in Stripe.
///
/// A test clock of Stripe may itself be ahead: nothing has happened later than the project's `now`, unless Stripe
/// says so.
pub fn by_clock(happened: Micros, now: Micros, ahead: i64) -> Micros {
    happened.plus(ahead).min(now.max(happened))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros::from_secs(1_700_000_000);

    #[test]
    fn a_clock_goes_forward_only_and_not_for_ever() {
        assert_eq!(advance(NOW, NOW), Ok(0));
        assert_eq!(advance(NOW, NOW.plus(5)), Ok(5));
        assert_eq!(advance(NOW, NOW.plus(-1)), Err(NotAdvanced::Backward));
        let last = NOW.plus(LONGEST_ADVANCE);
        assert_eq!(advance(NOW, last), Ok(LONGEST_ADVANCE));
        assert_eq!(advance(NOW, last.plus(1)), Err(NotAdvanced::TooFar));
    }

    #[test]
    fn what_happens_elsewhere_is_put_where_the_clock_was() {
        let (ahead, real) = (30 * DAY, NOW.plus(-30 * DAY));
        let just_before = real.plus(-7);
        assert_eq!(by_clock(just_before, NOW, ahead), NOW.plus(-7));
        // By a test clock of Stripe that was moved together with ours, and by one that is far ahead.
        assert_eq!(by_clock(NOW.plus(-7), NOW, ahead), NOW);
        assert_eq!(by_clock(NOW.plus(7), NOW, ahead), NOW.plus(7));
    }

    #[test]
    fn a_clock_that_is_not_ahead_changes_nothing() {
        for happened in [NOW.plus(-9), NOW, NOW.plus(9)] {
            assert_eq!(by_clock(happened, NOW, 0), happened);
        }
    }
}
