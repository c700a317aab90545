//! How often someone may try a password.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::whole_seconds;

/// Attempts without a delay: people mistype.
const FREE_ATTEMPTS: u32 = 5;

const LONGEST_DELAY_SECONDS: i64 = 15 * 60;

/// Failures older than this no longer count.
const MEMORY_MICROS: i64 = 60 * 60 * MICROS_PER_SECOND;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Pairs of an account and an address, and as many addresses, remembered at once.
const MOST_ENTRIES: usize = 32_768;

/// Slows down guessing of passwords, per account and address, and per address.
///
/// What one address does to an account slows nobody down elsewhere: otherwise any stranger could keep the owner out.
/// An address that has signed in to an account before is known there, and waits for its own failures alone; others
/// may share it.
///
/// After five failures each further attempt has to wait twice as long as the one before, up to a
/// quarter of an hour. An attempt counts as failed from the moment it is let through until it is
/// known to have succeeded; otherwise a thousand attempts sent at once would all be let through
/// before the first is known to be wrong.
#[derive(Debug, Default)]
pub struct SignInThrottle {
    hasher: RandomState,
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    pairs: HashMap<u64, Record>,
    addresses: HashMap<u64, Record>,
    /// When somebody signed in to an account from an address, by the pair.
    known: HashMap<u64, i64>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    failures: u32,
    last: i64,
}

impl SignInThrottle {
    /// A throttle that remembers nobody.
    pub fn new() -> SignInThrottle {
        SignInThrottle::default()
    }

    /// Asks to let an attempt through at `now` (microseconds). Answers the whole seconds to wait
    /// when it may not be made; when it may, it is counted, so ask once for each attempt.
    ///
    /// `account` is what the person typed, in its canonical form, whether or not it exists.
    pub fn check(&self, account: &str, address: &str, now: i64) -> Option<u32> {
        let keys = self.keys(account, address);
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = records.addresses.get(&keys.1);
        let waits = [
            records.pairs.get(&keys.0),
            of_address.filter(|_| !records.known.contains_key(&keys.0)),
        ];
        let wait = waits
            .into_iter()
            .flatten()
            .filter_map(|record| record.wait(now))
            .max();
        if wait.is_some() {
            return wait.map(whole_seconds);
        }
        count(&mut records.pairs, keys.0, now);
        count(&mut records.addresses, keys.1, now);
        None
    }

    /// The attempt failed: its delay runs from now rather than from when the attempt was made.
    pub fn failed(&self, account: &str, address: &str, now: i64) {
        let keys = self.keys(account, address);
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records.of(keys).into_iter().flatten() {
            record.last = record.last.max(now);
        }
    }

    /// The attempt succeeded: forgets the failures at this account, and as many of the address, which is known there
    /// from now on.
    ///
    /// Other failures of the address stay. Otherwise whoever has one account could sign in to it
    /// now and then, and go on guessing at all the others.
    pub fn succeeded(&self, account: &str, address: &str, now: i64) {
        let keys = self.keys(account, address);
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        remember(&mut records.known, keys.0, now);
        let Some(forgiven) = records.pairs.remove(&keys.0) else {
            return;
        };
        if let Some(record) = records.addresses.get_mut(&keys.1) {
            record.failures = record.failures.saturating_sub(forgiven.failures);
        }
    }

    fn keys(&self, account: &str, address: &str) -> (u64, u64) {
        let pair = (account, address);
        (self.hasher.hash_one(pair), self.hasher.hash_one(address))
    }
}

impl Records {
    fn of(&mut self, keys: (u64, u64)) -> [Option<&mut Record>; 2] {
        [self.pairs.get_mut(&keys.0), self.addresses.get_mut(&keys.1)]
    }
}

impl Record {
    fn is_forgotten(&self, now: i64) -> bool {
        now.saturating_sub(self.last) >= MEMORY_MICROS
    }

