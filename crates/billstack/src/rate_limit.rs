//! Limits on how often one caller may do something, counted on this node alone.
//!
//! Three kinds: requests per second ([`RateLimiter`]), unknown codes per minute ([`MissBudget`])
//! and failed sign-ins ([`SignInThrottle`]). A caller is any text (a key's id, an address); only a
//! keyed hash of it is kept, so every entry has one small size. All of them forget, and none can
//! be made to grow without bound.

mod miss_budget;
mod sign_in;

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;

use crate::settings::RateLimit;

pub use miss_budget::{MissBudget, Share};
pub use sign_in::SignInThrottle;

/// Checks between two rounds of forgetting callers that have been quiet for a second.
const CHECKS_PER_SWEEP: u32 = 4_096;

/// Requests per second for each caller; a quiet second allows a burst of that many.
#[derive(Debug)]
pub struct RateLimiter<C: Clock = DefaultClock>(Option<Buckets<C>>);

type Governor<C> =
    governor::RateLimiter<u64, DefaultKeyedStateStore<u64>, C, StateInformationMiddleware>;

#[derive(Debug)]
struct Buckets<C: Clock> {
    limit: NonZeroU32,
    hasher: RandomState,
    governor: Governor<C>,
    checks: AtomicU32,
}

/// What the limiter says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Requests a second.
    pub limit: u32,
    /// Requests that would be allowed right now.
    pub remaining: u32,
    /// Whole seconds until the caller can use the full limit again.
    pub reset_seconds: u32,
    /// Whole seconds to wait, at least one, when the request was refused.
    pub retry_after: Option<u32>,
}

impl Decision {
    /// The value of the `RateLimit-Policy` header.
    pub fn policy_header(&self) -> String {
        format!("\"default\";q={};w=1", self.limit)
    }

    /// The value of the `RateLimit` header.
    pub fn limit_header(&self) -> String {
        format!("\"default\";r={};t={}", self.remaining, self.reset_seconds)
    }
}

impl RateLimiter {
    /// A limiter as the settings want it.
    pub fn new(limit: RateLimit) -> RateLimiter {
        RateLimiter::with_clock(limit, DefaultClock::default())
    }

    /// A limiter that allows so many in a minute, at once or one after the other.
    pub fn per_minute(limit: NonZeroU32) -> RateLimiter {
        RateLimiter::with_quota(limit, Quota::per_minute(limit), DefaultClock::default())
    }
}

impl<C: Clock> RateLimiter<C> {
    /// A limiter that takes the time from `clock`.
    pub fn with_clock(limit: RateLimit, clock: C) -> RateLimiter<C> {
        let RateLimit::PerSecond(limit) = limit else {
            return RateLimiter(None);
        };
        RateLimiter::with_quota(limit, Quota::per_second(limit), clock)
    }

    fn with_quota(limit: NonZeroU32, quota: Quota, clock: C) -> RateLimiter<C> {
        let state = DefaultKeyedStateStore::default();
        RateLimiter(Some(Buckets {
            limit,
            governor: Governor::new(quota, state, clock).with_middleware(),
            hasher: RandomState::new(),
            checks: AtomicU32::new(0),
        }))
    }

    /// Counts a request of this caller. None when the limit is off.
    pub fn check(&self, key: &(impl Hash + ?Sized)) -> Option<Decision> {
        let buckets = self.0.as_ref()?;
        if buckets.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1
        {
            buckets.governor.retain_recent();
        }
        Some(buckets.check(key))
    }
}

impl<C: Clock> Buckets<C> {
    fn check(&self, key: &(impl Hash + ?Sized)) -> Decision {
        let limit = self.limit.get();
        match self.governor.check_key(&self.hasher.hash_one(key)) {
            Ok(state) => Decision {
                allowed: true,
                limit,
                remaining: state.remaining_burst_capacity(),
                // A bucket of a second's requests is full again within a second.
                reset_seconds: 1,
                retry_after: None,
            },
            Err(not_until) => Decision {
                allowed: false,
                limit,
                remaining: 0,
                reset_seconds: 1,
                retry_after: Some(whole_seconds(
                    not_until.wait_time_from(self.governor.clock().now()),
                )),
            },
        }
    }
}

/// Rounds up, to one at least: a client told to wait no time at all would be refused again.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait
        .as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0));
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limiter(limit: u32) -> (RateLimiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limit = NonZeroU32::new(limit).expect("not zero");
        let limit = RateLimit::PerSecond(limit);
        (RateLimiter::with_clock(limit, clock.clone()), clock)
    }

    #[test]
    fn allows_the_limit_and_then_refuses() {
        let (limiter, clock) = limiter(3);
        for remaining in [2, 1, 0] {
            let decision = limiter.check("a").expect("the limit is on");
            assert_eq!((decision.allowed, decision.remaining), (true, remaining));
            assert_eq!(decision.retry_after, None);
        }
        let decision = limiter.check("a").expect("the limit is on");
        assert!(!decision.allowed);
        assert_eq!(decision.retry_after, Some(1));
        assert_eq!(decision.limit_header(), "\"default\";r=0;t=1");
        assert_eq!(decision.policy_header(), "\"default\";q=3;w=1");
        assert!(
            limiter.check("b").expect("the limit is on").allowed,
            "callers are apart"
        );
        clock.advance(Duration::from_millis(334));
        assert!(limiter.check("a").expect("the limit is on").allowed);
        assert!(!limiter.check("a").expect("the limit is on").allowed);
    }

    #[test]
    fn off_is_silent() {
        let limiter = RateLimiter::new(RateLimit::Off);
        assert!((0..10_000).all(|_| limiter.check("a").is_none()));
    }

    #[test]
    fn quiet_callers_are_forgotten() {
        let (limiter, clock) = limiter(2);
        for caller in 0..CHECKS_PER_SWEEP * 4 {
            clock.advance(Duration::from_millis(10));
            limiter.check(&caller.to_string());
        }
        let buckets = limiter.0.as_ref().expect("the limit is on");
        let most = usize::try_from(CHECKS_PER_SWEEP).expect("a small number") + 101;
        assert!(
            buckets.governor.len() <= most,
            "{} entries",
            buckets.governor.len()
        );
    }

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::from_millis(2_001)), 3);
        assert_eq!(whole_seconds(Duration::MAX), u32::MAX);
    }
}
