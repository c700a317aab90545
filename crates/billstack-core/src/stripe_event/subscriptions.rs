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
    /// What Stripe's list says, in whatever order: it goes by when each was created, not by when it began.
    pub fn of(list: impl IntoIterator<Item = Start>) -> Subscriptions {
        let mut subscriptions = Subscriptions::default();
        list.into_iter().for_each(|start| subscriptions.add(start));
        subscriptions
    }

    /// What is told of another Stripe customer of the same person: it makes them an older customer, and converts
    /// nothing.
    #[must_use]
    pub fn besides(self, other: &Subscriptions) -> Subscriptions {
        let earliest = self.earliest.into_iter().chain(other.earliest).min();
        Subscriptions { earliest, ..self }
    }

    fn add(&mut self, start: Start) {
        if matches!(start.eligibility, Eligibility::Counts | Eligibility::Past) {
            self.earliest = self.earliest.into_iter().chain([start.began_at]).min();
        }
        let oldest = self.counting.as_ref().map(|known| known.began_at);
        let is_oldest = oldest.is_none_or(|oldest| start.began_at <= oldest);
        if start.eligibility == Eligibility::Counts && is_oldest {
            self.counting = Some(Box::new(start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Meaning, read_object};
    use super::*;

    #[test]
    fn the_oldest_is_the_one_that_began_first() {
        let read = |id: &str, created: i64, began: i64| {
            let object = format!(
                r#"{{"id":"{id}","status":"active","created":{created},"start_date":{began}}}"#
            );
            let read = read_object(
                "customer.subscription.updated",
                object.as_bytes(),
                Micros(0),
            );
            match read {
                Some(Meaning::Start(start)) => *start,
                other => panic!("{other:?}"),
            }
        };
        let told = Subscriptions::of([read("sub_moved_in", 300, 100), read("sub_new", 200, 200)]);
        assert_eq!(told.earliest, Some(Micros::from_secs(100)));
        assert_eq!(told.counting.unwrap().object_id, "sub_moved_in");
        let other = Subscriptions::of([read("sub_other", 50, 50)]);
        let besides = Subscriptions::default().besides(&other);
        assert_eq!(besides.earliest, other.earliest);
        assert_eq!(besides.counting, None);
        let later = read("sub_later", 200, 900);
        assert_eq!(later.began_at, Micros::from_secs(200));
    }
}