    fn wait(&self, now: i64) -> Option<Duration> {
        let over = self.failures.checked_sub(FREE_ATTEMPTS)?;
        let seconds = (1_i64 << over.min(32)).min(LONGEST_DELAY_SECONDS);
        let delay = seconds * MICROS_PER_SECOND;
        // A clock that was set back must not lock anyone out for longer than the delay itself.
        let wait = delay
            .saturating_sub(now.saturating_sub(self.last))
            .min(delay);
        u64::try_from(wait)
            .ok()
            .filter(|wait| *wait > 0)
            .map(Duration::from_micros)
    }
}

fn count(records: &mut HashMap<u64, Record>, key: u64, now: i64) {
    if records.len() >= MOST_ENTRIES && !records.contains_key(&key) {
        make_room(records, now);
    }
    let record = records.entry(key).or_insert(Record {
        failures: 0,
        last: now,
    });
    if record.is_forgotten(now) {
        record.failures = 0;
    }
    record.failures = record.failures.saturating_add(1);
    record.last = now;
}

/// Keeps when a pair signed in. When there are too many, the older half is forgotten.
fn remember(known: &mut HashMap<u64, i64>, pair: u64, now: i64) {
    if known.len() >= MOST_ENTRIES && !known.contains_key(&pair) {
        let mut times: Vec<i64> = known.values().copied().collect();
        let (_, median, _) = times.select_nth_unstable(MOST_ENTRIES / 2);
        let median = *median;
        known.retain(|_, at| *at > median);
    }
    known.insert(pair, now);
}

