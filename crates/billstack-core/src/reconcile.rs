//! Comparing what we know with what Stripe knows: what may be found, and how a long time is read in parts.

pub mod history;
pub mod lines;
pub mod payments;
pub mod walk;

use crate::time::{DAY, HOUR, Micros, SECOND};

text_enum! {
    /// How far a run has come.
    pub enum RunStatus {
        /// It has not begun: another of the team is under way, or nobody has taken it yet.
        Queued = "queued",
        /// It is under way.
        Running = "running",
        /// It has looked at everything.
        Done = "done",
        /// It could not look at everything.
        Failed = "failed",
    }
}

impl RunStatus {
    /// Whether it has come to its end.
    pub const fn is_over(&self) -> bool {
        matches!(self, RunStatus::Done | RunStatus::Failed)
    }
}

text_enum! {
    /// What a run may do about what it finds.
    pub enum Remedy {
        /// Nothing.
        Tell = "tell",
        /// It takes in what Stripe told and we missed, and moves nothing in Stripe.
        CatchUp = "catch_up",
        /// Everything that can be repaired.
        Repair = "repair",
    }
}

impl Remedy {
    /// Whether events that were missed are taken in.
    pub const fn feeds(&self) -> bool {
        matches!(self, Remedy::CatchUp | Remedy::Repair)
    }

    /// Whether balances and operations are repaired.
    pub fn repairs(&self) -> bool {
        matches!(self, Remedy::Repair)
    }
}

text_enum! {
    /// A way in which our books and Stripe's differ.
    pub enum Drift {
        /// An event of Stripe was never taken in, or nothing told what has happened to a payment.
        EventMissed = "event_missed",
        /// A line that we made is gone from a balance.
        Missing = "missing",
        /// A line is there whose operation we count as not done.
        UndeliveredButPresent = "undelivered_but_present",
        /// One operation has two lines.
        Doubled = "doubled",
        /// A line has another amount or currency than its operation.
        AmountDiffers = "amount_differs",
        /// Somebody changed the words of a line.
        Edited = "edited",
        /// A line says that it is ours, and we do not know it.
        Unknown = "unknown",
        /// A refund or dispute cannot be led back to an invoice.
        Unlinked = "unlinked",
        /// The lines of a balance do not add up to it.
        HistoryUnclear = "history_unclear",
    }
}

/// How long Stripe lists events.
pub const LISTED: i64 = 30 * DAY;

/// How far a look at events goes back behind the one before: what was listed late is seen by the next.
pub const OVERLAP: i64 = HOUR;

/// The shortest part of time: Stripe's times are whole seconds.
const SHORTEST: i64 = SECOND;

/// From when on events are looked for: since they were last looked through, or the team was connected, less an
/// overlap; or since a wish, but never for longer than Stripe lists them.
pub fn since(
    wish: Option<Micros>,
    looked_through: Option<Micros>,
    connected: Micros,
    now: Micros,
) -> Micros {
    let usual = || looked_through.unwrap_or(connected).plus(-OVERLAP);
    let since = wish.unwrap_or_else(usual);
    whole_second(since.clamp(now.plus(-LISTED), now))
}

/// The end of what is looked through: the next whole second after now.
pub fn until(now: Micros) -> Micros {
    whole_second(now).plus(SECOND)
}

fn whole_second(at: Micros) -> Micros {
    Micros(at.0.div_euclid(SECOND) * SECOND)
}

/// A time that is looked through in parts, the earliest first, since Stripe lists the latest first: a part is short
/// enough that its events can be put into order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The beginning of the next part.
    pub at: Micros,
    /// The end of the last.
    pub until: Micros,
    /// How long the next part is, in microseconds.
    pub width: i64,
}

impl Parts {
    /// All of it in one part.
    pub fn of(since: Micros, until: Micros) -> Parts {
        Parts {
            at: since,
            until,
            width: until.since(since).max(SHORTEST),
        }
    }

