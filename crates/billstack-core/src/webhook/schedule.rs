//! When a delivery is tried: ten times within some three days, unless it succeeds before.

use crate::time::{DAY, HOUR, MINUTE, Micros, SECOND};

/// The most attempts of a delivery; one by hand does not count.
pub const ATTEMPTS: i64 = PAUSES.len() as i64;

/// The longest pause that an answer may ask for with `Retry-After`, in microseconds.
pub const LONGEST_WAIT: i64 = DAY;

/// The pause before each attempt, from the one before it.
const PAUSES: [i64; 10] = [
    0,
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// In millionths of a pause: the least that it is shortened to, and how much longer it may be than that.
const LEAST: i64 = 800_000;
const SPREAD: u64 = 400_000;

/// When a delivery is tried again of which so many attempts have failed, the last one `now`; `None` when it has failed
/// for good.
///
/// Each pause is up to a fifth shorter or longer, as `random` has it, so that what failed together does not come back
/// together. An answer may ask for a longer pause in microseconds, never for a shorter one: an endpoint
/// that says "at once" would use up all its attempts while it is down.
pub fn next(attempts: i64, now: Micros, random: u64, retry_after: Option<i64>) -> Option<Micros> {
    let pause = PAUSES.get(usize::try_from(attempts).ok()?)?;
    let millionths = LEAST + (random % (SPREAD + 1)) as i64;
    let pause = pause * millionths / 1_000_000;
    let asked = retry_after.unwrap_or_default().min(LONGEST_WAIT);
    Some(now.plus(pause.max(asked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Micros = Micros::from_secs(1_774_872_000);

    #[test]
    fn the_first_is_at_once_and_after_the_tenth_it_has_failed() {
        assert_eq!(next(0, NOW, 7, None), Some(NOW));
        assert_eq!(next(9, NOW, SPREAD / 2, None), Some(NOW.plus(24 * HOUR)));
        assert_eq!(next(10, NOW, 7, None), None);
        assert_eq!(next(10, NOW, 7, Some(HOUR)), None, "whatever is asked for");
        assert_eq!(next(-1, NOW, 7, None), None);
        assert_eq!(next(i64::MAX, NOW, 7, None), None);
    }

    #[test]
    fn a_longer_pause_may_be_asked_for_and_a_shorter_one_not() {
        let at = |asked| next(2, NOW, 0, Some(asked)).map(|at| at.since(NOW));
        assert_eq!(at(HOUR), Some(HOUR));
        assert_eq!(at(SECOND), Some(4 * MINUTE));
        assert_eq!(at(-DAY), Some(4 * MINUTE));
        assert_eq!(at(i64::MAX), Some(DAY));
    }

    #[test]
    fn all_ten_take_some_three_days() {
        let mut at = NOW;
        for attempts in 0..ATTEMPTS {
            at = next(attempts, at, SPREAD / 2, None).unwrap();
        }
        let all = 5 * SECOND + 35 * MINUTE + (2 + 5 + 10 + 14 + 20 + 24) * HOUR;
        assert_eq!(at.since(NOW), all);
    }

    proptest! {
        #[test]
        fn each_pause_is_within_a_fifth(
            attempts in 0_i64..10,
            random: u64,
            now in -1_i64 << 60..1_i64 << 60,
        ) {
            let now = Micros(now);
            let pause = next(attempts, now, random, None).unwrap().since(now);
            let usual = PAUSES[usize::try_from(attempts).unwrap()];
            prop_assert!(pause >= usual * 4 / 5 && pause <= usual * 6 / 5, "{pause} for {usual}");
        }

        #[test]
        fn what_is_asked_for_is_waited_for_up_to_a_day(
            attempts in 0_i64..10,
            random: u64,
            asked: i64,
        ) {
            let without = next(attempts, NOW, random, None).unwrap();
            let at = next(attempts, NOW, random, Some(asked)).unwrap();
            prop_assert_eq!(at, without.max(NOW.plus(asked.min(DAY))));
        }
    }
}
