//! The fake's own idea of the time, so that a test can let a day pass.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that follows the machine's until a test moves it.
///
/// It decides the `created` of new objects and when an idempotency key is forgotten.
#[derive(Debug)]
pub struct Clock(Mutex<Reading>);

#[derive(Debug, Clone, Copy)]
enum Reading {
    Running { ahead: i64 },
    Stopped { at: i64 },
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Reading::Running { ahead: 0 }))
    }

    /// The time in seconds since 1970.
    pub fn now(&self) -> i64 {
        match *self.reading() {
            Reading::Running { ahead } => machine_time() + ahead,
            Reading::Stopped { at } => at,
        }
    }

    /// Stops the clock at `at` (seconds since 1970).
    pub fn set(&self, at: i64) {
        *self.reading() = Reading::Stopped { at };
    }

    /// Moves the clock by `seconds`; a running clock keeps running.
    pub fn advance(&self, seconds: i64) {
        match &mut *self.reading() {
            Reading::Running { ahead } => *ahead += seconds,
            Reading::Stopped { at } => *at += seconds,
        }
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "the fake has a clock of its own")]
fn machine_time() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