    /// The end of the next part; `None` when all was looked through.
    pub fn end(&self) -> Option<Micros> {
        (self.at < self.until).then(|| self.at.plus(self.width).min(self.until))
    }

    /// Whether the next part cannot be made shorter.
    pub fn is_shortest(&self) -> bool {
        self.width.min(self.until.since(self.at)) <= SHORTEST
    }

    /// The same with a next part of half the length: too much happened in it.
    #[must_use]
    pub fn shorter(self) -> Parts {
        let width = self.width.min(self.until.since(self.at)) / 2;
        let width = (width / SHORTEST * SHORTEST).max(SHORTEST);
        Parts { width, ..self }
    }

    /// What is left after the next part. The one after it may be longer.
    #[must_use]
    pub fn after(self) -> Parts {
        Parts {
            at: self.end().unwrap_or(self.until),
            width: self.width.saturating_mul(2),
            ..self
        }
    }

    /// How many hours are left, begun ones included.
    pub fn hours_left(&self) -> i64 {
        let left = self.until.since(self.at).max(0);
        left.div_euclid(HOUR) + i64::from(left % HOUR > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Micros = Micros(1_774_872_000_500_000);

    #[test]
    fn a_look_goes_on_where_the_last_one_ended() {
        let ago = |time: i64| whole_second(NOW.plus(-time));
        let connected = NOW.plus(-5 * DAY);
        let looked = Some(NOW.plus(-DAY));
        assert_eq!(since(None, None, connected, NOW), ago(5 * DAY + HOUR));
        assert_eq!(since(None, looked, connected, NOW), ago(DAY + HOUR));
        assert_eq!(
            since(Some(ago(2 * DAY)), looked, connected, NOW),
            ago(2 * DAY)
        );
        assert_eq!(since(Some(Micros(0)), looked, connected, NOW), ago(LISTED));
        assert_eq!(since(None, None, Micros(0), NOW), ago(LISTED));
        assert_eq!(since(Some(NOW.plus(DAY)), None, connected, NOW), ago(0));
        assert!(until(NOW) > NOW);
    }

    #[test]
    fn only_a_look_that_may_feed_feeds() {
        assert!(!Remedy::Tell.feeds() && Remedy::CatchUp.feeds() && Remedy::Repair.feeds());
        let newer = Remedy::read("newer").unwrap();
        assert!(!newer.feeds() && !newer.repairs());
        assert!(Remedy::Repair.repairs() && !Remedy::CatchUp.repairs());
        assert!(!RunStatus::read("newer").unwrap().is_over());
    }

    #[test]
    fn hours_are_counted_up() {
        let parts = |length| Parts::of(Micros(0), Micros(length));
        assert_eq!(parts(0).hours_left(), 0);
        assert_eq!(parts(1).hours_left(), 1);
        assert_eq!(parts(HOUR).hours_left(), 1);
        assert_eq!(parts(HOUR + 1).hours_left(), 2);
    }

    proptest! {
        #[test]
        fn every_second_is_looked_through_once_whatever_is_too_much(
            begin in 0..1_000_i64,
            length in 0..100_000_i64,
            too_much in proptest::collection::vec(any::<bool>(), 0..60),
        ) {
            let (begin, end) = (Micros(begin * SECOND), Micros((begin + length) * SECOND));
            let mut parts = Parts::of(begin, end);
            let (mut looked, mut too_much) = (begin, too_much.into_iter());
            while let Some(end) = parts.end() {
                if too_much.next().unwrap_or(false) && !parts.is_shortest() {
                    parts = parts.shorter();
                    prop_assert!(parts.end().unwrap() < end);
                    continue;
                }
                prop_assert_eq!(parts.at, looked);
                prop_assert!(end > looked && end.0 % SECOND == 0);
                looked = end;
                parts = parts.after();
            }
            prop_assert_eq!(looked, end);
            prop_assert_eq!(parts.hours_left(), 0);
        }
    }
}
