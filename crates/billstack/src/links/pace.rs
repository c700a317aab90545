//! How many clicks of one address count. It is in memory only, as a number that tells nobody the address.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The clicks of an address that count in a minute.
const MOST: u32 = 30;

/// The addresses that are remembered at once. When there are more, those of the minute go uncounted.
const MOST_ADDRESSES: usize = 100_000;

const MINUTE: Duration = Duration::from_secs(60);

/// The addresses of this minute.
#[derive(Debug)]
pub struct Pace {
    hasher: RandomState,
    minute: Mutex<(Instant, HashMap<u64, u32>)>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            hasher: RandomState::new(),
            minute: Mutex::new((Instant::now(), HashMap::new())),
        }
    }
}

impl Pace {
    /// Whether one more click of this address counts.
    pub fn counts(&self, address: &str) -> bool {
        self.counts_at(address, Instant::now())
    }

    fn counts_at(&self, address: &str, now: Instant) -> bool {
        let Ok(mut minute) = self.minute.lock() else {
            return false;
        };
        let (began, addresses) = &mut *minute;
        if now.saturating_duration_since(*began) >= MINUTE {
            *began = now;
            addresses.clear();
        }
        let key = self.hasher.hash_one(address);
        if addresses.len() >= MOST_ADDRESSES && !addresses.contains_key(&key) {
            return false;
        }
        let clicks = addresses.entry(key).or_default();
        *clicks = clicks.saturating_add(1);
        *clicks <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_a_minute_count_and_no_more() {
        let (pace, start) = (Pace::default(), Instant::now());
        let counted = (0..100).filter(|_| pace.counts_at("a", start)).count();
        assert_eq!(counted, 30);
        assert!(pace.counts_at("b", start));
        assert!(pace.counts_at("a", start + MINUTE));
    }

    #[test]
    fn memory_is_bounded() {
        let (pace, start) = (Pace::default(), Instant::now());
        for number in 0..=MOST_ADDRESSES {
            let counts = pace.counts_at(&number.to_string(), start);
            assert_eq!(counts, number < MOST_ADDRESSES);
        }
        assert!(pace.counts_at("0", start));
        assert!(pace.counts_at("new", start + MINUTE));
    }
}
