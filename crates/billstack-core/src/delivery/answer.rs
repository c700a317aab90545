//! What Stripe's answer to a call means for an operation.

use super::{Pause, Reason};
use crate::time::{Micros, SECOND};

/// The longest wait that Stripe may ask for, in seconds.
const LONGEST_WAIT: u64 = 3_600;

/// What an answer means.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The line was written, as it was asked for.
    Written,
    /// A line was written, with another amount or currency.
    Differs,
    /// There was no answer, or none that could be read: it may have been done.
    Nothing,
    /// Stripe failed; it may have been done. A replayed failure is all that this key will ever answer.
    Failed {
        /// Whether the key answers nothing else any more.
        is_final: bool,
    },
    /// An earlier call under this key is still under way.
    UnderWay,
    /// Too many calls.
    TooMany {
        /// Whether it is the whole team, rather than this customer alone.
        is_team: bool,
        /// How long Stripe asks to wait, in microseconds.
        at_least: i64,
    },
    /// The key was used with another body.
    KeyConflict,
    /// It was not accepted.
    Refused {
        /// What it is told as.
        reason: Reason,
        /// Whether it was refused before, under this key.
        is_replayed: bool,
    },
    /// The team's secret key does not do.
    Paused(Pause),
    /// There is no such customer.
    NoCustomer,
}

impl Answer {
    /// An error of Stripe's own.
    pub fn failed(is_replayed: bool, should_retry: Option<bool>) -> Answer {
        Answer::Failed {
            is_final: is_replayed || should_retry == Some(false),
        }
    }

    /// An answer that says what was too much, after how many seconds to come back, and whether to.
    ///
    /// A limit of the account or of an endpoint is the team's; a lock is this customer's, and so is a limit that is
    /// not named. Where the same call must not be repeated, only a look can tell.
    pub fn too_many(
        limit: Option<&str>,
        retry_after: Option<u64>,
        should_retry: Option<bool>,
    ) -> Answer {
        if should_retry == Some(false) {
            return Answer::Failed { is_final: true };
        }
        let whole = |limit: &str| limit.starts_with("global-") || limit.starts_with("endpoint-");
        let seconds = retry_after.unwrap_or_default().min(LONGEST_WAIT);
        Answer::TooMany {
            is_team: limit.is_some_and(whole),
            at_least: i64::try_from(seconds).unwrap_or_default() * SECOND,
        }
    }

    /// A refusal with the code and the sentence that explain it.
    pub fn refused(code: Option<&str>, message: &str, is_replayed: bool) -> Answer {
        let is_about_currency = |text: &str| text.to_ascii_lowercase().contains("currenc");
        let told = code.into_iter().chain([message]);
        let reason = match told.into_iter().any(is_about_currency) {
            true => Reason::CurrencyMismatch,
            false => Reason::StripeRefused,
        };
        Answer::Refused {
            reason,
            is_replayed,
        }
    }
}

/// How long to wait before the try of this number, counted from 0: twice as long each time, and up to a quarter
/// longer by chance, so that many who failed together do not come back together.
pub fn pause(tries: i64, first: i64, most: i64, chance: u64) -> i64 {
    let doublings = u32::try_from(tries.clamp(0, 30)).unwrap_or_default();
    let pause = first.saturating_mul(1 << doublings).min(most);
    let quarter = u64::try_from(pause / 4).unwrap_or_default();
    let jitter = chance.checked_rem(quarter.saturating_add(1));
    pause.saturating_add(
        jitter
            .and_then(|jitter| i64::try_from(jitter).ok())
            .unwrap_or_default(),
    )
}

/// When to come back after so long, and not before Stripe asks for.
pub(super) fn later(now: Micros, pause: i64, at_least: i64) -> Micros {
    now.plus(pause.max(at_least))
}
