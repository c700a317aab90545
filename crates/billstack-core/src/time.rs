//! Points in time, as one 64-bit number.
//!
//! Both databases hold the same integer, so no time zone, precision or rounding rule of an engine
//! can make two nodes disagree. Arithmetic saturates: a nonsensical time from outside must lead to
//! a refusal somewhere, never to a panic or a wrap-around into the past.

mod rfc3339;

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00 UTC, leap seconds not counted.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

/// One second, in microseconds.
pub const SECOND: i64 = 1_000_000;
/// One minute, in microseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour, in microseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day of 24 hours, in microseconds.
pub const DAY: i64 = 24 * HOUR;

/// A length of time as a person reads it.
pub fn span(micros: i64) -> String {
    let (number, unit) = match micros.max(0) {
        days if days >= 2 * DAY => (days / DAY, "days"),
        hours if hours >= 2 * HOUR => (hours / HOUR, "hours"),
        minutes if minutes >= 2 * MINUTE => (minutes / MINUTE, "minutes"),
        seconds => (seconds / SECOND, "seconds"),
    };
    format!("{number} {unit}")
}

impl Micros {
    /// The time so many whole seconds after the epoch, as Stripe writes times; saturates.
    pub const fn from_secs(seconds: i64) -> Micros {
        Micros(seconds.saturating_mul(SECOND))
    }

    /// Reads an RFC 3339 time with any offset; digits beyond microseconds are dropped.
    pub fn from_rfc3339(text: &str) -> Option<Micros> {
        rfc3339::parse(text)
    }

    /// Whole seconds since the epoch, rounded down (also before 1970).
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Whole milliseconds since the epoch, rounded down (also before 1970).
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The first moment of the month of UTC that holds this time, and that of the next month.
    pub fn month(self) -> (Micros, Micros) {
        let (first, next) = rfc3339::month_of(self.0.div_euclid(DAY));
        let start = |day: i64| Micros(day.saturating_mul(DAY));
        (start(first), start(next))
    }

    /// The first moment of the day of UTC that holds this time.
    pub const fn day(self) -> Micros {
        Micros(self.0 - self.0.rem_euclid(DAY))
    }

    /// The day of UTC that holds this time, as `2026-11-03`.
    pub fn day_text(self) -> String {
        let (year, month, day) = rfc3339::date(self.0.div_euclid(DAY));
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The minute of UTC that holds this time, as `2026-11-03 10:12 UTC`.
    pub fn minute_text(self) -> String {
        let minute = self.0.rem_euclid(DAY) / MINUTE;
        format!(
            "{} {:02}:{:02} UTC",
            self.day_text(),
            minute / 60,
            minute % 60
        )
    }

    /// The time `micros` microseconds later (earlier when negative); saturates.
    #[must_use]
    pub const fn plus(self, micros: i64) -> Micros {
        Micros(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this time, negative when `earlier` is later; saturates.
    pub const fn since(self, earlier: Micros) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_down_on_both_sides_of_the_epoch() {
        assert_eq!(Micros(1_999_999).as_secs(), 1);
        assert_eq!(Micros(-1).as_secs(), -1);
        assert_eq!(Micros(-1).as_millis(), -1);
        assert_eq!(Micros(1_999).as_millis(), 1);
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let at = |text: &str| Micros::from_rfc3339(text).unwrap();
        for (time, first, next) in [
            (
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:00:00Z",
                "2026-02-01T00:00:00Z",
            ),
            (
                "2024-02-29T23:59:59.999999Z",
                "2024-02-01T00:00:00Z",
                "2024-03-01T00:00:00Z",
            ),
            (
                "2026-12-31T23:59:59Z",
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                "1969-12-31T23:59:59Z",
                "1969-12-01T00:00:00Z",
                "1970-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(at(time).month(), (at(first), at(next)), "{time}");
        }
    }

    #[test]
    fn a_time_has_a_text() {
        for (time, minute) in [
            ("2026-11-03T10:12:59.999999Z", "2026-11-03 10:12 UTC"),
            ("2024-02-29T00:00:00Z", "2024-02-29 00:00 UTC"),
            ("2026-12-31T23:59:59Z", "2026-12-31 23:59 UTC"),
            ("1969-12-31T23:59:59Z", "1969-12-31 23:59 UTC"),
        ] {
            let at = Micros::from_rfc3339(time).unwrap();
            assert_eq!(at.minute_text(), minute);
            assert_eq!(at.day_text(), minute[..10]);
        }
        assert!(!Micros(i64::MAX).minute_text().is_empty());
        assert!(!Micros(i64::MIN).minute_text().is_empty());
    }

    #[test]
    fn saturates_at_the_ends() {
        assert_eq!(Micros::from_secs(i64::MAX), Micros(i64::MAX));
        assert_eq!(Micros::from_secs(i64::MIN), Micros(i64::MIN));
        assert_eq!(Micros(i64::MAX).plus(1), Micros(i64::MAX));
        assert_eq!(Micros(i64::MAX).since(Micros(-1)), i64::MAX);
        assert_eq!(Micros(i64::MIN).since(Micros(1)), i64::MIN);
    }

    #[test]
    fn is_a_bare_number_in_json() {
        assert_eq!(serde_json::to_string(&Micros(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<Micros>("7").unwrap(), Micros(7));
    }

    proptest! {
        #[test]
        fn every_time_is_in_its_month(seconds in -60_000_000_000_i64..250_000_000_000) {
            let at = Micros::from_secs(seconds);
            let (first, next) = at.month();
            prop_assert!(first <= at && at < next);
            prop_assert_eq!(first.month(), (first, next));
            prop_assert_eq!(next.month().0, next);
            prop_assert!((28 * DAY..=31 * DAY).contains(&next.since(first)));
        }

        #[test]
        fn the_text_of_a_day_reads_back(seconds in 0_i64..250_000_000_000) {
            let day = Micros::from_secs(seconds).0.div_euclid(DAY) * DAY;
            let text = format!("{}T00:00:00Z", Micros::from_secs(seconds).day_text());
            prop_assert_eq!(Micros::from_rfc3339(&text), Some(Micros(day)));
        }

        #[test]
        fn plus_undoes_since(a in -1_i64 << 61..1_i64 << 61, b in -1_i64 << 61..1_i64 << 61) {
            prop_assert_eq!(Micros(a).plus(Micros(b).since(Micros(a))), Micros(b));
        }

        #[test]
        fn seconds_survive(seconds in -9_000_000_000_000_i64..9_000_000_000_000) {
            prop_assert_eq!(Micros::from_secs(seconds).as_secs(), seconds);
        }
    }
}
