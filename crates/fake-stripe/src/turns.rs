//! Who is changing which customer, and how long calls take.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::StripeError;
use crate::journal::Received;

/// The writes that are being worked on.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    latency: Duration,
    refuses_overlap: bool,
    /// How many writes each customer has at the moment.
    working: HashMap<String, usize>,
}

/// The turn of one write, which ends with this value.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    customer: String,
}

impl Turns {
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    pub(crate) fn latency(&self) -> Duration {
        self.state().latency
    }

    pub(crate) fn refuse_overlap(&self, refuse: bool) {
        self.state().refuses_overlap = refuse;
    }

    /// Begins a write to a customer; other calls need no turn.
    pub(crate) fn take(&self, received: &Received) -> Result<Option<Turn<'_>>, StripeError> {
        let Some(customer) = received.customer.clone().filter(|_| received.is_write()) else {
            return Ok(None);
        };
        let mut state = self.state();
        let refuses = state.refuses_overlap;
        let working = state.working.entry(customer.clone()).or_default();
        if refuses && *working > 0 {
            return Err(StripeError::locked());
        }
        *working += 1;
        drop(state);
        Ok(Some(Turn {
            turns: self,
            customer,
        }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        if let Some(working) = state.working.get_mut(&self.customer) {
            *working -= 1;
        }
    }
}
