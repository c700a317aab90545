//! What Stripe tells of a customer when it is asked, rather than by its events.

use super::{Standing, Start};
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
    /// Adds the next one of Stripe's list, which begins with the newest.
    pub fn add(&mut self, start: Start) {
        if matches!(start.standing, Standing::Counts | Standing::Past) {
            self.earliest = self.earliest.into_iter().chain([start.began_at]).min();
        }
        // The last one that counts is the oldest.
        if start.standing == Standing::Counts {
            self.counting = Some(Box::new(start));
        }
    }
}
