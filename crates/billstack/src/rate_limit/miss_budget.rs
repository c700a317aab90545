//! How many unknown codes a key may try.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::whole_seconds;

const WINDOW: Duration = Duration::from_secs(60);

/// Keys remembered at once. Only keys that passed authentication get here, so this many in one
/// minute are not expected; past it, the oldest half is forgotten early.
const MOST_KEYS: usize = 16_384;

/// A budget of misses for each key and minute.
///
/// A look-up that finds its code costs nothing, so a busy sign-up flow is never held back, while
/// whoever guesses codes soon is.
#[derive(Debug)]
pub struct MissBudget {
    per_minute: Option<NonZeroU32>,
    hasher: RandomState,
    windows: Mutex<HashMap<u64, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    misses: u32,
}

impl MissBudget {
    /// A budget of this many misses a minute; none means that misses are not counted.
    pub fn new(per_minute: Option<NonZeroU32>) -> MissBudget {
        MissBudget {
            per_minute,
            hasher: RandomState::new(),
            windows: Mutex::default(),
        }
    }

    /// The whole seconds to wait when this key has used up its budget.
    pub fn is_exhausted(&self, key: &str) -> Option<u32> {
        self.is_exhausted_at(key, Instant::now())
    }

    /// Counts a miss of this key.
    pub fn record_miss(&self, key: &str) {
        self.record_miss_at(key, Instant::now());
    }

    fn is_exhausted_at(&self, key: &str, now: Instant) -> Option<u32> {
        let budget = self.per_minute?.get();
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get(&self.hasher.hash_one(key))?;
        let wait = WINDOW
            .checked_sub(now.duration_since(window.began))
            .filter(|w| !w.is_zero())?;
        (window.misses >= budget).then(|| whole_seconds(wait))
    }

    fn record_miss_at(&self, key: &str, now: Instant) {
        if self.per_minute.is_none() {
            return;
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.hasher.hash_one(key);
        if windows.len() >= MOST_KEYS && !windows.contains_key(&key) {
            make_room(&mut windows, now);
        }
        let window = windows.entry(key).or_insert(Window {
            began: now,
            misses: 0,
        });
        if now.duration_since(window.began) >= WINDOW {
            *window = Window {
                began: now,
                misses: 0,
            };
        }
        window.misses = window.misses.saturating_add(1);
    }
}

fn make_room(windows: &mut HashMap<u64, Window>, now: Instant) {
    windows.retain(|_, window| now.duration_since(window.began) < WINDOW);
    if windows.len() < MOST_KEYS {
        return;
    }
    let mut began: Vec<Instant> = windows.values().map(|window| window.began).collect();
    let (_, median, _) = began.select_nth_unstable(MOST_KEYS / 2);
    let median = *median;
    windows.retain(|_, window| window.began > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(per_minute: u32) -> MissBudget {
        MissBudget::new(NonZeroU32::new(per_minute))
    }

    #[test]
    fn is_used_up_by_misses_and_filled_by_the_next_minute() {
        let (budget, start) = (budget(3), Instant::now());
        for _ in 0..3 {
            assert_eq!(budget.is_exhausted_at("a", start), None);
            budget.record_miss_at("a", start);
        }
        assert_eq!(budget.is_exhausted_at("a", start), Some(60));
        assert_eq!(budget.is_exhausted_at("b", start), None);
        let later = start + Duration::from_millis(59_500);
        assert_eq!(budget.is_exhausted_at("a", later), Some(1));
        let next = start + WINDOW;
        assert_eq!(budget.is_exhausted_at("a", next), None);
        budget.record_miss_at("a", next);
        assert_eq!(budget.is_exhausted_at("a", next), None);
    }

    #[test]
    fn can_be_off() {
        let budget = MissBudget::new(None);
        (0..1_000).for_each(|_| budget.record_miss("a"));
        assert_eq!(budget.is_exhausted("a"), None);
        assert!(budget.windows.lock().expect("no panic").is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let (budget, start) = (budget(1), Instant::now());
        for caller in 0..u32::try_from(MOST_KEYS * 3).expect("a small number") {
            let now = start + Duration::from_micros(caller.into());
            budget.record_miss_at(&caller.to_string(), now);
            assert!(budget.is_exhausted_at(&caller.to_string(), now).is_some());
        }
        assert!(budget.windows.lock().expect("no panic").len() <= MOST_KEYS);
    }

    #[test]
    fn room_is_made_even_when_all_began_at_once() {
        let (budget, now) = (budget(1), Instant::now());
        (0..MOST_KEYS * 2).for_each(|caller| budget.record_miss_at(&caller.to_string(), now));
        assert!(budget.windows.lock().expect("no panic").len() <= MOST_KEYS);
    }
}
