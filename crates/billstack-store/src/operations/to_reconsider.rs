//! What an operation has still to decide anew before it ends. A list, and no recursion: settling one event
//! may link a customer whose other events are then settled too.

use std::collections::VecDeque;

use crate::seam::Place;

/// Customers whose kept events are to be decided anew, and the events that were decided already.
#[derive(Default)]
pub(crate) struct ToReconsider {
    /// The customer whom the operation is about: all their events are decided, however many there are.
    subject: Option<String>,
    waiting: VecDeque<(Place, String)>,
    decided: Vec<String>,
}

impl ToReconsider {
    /// Says whom the operation is about.
    pub(crate) fn is_about(&mut self, customer_id: &str) {
        self.subject = Some(customer_id.to_owned());
    }

    /// Whether the operation is about this customer.
    pub(crate) fn has_subject(&self, customer_id: &str) -> bool {
        self.subject.as_deref() == Some(customer_id)
    }

    /// Adds a customer who has been linked or concerned.
    pub(crate) fn add(&mut self, place: Place, customer_id: &str) {
        self.waiting.push_back((place, customer_id.to_owned()));
    }

    /// Takes the next customer.
    pub(crate) fn next(&mut self) -> Option<(Place, String)> {
        self.waiting.pop_front()
    }

    /// An event is decided: not again in this operation.
    pub(crate) fn decided(&mut self, event_id: &str) {
        self.decided.push(event_id.to_owned());
    }

    /// Whether an event was decided in this operation.
    pub(crate) fn is_decided(&self, event_id: &str) -> bool {
        self.decided.iter().any(|decided| decided == event_id)
    }
}