/// Forgets what is old, and when that is not enough the half with the fewest failures: a flood of
/// made-up accounts, each tried once, must not wash out the one that is being guessed at.
fn make_room(records: &mut HashMap<u64, Record>, now: i64) {
    records.retain(|_, record| !record.is_forgotten(now));
    if records.len() < MOST_ENTRIES {
        return;
    }
    let mut order: Vec<(u32, i64, u64)> = records
        .iter()
        .map(|(key, record)| (record.failures, record.last, *key))
        .collect();
    let (least, _, _) = order.select_nth_unstable(MOST_ENTRIES / 2);
    for (_, _, key) in least {
        records.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_774_872_000_000_000;

    fn fail(throttle: &SignInThrottle, account: &str, address: &str, now: i64) {
        assert_eq!(throttle.check(account, address, now), None);
        throttle.failed(account, address, now);
    }

    #[test]
    fn the_delay_doubles_after_five_failures() {
        let throttle = SignInThrottle::new();
        (0..5).for_each(|_| fail(&throttle, "a@x.test", "1.1.1.1", START));
        let mut now = START;
        for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(throttle.check("a@x.test", "1.1.1.1", now), Some(delay));
            assert_eq!(throttle.check("a@x.test", "1.1.1.1", now + 1), Some(delay));
            now += i64::from(delay) * MICROS_PER_SECOND;
            fail(&throttle, "a@x.test", "1.1.1.1", now);
        }
    }

    #[test]
    fn nobody_is_kept_out_elsewhere() {
        let throttle = SignInThrottle::new();
        for n in 0..10 {
            let address = n.to_string();
            (0..5).for_each(|_| fail(&throttle, "a@x.test", &address, START));
            assert_eq!(throttle.check("a@x.test", &address, START), Some(1));
        }
        assert_eq!(throttle.check("a@x.test", "9.9.9.9", START), None);
    }

    #[test]
    fn an_address_that_signed_in_before_waits_for_its_own_failures_alone() {
        let throttle = SignInThrottle::new();
        assert_eq!(throttle.check("a@x.test", "1.1.1.1", START), None);
        throttle.succeeded("a@x.test", "1.1.1.1", START);
        (0..5).for_each(|n| fail(&throttle, &format!("{n}@x.test"), "1.1.1.1", START));
        assert_eq!(throttle.check("b@x.test", "1.1.1.1", START), Some(1));
        (0..5).for_each(|_| fail(&throttle, "a@x.test", "1.1.1.1", START));
        assert_eq!(throttle.check("a@x.test", "1.1.1.1", START), Some(1));
    }

    #[test]
    fn those_who_signed_in_are_remembered_within_bounds() {
        let throttle = SignInThrottle::new();
        for (n, now) in (0..MOST_ENTRIES * 2).zip(START..) {
            throttle.succeeded(&n.to_string(), "1.1.1.1", now);
        }
        let records = throttle.records.lock().expect("no panic");
        assert!(records.known.len() <= MOST_ENTRIES);
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_down() {
        let throttle = SignInThrottle::new();
        (0..5).for_each(|n| fail(&throttle, &format!("{n}@x.test"), "1.1.1.1", START));
        assert_eq!(throttle.check("new@x.test", "1.1.1.1", START), Some(1));
        assert_eq!(throttle.check("new@x.test", "2.2.2.2", START), None);
    }

    #[test]
    fn attempts_sent_at_once_count_before_they_are_known_to_fail() {
        let throttle = SignInThrottle::new();
        let allowed = (0..1_000)
            .filter(|_| throttle.check("a@x.test", "1.1.1.1", START).is_none())
            .count();
        assert_eq!(allowed, 5);
    }

    #[test]
    fn success_forgets() {
        let throttle = SignInThrottle::new();
        for _ in 0..100 {
            (0..4).for_each(|_| fail(&throttle, "a@x.test", "1.1.1.1", START));
            assert_eq!(throttle.check("a@x.test", "1.1.1.1", START), None);
            throttle.succeeded("a@x.test", "1.1.1.1", START);
        }
    }

    #[test]
    fn an_account_of_ones_own_does_not_clear_the_address() {
        let throttle = SignInThrottle::new();
        for n in 0..4 {
            fail(&throttle, &format!("{n}@x.test"), "1.1.1.1", START);
            assert_eq!(throttle.check("own@x.test", "1.1.1.1", START), None);
            throttle.succeeded("own@x.test", "1.1.1.1", START);
        }
        fail(&throttle, "4@x.test", "1.1.1.1", START);
        assert_eq!(throttle.check("5@x.test", "1.1.1.1", START), Some(1));
    }

    #[test]
    fn an_hour_forgets() {
        let throttle = SignInThrottle::new();
        (0..5).for_each(|_| fail(&throttle, "a@x.test", "1.1.1.1", START));
        let later = START + MEMORY_MICROS;
        (0..5).for_each(|_| fail(&throttle, "a@x.test", "1.1.1.1", later));
        assert_eq!(throttle.check("a@x.test", "1.1.1.1", later), Some(1));
    }

    #[test]
    fn a_clock_set_back_does_not_lock_out() {
        let throttle = SignInThrottle::new();
        (0..5).for_each(|_| fail(&throttle, "a@x.test", "1.1.1.1", START));
        assert_eq!(
            throttle.check("a@x.test", "1.1.1.1", START - MEMORY_MICROS),
            Some(1)
        );
        assert_eq!(throttle.check("a@x.test", "1.1.1.1", i64::MIN), Some(1));
    }

    #[test]
    fn memory_is_bounded_and_a_flood_does_not_free_its_target() {
        let throttle = SignInThrottle::new();
        (0..5).for_each(|_| fail(&throttle, "target@x.test", "0.0.0.0", START));
        for n in 0..MOST_ENTRIES * 2 {
            fail(&throttle, &format!("{n}@x.test"), &n.to_string(), START);
        }
        assert_eq!(throttle.check("target@x.test", "0.0.0.0", START), Some(1));
        let records = throttle.records.lock().expect("no panic");
        assert!(records.pairs.len() <= MOST_ENTRIES);
        assert!(records.addresses.len() <= MOST_ENTRIES);
    }
}
