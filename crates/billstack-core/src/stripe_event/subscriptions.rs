//! What Stripe tells of a customer when it is asked, rather than by its events.

use super::{Eligibility, Start};
use crate::time::Micros;

/// The subscriptions of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscriptions {
    /// When the oldest began, leaving out those that never came to be.
    pub earliest: Option<Micros>,
    /// The oldest that counts now.
    pub counting: Option<Box<Start>>,
}

impl Subscriptions {
    /// What Stripe's list says, which begins with the newest.
    pub fn of(list: impl IntoIterator<Item = Start>) -> Subscriptions {
        let mut subscriptions = Subscriptions::default();
        list.into_iter().for_each(|start| subscriptions.add(start));
        subscriptions
    }

    fn add(&mut self, start: Start) {
        if matches!(start.eligibility, Eligibility::Counts | Eligibility::Past) {
            self.earliest = self.earliest.into_iter().chain([start.began_at]).min();
        }
        // The last one that counts is the oldest.
        if start.eligibility == Eligibility::Counts {
            self.counting = Some(Box::new(start));
        }
    }
}
