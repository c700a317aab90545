//! The time of day: the only place that reads it, and how it is written down.
//!
//! Everything else is handed the time as microseconds since 1970 in UTC, so a test can set it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use billstack_core::time::Micros;
use bstr::ByteSlice;
use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// Where the time of day comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that a test sets, in microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `micros` until it is set; clones share its hands.
    pub fn manual(micros: i64) -> Clock {
        Clock::Manual(Arc::new(AtomicI64::new(micros)))
    }

    /// Microseconds since 1970 in UTC.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    pub fn now_micros(&self) -> i64 {
        match self {
            Clock::System => Timestamp::now().as_microsecond(),
            Clock::Manual(micros) => micros.load(Ordering::SeqCst),
        }
    }
}

/// The first instant of the year 1, the earliest that RFC 3339 can write in UTC with a year of its
/// own era.
const EARLIEST: i64 = -62_135_596_800_000_000;

/// The last whole second that jiff knows, in the last days of 9999.
const LATEST: i64 = 253_402_207_200_000_000;

/// A time as RFC 3339 in UTC, cut to milliseconds: `2026-03-30T12:00:00.000Z`.
///
/// The width never varies, so the texts sort like the times. Times outside the years that have
/// four digits come out as the nearest that has.
pub fn rfc3339(micros: i64) -> String {
    text_of(&write_rfc3339(micros)).to_owned()
}

/// A time in a JSON answer, as [`rfc3339`] writes it.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub Micros);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text_of(&write_rfc3339(self.0.0)))
    }
}

fn text_of(time: &[u8; 24]) -> &str {
    time.to_str().expect("it consists of digits and marks")
}

fn write_rfc3339(micros: i64) -> [u8; 24] {
    let micros = micros.clamp(EARLIEST, LATEST);
    let time = Timestamp::from_microsecond(micros.div_euclid(1_000) * 1_000)
        .expect("the number was clamped to what a timestamp can hold");
    let time = Offset::UTC.to_datetime(time);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    // Every answer holds many of these; jiff's own way through `fmt` takes five times as long.
    for (place, number) in [
        (0, time.year() / 100),
        (2, time.year() % 100),
        (5, time.month().into()),
        (8, time.day().into()),
        (11, time.hour().into()),
        (14, time.minute().into()),
        (17, time.second().into()),
        // Three digits, by two that overlap.
        (20, time.millisecond() / 10),
        (21, time.millisecond() % 100),
    ] {
        text[place..place + 2].copy_from_slice(&digits(number));
    }
    text
}

/// The two digits of a number from 0 to 99.
fn digits(number: i16) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

/// Reads an RFC 3339 time with any offset as microseconds since 1970; finer digits are cut off.
///
/// None for anything else, also for the wider forms of ISO 8601. The last day of 9999, by which people mean
/// "never", is read as the latest time there is.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    if !has_rfc3339_form(text) {
        return None;
    }
    let micros = match text.parse::<Timestamp>() {
        Ok(time) => time.as_microsecond(),
        Err(_) if is_a_last_day(text) => LATEST,
        Err(_) => return None,
    };
    (micros >= EARLIEST).then_some(micros)
}

/// Whether a text is a time of the two days at the end of 9999, of which jiff knows a part.
fn is_a_last_day(text: &str) -> bool {
    let local = text
        .get(..19)
        .and_then(|text| text.parse::<DateTime>().ok());
    local.is_some_and(|time| time >= date(9999, 12, 30).at(0, 0, 0, 0))
}

