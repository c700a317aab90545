//! Stretches of whole days of UTC, as figures are told by them. A day is its number, counted from 1970-01-01.

use crate::time::{DAY, Micros};

text_enum! {
    /// By what a series of figures goes.
    pub enum Step {
        /// A day.
        Day = "day",
        /// A week, which begins on a Monday.
        Week = "week",
        /// A month of the calendar.
        Month = "month",
    }
}

/// Days from one to another, both included.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

impl Days {
    /// The days that hold the times from one to just before another; at least one day.
    pub fn holding(from: Micros, to: Micros) -> Days {
        let first = from.0.div_euclid(DAY);
        let last = to.plus(-1).0.div_euclid(DAY);
        Days {
            first,
            last: last.max(first),
        }
    }

    /// How many they are.
    pub const fn count(self) -> i64 {
        self.last - self.first + 1
    }

    /// As many days before.
    #[must_use]
    pub const fn before(self) -> Days {
        Days {
            first: self.first - self.count(),
            last: self.first - 1,
        }
    }

    /// Whether a day is one of them.
    pub const fn hold(self, day: i64) -> bool {
        self.first <= day && day <= self.last
    }

    /// When they begin, and when they are over.
    pub fn times(self) -> (Micros, Micros) {
        let start = |day: i64| Micros(day.saturating_mul(DAY));
        (start(self.first), start(self.last + 1))
    }

    /// The first day of each step that they reach into, in order; the first one may begin before.
    pub fn steps(self, step: Step) -> Vec<i64> {
        let mut starts = Vec::new();
        let mut day = self.first;
        while day <= self.last {
            starts.push(step.start(day));
            day = step.next(day);
        }
        starts
    }
}

impl Step {
    /// The first day of the step that holds a day.
    pub fn start(self, day: i64) -> i64 {
        match self {
            // The first of January 1970 was a Thursday.
            Step::Week => day - (day + 3).rem_euclid(7),
            Step::Month => month_of(day).0,
            Step::Day | Step::Other(_) => day,
        }
    }

    /// The first day of the step after the one that holds a day.
    fn next(self, day: i64) -> i64 {
        match self {
            Step::Week => self.start(day) + 7,
            Step::Month => month_of(day).1,
            Step::Day | Step::Other(_) => day + 1,
        }
    }
}

fn month_of(day: i64) -> (i64, i64) {
    let (first, next) = Micros(day.saturating_mul(DAY)).month();
    (first.0.div_euclid(DAY), next.0.div_euclid(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> i64 {
        let at = Micros::from_rfc3339(&format!("{text}T00:00:00Z")).unwrap();
        at.0 / DAY
    }

    #[test]
    fn a_range_of_times_is_whole_days() {
        let at = |text: &str| Micros::from_rfc3339(text).unwrap();
        let november = Days::holding(at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
        assert_eq!(
            (november.first, november.last),
            (day("2026-11-01"), day("2026-11-30"))
        );
        let before = november.before();
        assert_eq!(
            (before.first, before.last),
            (day("2026-10-02"), day("2026-10-31"))
        );
        let noon = Days::holding(at("2026-11-03T12:00:00Z"), at("2026-11-04T12:00:00Z"));
        assert_eq!(noon.count(), 2);
        let moment = at("2026-11-03T12:00:00Z");
        assert_eq!(Days::holding(moment, moment).count(), 1);
        assert_eq!(
            noon.times(),
            (at("2026-11-03T00:00:00Z"), at("2026-11-05T00:00:00Z"))
        );
    }

    #[test]
    fn steps_begin_where_the_calendar_says() {
        let days = Days {
            first: day("2026-10-31"),
            last: day("2026-11-09"),
        };
        assert_eq!(days.steps(Step::Day).len(), 10);
        // 2026-10-26 was a Monday.
        let weeks = ["2026-10-26", "2026-11-02", "2026-11-09"].map(day);
        assert_eq!(days.steps(Step::Week), weeks);
        assert_eq!(
            days.steps(Step::Month),
            ["2026-10-01", "2026-11-01"].map(day)
        );
    }

    proptest! {
        #[test]
        fn every_day_is_in_one_step(
            first in 0_i64..100_000,
            count in 1_i64..400,
            step in proptest::sample::select(Step::ALL),
        ) {
            let days = Days { first, last: first + count - 1 };
            prop_assert_eq!(days.count(), count);
            let steps = days.steps(step);
            prop_assert!(steps.is_sorted_by(|one, other| one < other));
            for day in first..first + count {
                let start = step.start(day);
                prop_assert!(start <= day && steps.contains(&start));
                prop_assert_eq!(step.start(start), start);
                prop_assert!(days.hold(day) && !days.before().hold(day));
            }
            prop_assert!(!days.hold(first + count));
            prop_assert_eq!(days.before().last, first - 1);
        }
    }
}
