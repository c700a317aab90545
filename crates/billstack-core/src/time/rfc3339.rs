//! The one reader of RFC 3339 times, for thin events of Stripe and for our own API.

use super::{MINUTE, Micros, SECOND};

/// Days before each month in a year without a leap day.
const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Reads a time such as `2026-09-30T12:00:00.123Z` or `2026-09-30T14:00:00+02:00`.
///
/// Digits of a second beyond the sixth are dropped. A leap second counts as the first second of the next
/// minute, as it does in Stripe's own whole-second times. Anything else is `None`, the wider forms of ISO
/// 8601 included, because other readers refuse them.
pub(super) fn parse(text: &str) -> Option<Micros> {
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4)?;
    literal(&mut rest, b"-")?;
    let month = number(&mut rest, 2)?;
    literal(&mut rest, b"-")?;
    let day = number(&mut rest, 2)?;
    literal(&mut rest, b"Tt")?;
    let hour = number(&mut rest, 2)?;
    literal(&mut rest, b":")?;
    let minute = number(&mut rest, 2)?;
    literal(&mut rest, b":")?;
    let second = number(&mut rest, 2)?;
    let fraction = fraction(&mut rest)?;
    let offset = offset(&mut rest)?;

    if !rest.is_empty() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let minutes = (days(year, month, day)? * 24 + hour) * 60 + minute - offset;
    Some(Micros(minutes * MINUTE + second * SECOND + fraction))
}

/// Exactly `digits` decimal digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(digits)?;
    *rest = tail;
    head.iter().try_fold(0, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        Some(number * 10 + digit)
    })
}

/// One of the given characters.
fn literal(rest: &mut &[u8], any_of: &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    any_of.contains(first).then_some(*first)
}

/// An optional `.` and digits, in microseconds.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let Some((b'.', digits)) = rest.split_first() else {
        return Some(0);
    };
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, tail) = digits.split_at(count);
    *rest = tail;
    if digits.is_empty() {
        return None;
    }
    let padded = digits.iter().chain(std::iter::repeat(&b'0')).take(6);
    Some(padded.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0')))
}

/// `Z` or a signed offset from UTC, in minutes.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let sign = match literal(rest, b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let hours = number(rest, 2)?;
    literal(rest, b":")?;
    let minutes = number(rest, 2)?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, negative before.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap_day = i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let longest = match month {
        2 => 28 + leap_day,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=longest).contains(&day) {
        return None;
    }
    let before_year = days_before(year) - days_before(1970);
    let before_month = DAYS_BEFORE[(month - 1) as usize] + if month > 2 { leap_day } else { 0 };
    Some(before_year + before_month + day - 1)
}

/// Days from 0001-01-01 to the first of January of a year: a leap day for every fourth year, but
/// of the centuries only for every fourth.
fn days_before(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400)
}

/// The first day of the month that holds a day, and that of the next month, both counted from 1970-01-01.
pub(super) fn month_of(day: i64) -> (i64, i64) {
    let first_of = |year: i64, month: i64| days(year, month, 1).unwrap_or(i64::MAX);
    // No year has more days than 366 or fewer than 365, so this one is not too late.
    let mut year = 1970 + day.div_euclid(if day < 0 { 365 } else { 366 });
    while first_of(year + 1, 1) <= day {
        year += 1;
    }
    let months = (1..=12).map(|month| first_of(year, month));
    let next = months.clone().find(|first| *first > day);
    let first = months.rev().find(|first| *first <= day);
    (first.unwrap_or(day), next.unwrap_or(first_of(year + 1, 1)))
}

/// The year, the month and the day of the month that a day is, counted from 1970-01-01.
pub(super) fn date(day: i64) -> (i64, i64, i64) {
    // A year has 365.2425 days; the guess is at most one off.
    let mut year = 1970 + (day.saturating_mul(10_000)).div_euclid(3_652_425);
    let first_of = |year: i64, month: i64| days(year, month, 1).unwrap_or(i64::MAX);
    while first_of(year, 1) > day {
        year -= 1;
    }
    while first_of(year + 1, 1) <= day {
        year += 1;
    }
    let months = (1..=12).rev();
    let month = months.clone().find(|month| first_of(year, *month) <= day);
    let month = month.unwrap_or(1);
    (year, month, day - first_of(year, month) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_the_standard_allows() {
        // Expected seconds are from GNU date.
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2023-11-14T22:13:20Z", 1_700_000_000_000_000),
            ("2023-11-14t22:13:20z", 1_700_000_000_000_000),
            ("2023-11-15T00:13:20.5+02:00", 1_700_000_000_500_000),
            ("2023-11-14T21:43:20.123456789-00:30", 1_700_000_000_123_456),
            ("2000-02-29T12:00:00Z", 951_825_600_000_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ] {
            assert_eq!(parse(text), Some(Micros(micros)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "2023-11-14",
            "2023-11-14 22:13:20Z",
            "20231114T221320Z",
            "2023-11-14T22:13Z",
            "2023-11-14T22:13:20+02",
            "2023-11-14T22:13:20+0200",
            "2023-11-14T22:13:20+02:60",
            "2023-11-14T22:13:20Z[UTC]",
            "2023-11-14T22:13:20,5Z",
            "9999-12-31T24:00:01Z",
            "1700000000",
            " 2023-11-14T22:13:20Z",
            "2023-11-14T22:13:2\u{e9}Z",
            "2023-11-14T22:13:20",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20Z ",
            "2023-11-14T24:00:00Z",
            "2023-11-14T22:60:20Z",
            "2023-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "2023-11-14T22:13:20+24:00",
            "+023-11-14T22:13:20Z",
            "２023-11-14T22:13:20Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = days(1970, 1, 1).unwrap();
        assert_eq!(expected, 0);
        for year in 1970..=2400 {
            for month in 1..=12 {
                for day in (1..=31).filter_map(|day| days(year, month, day)) {
                    assert_eq!(day, expected);
                    expected += 1;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), near in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.Z+-]{0,20}") {
            let _ = parse(&text);
            let _ = parse(&near);
        }
    }
}