/// Jiff reads more than RFC 3339 allows (compact dates, offsets without a colon, zone names); a
/// caller that got away with one of those here would be refused by every other client of the API.
fn has_rfc3339_form(text: &str) -> bool {
    let is_pattern = |part: &[u8], pattern: &[u8]| {
        part.len() == pattern.len()
            && part.iter().zip(pattern).all(|(byte, want)| match want {
                b'0' => byte.is_ascii_digit(),
                _ => byte.eq_ignore_ascii_case(want),
            })
    };
    let Some((date_time, rest)) = text.as_bytes().split_at_checked(19) else {
        return false;
    };
    let offset = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => {
            let digits = fraction
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            &fraction[digits..]
        }
    };
    // Jiff would take offsets of more than a day.
    let at_most = |place: Range<usize>, most: &[u8]| {
        let digits = offset.get(place);
        digits.is_none_or(|digits| digits <= most)
    };
    let is_in_day = at_most(1..3, b"23") && at_most(4..6, b"59");
    is_pattern(date_time, b"0000-00-00T00:00:00")
        && is_in_day
        && [b"Z".as_slice(), b"+00:00", b"-00:00"]
            .iter()
            .any(|form| is_pattern(offset, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_774_872_000_000_000;

    #[test]
    fn writes_milliseconds_whatever_the_time() {
        assert_eq!(rfc3339(NOON), "2026-03-30T12:00:00.000Z");
        assert_eq!(rfc3339(NOON + 999_999), "2026-03-30T12:00:00.999Z");
        assert_eq!(rfc3339(NOON + 1_500), "2026-03-30T12:00:00.001Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn stays_within_years_of_four_digits() {
        assert_eq!(rfc3339(i64::MIN), "0001-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-30T22:00:00.000Z");
        assert_eq!(LATEST, Timestamp::MAX.as_second() * 1_000_000);
    }

    #[test]
    fn reads_what_it_writes() {
        for micros in [0, NOON, -62_135_596_800_000_000, 253_402_000_000_000_000] {
            assert_eq!(parse_rfc3339(&rfc3339(micros)), Some(micros));
        }
    }

    #[test]
    fn reads_the_forms_of_rfc_3339() {
        for same in [
            "2026-03-30T12:00:00Z",
            "2026-03-30t12:00:00z",
            "2026-03-30T12:00:00.000000Z",
            "2026-03-30T12:00:00.000000999Z",
            "2026-03-30T14:00:00+02:00",
            "2026-03-30T06:30:00-05:30",
        ] {
            assert_eq!(parse_rfc3339(same), Some(NOON), "{same}");
        }
        assert_eq!(
            parse_rfc3339("2026-03-30T12:00:00.25Z"),
            Some(NOON + 250_000)
        );
    }

    #[test]
    fn the_end_of_9999_is_the_latest_time() {
        for never in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999-23:59"] {
            assert_eq!(parse_rfc3339(never), Some(LATEST), "{never}");
        }
        assert!(parse_rfc3339("9999-12-29T23:59:59Z") < Some(LATEST));
    }

    #[test]
    fn refuses_everything_else() {
        for wrong in [
            "",
            "2026-03-30",
            "2026-03-30T12:00:00",
            "2026-03-30 12:00:00Z",
            "20260330T120000Z",
            "2026-03-30T12:00:00+02",
            "2026-03-30T12:00:00+0200",
            "2026-03-30T12:00:00+24:00",
            "2026-03-30T12:00:00+02:60",
            "9999-12-31T24:00:01Z",
            "2026-03-30T12:00:00Z[UTC]",
            "2026-03-30T12:00:00.Z",
            "2026-03-30T12:00:00,5Z",
            "2026-02-30T12:00:00Z",
            "2026-03-30T25:00:00Z",
            "0000-01-01T00:00:00Z",
            "1774872000",
            " 2026-03-30T12:00:00Z",
            "2026-03-30T12:00:0\u{00e9}Z",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_manual_clock_is_shared_by_its_clones() {
        let clock = Clock::manual(NOON);
        let Clock::Manual(hands) = clock.clone() else {
            unreachable!("it was made manual")
        };
        hands.fetch_add(5, Ordering::SeqCst);
        assert_eq!(clock.now_micros(), NOON + 5);
        assert!(Clock::System.now_micros() > NOON - 40_000_000_000_000);
    }
}
