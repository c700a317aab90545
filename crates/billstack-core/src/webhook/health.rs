//! Whether an endpoint still gets events.
//!
//! An endpoint that fails is told of after a day and switched off after five, never without a warning. Attempts by hand
//! (replays and tests) are not put in here: they say nothing about what the endpoint does by itself.

use crate::time::{DAY, Micros};

text_enum! {
    /// How an endpoint does.
    pub enum EndpointState {
        /// It takes what it is sent, or has not failed for long.
        Active = "active",
        /// It has done nothing but fail for a day.
        Failing = "failing",
        /// It gets nothing until it is enabled.
        Disabled = "disabled",
    }
}

/// How long an endpoint may do nothing but fail until it is told of.
const FAILING_AFTER: i64 = DAY;

/// How long until it is switched off.
const DISABLED_AFTER: i64 = 5 * DAY;

/// How many attempts must have failed before it is switched off: an endpoint that gets two events a week has not
/// failed for five days.
const FAILURES_AT_LEAST: i64 = 10;

/// What is known of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// How it does.
    pub state: EndpointState,
    /// Since when it may get events: it was made or enabled then. Attempts before that say nothing.
    pub enabled_at: Micros,
    /// When it last took an event.
    pub last_success_at: Option<Micros>,
    /// When it last failed.
    pub last_failure_at: Option<Micros>,
    /// When it failed first since it last took one; `None` if it has not.
    pub first_failure_at: Option<Micros>,
    /// How often it has failed since it last took one.
    pub failures: i64,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint took the event.
    Success,
    /// It did not.
    Failure,
    /// It wants none any more.
    Gone,
}

impl Health {
    /// That of an endpoint that may get events from `at` on: nothing that was before counts.
    pub fn new(at: Micros) -> Health {
        Health {
            state: EndpointState::Active,
            enabled_at: at,
            last_success_at: None,
            last_failure_at: None,
            first_failure_at: None,
            failures: 0,
        }
    }

    /// That of an endpoint that is enabled at `at`: its clock starts anew, or it would be switched off again by
    /// the failures of before.
    #[must_use]
    pub fn enabled(self, at: Micros) -> Health {
        Health {
            last_success_at: self.last_success_at,
            last_failure_at: self.last_failure_at,
            ..Health::new(at)
        }
    }

    /// That of an endpoint that is switched off, by whatever.
    #[must_use]
    pub fn disabled(self) -> Health {
        Health {
            state: EndpointState::Disabled,
            ..self
        }
    }

    /// What is known after an attempt that was made at `at`. Attempts run side by side, so they come in any order.
    #[must_use]
    pub fn after(self, outcome: Outcome, at: Micros) -> Health {
        let counts = at >= self.enabled_at;
        let mut after = match outcome {
            Outcome::Success => self.succeeded(at),
            Outcome::Failure | Outcome::Gone => self.failed(at, counts),
        };
        after.state = match after.state {
            EndpointState::Active | EndpointState::Failing => match outcome {
                Outcome::Gone if counts => EndpointState::Disabled,
                _ => after.judged(),
            },
            // It stays off until somebody enables it, and an unknown word is not ours to change.
            stays @ (EndpointState::Disabled | EndpointState::Other(_)) => stays,
        };
        after
    }

    fn succeeded(self, at: Micros) -> Health {
        let last_success_at = self.last_success_at.max(Some(at));
        let later = self
            .last_failure_at
            .filter(|last| *last > at && self.first_failure_at.is_some());
        let (first_failure_at, failures) = match self.first_failure_at {
            // It failed only after this success.
            Some(first) if first > at => (Some(first), self.failures),
            // How many of the failures are later is not known: one, at least.
            _ => (later, i64::from(later.is_some())),
        };
        Health {
            last_success_at,
            first_failure_at,
            failures,
            ..self
        }
    }

    fn failed(self, at: Micros, counts: bool) -> Health {
        let failed = Health {
            last_failure_at: self.last_failure_at.max(Some(at)),
            ..self
        };
        if !counts || self.last_success_at.is_some_and(|success| success >= at) {
            return failed;
        }
        let first = self.first_failure_at.map_or(at, |first| first.min(at));
        Health {
            first_failure_at: Some(first),
            failures: self.failures.saturating_add(1),
            ..failed
        }
    }

    fn judged(&self) -> EndpointState {
        let run = self.first_failure_at.zip(self.last_failure_at);
        match run.map(|(first, last)| last.since(first)) {
            Some(long) if long >= DISABLED_AFTER && self.failures >= FAILURES_AT_LEAST => {
                EndpointState::Disabled
            }
            Some(long) if long >= FAILING_AFTER => EndpointState::Failing,
            _ => EndpointState::Active,
        }
    }
}

#[cfg(test)]
mod tests;
