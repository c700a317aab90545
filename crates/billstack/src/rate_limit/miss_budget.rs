//! How many unknown codes a key may try.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::whole_seconds;

const WINDOW: Duration = Duration::from_secs(60);

/// Keys remembered at once. Only keys that passed authentication get here, so this many in one
/// minute are not expected; past it, the oldest half is forgotten early.
const MOST_KEYS: usize = 16_384;

/// A budget of misses for each key and minute.
///
/// A look-up takes its share of the budget before it is made, and gives it back when it finds its
/// code; otherwise a thousand sent at once would all be made before the first is known to miss. So
/// a look-up that finds its code costs nothing, while whoever guesses codes is soon held back.
///
/// While everything that is left is taken by look-ups on their way, a further one waits for one of
/// them to end. To refuse it would turn a busy sign-up flow away for a minute although nobody has
/// missed. It is refused as soon as misses alone have used the budget up.
#[derive(Debug)]
pub struct MissBudget {
    per_minute: Option<NonZeroU32>,
    hasher: RandomState,
    windows: Mutex<HashMap<u64, Arc<Window>>>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    /// Shares that nobody has taken; closed when there are no more misses.
    free: Semaphore,
    /// Misses that are left.
    left: AtomicU32,
}

/// A share of the budget, taken for one look-up.
///
/// Dropped, it is spent for the rest of the minute. A look-up that was cut off may have been a miss;
/// given back, it would let whoever hangs up in time guess without end.
#[derive(Debug)]
#[must_use]
pub struct Share(Option<Arc<Window>>);

impl MissBudget {
    /// A budget of this many misses a minute; none means that misses are not counted.
    pub fn new(per_minute: Option<NonZeroU32>) -> MissBudget {
        MissBudget {
            per_minute,
            hasher: RandomState::new(),
            windows: Mutex::default(),
        }
    }

    /// Takes a share of this key's budget for one look-up. The error is the whole seconds to wait
    /// when it is used up.
    pub async fn take(&self, key: &str) -> Result<Share, u32> {
        let Some(budget) = self.per_minute else {
            return Ok(Share(None));
        };
        let window = self.window(budget, key, Instant::now());
        match window.free.acquire().await.map(SemaphorePermit::forget) {
            Ok(()) => Ok(Share(Some(window))),
            Err(_) => Err(window.wait(Instant::now())),
        }
    }

    /// The minute of this key that is running.
    fn window(&self, budget: NonZeroU32, key: &str, now: Instant) -> Arc<Window> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.hasher.hash_one(key);
        if windows.len() >= MOST_KEYS && !windows.contains_key(&key) {
            make_room(&mut windows, now);
        }
        let window = windows
            .entry(key)
            .or_insert_with(|| Window::begin(budget, now));
        if window.is_over(now) {
            *window = Window::begin(budget, now);
        }
        Arc::clone(window)
    }
}

impl Window {
    fn begin(budget: NonZeroU32, now: Instant) -> Arc<Window> {
        let shares = usize::try_from(budget.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Arc::new(Window {
            began: now,
            free: Semaphore::new(shares),
            left: AtomicU32::new(budget.get()),
        })
    }

    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.began) >= WINDOW
    }

    /// The whole seconds until it is over, one at least.
    fn wait(&self, now: Instant) -> u32 {
        whole_seconds(WINDOW.saturating_sub(now.duration_since(self.began)))
    }

    fn count_miss(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.free.close();
        }
    }
}

impl Share {
    /// The code was found: gives the share back.
    pub fn hit(mut self) {
        if let Some(window) = self.0.take() {
            window.free.add_permits(1);
        }
    }

    /// The code was unknown: the share is spent.
    pub fn miss(self) {}
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(window) = &self.0 {
            window.count_miss();
        }
    }
}

fn make_room(windows: &mut HashMap<u64, Arc<Window>>, now: Instant) {
    windows.retain(|_, window| !window.is_over(now));
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

    const THREE: NonZeroU32 = NonZeroU32::new(3).expect("not zero");

    fn budget(per_minute: u32) -> MissBudget {
        MissBudget::new(NonZeroU32::new(per_minute))
    }

    #[tokio::test]
    async fn is_used_up_by_misses_alone() {
        let budget = budget(3);
        for _ in 0..3 {
            for _ in 0..100 {
                budget.take("a").await.expect("a share").hit();
            }
            budget.take("a").await.expect("a share").miss();
        }
        let wait = budget.take("a").await.expect_err("no share is left");
        assert!((59..=60).contains(&wait), "{wait}");
        budget.take("b").await.expect("callers are apart").hit();
    }

    #[tokio::test]
    async fn what_was_cut_off_is_spent() {
        let budget = budget(1);
        drop(budget.take("a").await.expect("a share"));
        budget.take("a").await.expect_err("no share is left");
    }

    #[tokio::test]
    async fn look_ups_at_once_wait_for_those_before_them() {
        let budget = Arc::new(budget(3));
        let mut shares = Vec::new();
        for _ in 0..3 {
            shares.push(budget.take("a").await.expect("a share"));
        }
        let waiting = || {
            let budget = Arc::clone(&budget);
            tokio::spawn(async move { budget.take("a").await })
        };
        let (first, second) = (waiting(), waiting());
        tokio::task::yield_now().await;
        assert!(!first.is_finished() && !second.is_finished());
        shares.pop().expect("a share").hit();
        let third = first.await.expect("no panic").expect("it was given back");
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        shares.push(third);
        shares.into_iter().for_each(Share::miss);
        second.await.expect("no panic").expect_err("all was spent");
    }

    #[test]
    fn the_next_minute_fills_it() {
        let (budget, start) = (budget(3), Instant::now());
        let window = budget.window(THREE, "a", start);
        (0..3).for_each(|_| window.count_miss());
        assert!(window.free.is_closed());
        assert_eq!(window.wait(start), 60);
        let late = start + Duration::from_millis(59_500);
        assert_eq!(window.wait(late), 1);
        assert!(Arc::ptr_eq(&window, &budget.window(THREE, "a", late)));
        let next = budget.window(THREE, "a", start + WINDOW);
        assert_eq!(next.free.available_permits(), 3);
        // Whoever has waited beyond the minute is not told to wait for no time at all.
        assert_eq!(window.wait(start + WINDOW * 2), 1);
    }

    #[tokio::test]
    async fn can_be_off() {
        let budget = MissBudget::new(None);
        for _ in 0..1_000 {
            budget.take("a").await.expect("no limit").miss();
        }
        assert!(budget.windows.lock().expect("no panic").is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let (budget, start) = (budget(3), Instant::now());
        for caller in 0..u32::try_from(MOST_KEYS * 3).expect("a small number") {
            let now = start + Duration::from_micros(caller.into());
            budget.window(THREE, &caller.to_string(), now);
        }
        assert!(budget.windows.lock().expect("no panic").len() <= MOST_KEYS);
    }

    #[test]
    fn room_is_made_even_when_all_began_at_once() {
        let (budget, now) = (budget(3), Instant::now());
        for caller in 0..MOST_KEYS * 2 {
            budget.window(THREE, &caller.to_string(), now);
        }
        assert!(budget.windows.lock().expect("no panic").len() <= MOST_KEYS);
    }
}
