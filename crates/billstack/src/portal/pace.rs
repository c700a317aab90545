//! How fast customers' own pages may ask.

use std::num::NonZeroU32;

use crate::error::{ApiError, Reason};
use crate::rate_limit::{Decision, RateLimiter};

/// Requests of a session in a minute.
const OF_TOKEN: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// Requests of an address in a minute: many customers of one company share one.
const OF_ADDRESS: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// How fast customers' own pages may ask.
#[derive(Debug)]
pub struct PortalPace {
    tokens: RateLimiter,
    addresses: RateLimiter,
}

impl Default for PortalPace {
    fn default() -> PortalPace {
        PortalPace {
            tokens: RateLimiter::per_minute(OF_TOKEN),
            addresses: RateLimiter::per_minute(OF_ADDRESS),
        }
    }
}

impl PortalPace {
    /// Counts a request of this address, whatever it shows.
    pub(super) fn count_address(&self, address: &str) -> Result<(), ApiError> {
        allowed(self.addresses.check(address))
    }

    /// Counts a request with this token.
    pub(super) fn count_token(&self, token: &str) -> Result<(), ApiError> {
        allowed(self.tokens.check(token))
    }
}

fn allowed(decision: Option<Decision>) -> Result<(), ApiError> {
    match decision.filter(|decision| !decision.allowed) {
        None => Ok(()),
        Some(decision) => {
            let wait = decision.retry_after.unwrap_or(1);
            Err(ApiError::new(Reason::TooManyRequests).retry_after(wait.into()))
        }
    }
}
