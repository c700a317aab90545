//! Which customers of Stripe a run looks at, and in which order.
//!
//! First those with an operation that has changed since it was last looked at, then a sample: of as many slots as
//! there are, one a day, so that every customer has a turn. A small team is looked at as a whole.

use sha2::{Digest, Sha256};

use crate::time::{DAY, Micros};

/// How many days it takes until everybody was in a sample.
pub const SLOTS: i64 = 20;

/// How many customers are looked at each time, if there are so many.
pub const LEAST: i64 = 100;

text_enum! {
    /// How far a run has come with the balances.
    pub enum Stage {
        /// It looks at customers with an operation that has changed.
        Changed = "changed",
        /// It looks at a sample of all, or at all of them.
        Sample = "sample",
        /// It has looked at everybody it wanted to.
        Over = "over",
    }
}

/// How far a run has come with the balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The stage.
    pub stage: Stage,
    /// How many slots of the sample it is through with.
    pub slots: i64,
    /// The customer of Stripe whom it looked at last in this stage and slot; empty before the first.
    pub after: String,
    /// How many it has looked at.
    pub looked: i64,
}

/// The slot of a customer of Stripe.
pub fn slot_of(stripe_customer_id: &str) -> i64 {
    let digest = Sha256::digest(stripe_customer_id.as_bytes());
    i64::from(u16::from_be_bytes([digest[0], digest[1]])) % SLOTS
}

impl Walk {
    /// The beginning of a run, which looks at all of them or not.
    pub fn begin(is_whole: bool) -> Walk {
        Walk {
            stage: match is_whole {
                true => Stage::Sample,
                false => Stage::Changed,
            },
            slots: 0,
            after: String::new(),
            looked: 0,
        }
    }

    /// The slot of the sample that has its turn in a run that was asked for then.
    pub fn slot(&self, asked_at: Micros) -> i64 {
        (asked_at.0.div_euclid(DAY) + self.slots).rem_euclid(SLOTS)
    }

    /// The same after a customer was looked at.
    #[must_use]
    pub fn past(self, stripe_customer_id: &str) -> Walk {
        Walk {
            after: stripe_customer_id.to_owned(),
            looked: self.looked + 1,
            ..self
        }
    }

    /// The same after a customer was passed by.
    #[must_use]
    pub fn passing(self, stripe_customer_id: &str) -> Walk {
        Walk {
            after: stripe_customer_id.to_owned(),
            ..self
        }
    }

    /// What comes when nobody is left in this stage and slot.
    #[must_use]
    pub fn next(self, is_whole: bool) -> Walk {
        let slots = match self.stage {
            Stage::Changed => 0,
            Stage::Sample => self.slots + 1,
            Stage::Over | Stage::Other(_) => return self,
        };
        let goes_on = slots == 0 || is_whole || self.looked < LEAST;
        Walk {
            stage: match goes_on && slots < SLOTS {
                true => Stage::Sample,
                false => Stage::Over,
            },
            slots,
            after: String::new(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The slots that a run looks at which finds so many customers in each.
    fn slots(is_whole: bool, asked_at: i64, in_each: i64) -> Vec<i64> {
        let mut walk = Walk::begin(is_whole);
        let mut slots = Vec::new();
        while walk.stage != Stage::Over {
            if walk.stage == Stage::Sample {
                slots.push(walk.slot(Micros(asked_at)));
                for _ in 0..in_each {
                    walk = walk.past("cus_x");
                }
            }
            walk = walk.next(is_whole);
        }
        slots
    }

    #[test]
    fn a_day_has_its_slot_and_after_all_of_them_everybody_was_looked_at() {
        let seen: BTreeSet<i64> = (0..SLOTS)
            .flat_map(|day| slots(false, day * DAY + 5, 1_000))
            .collect();
        assert_eq!(seen, (0..SLOTS).collect());
        assert_eq!(slots(false, 7 * DAY, 1_000), [7]);
        assert_eq!(slots(false, 7 * DAY + DAY - 1, 1_000), [7]);
        assert_eq!(slots(false, 20 * DAY, 1_000), [0]);
    }

    #[test]
    fn of_a_small_team_everybody_is_looked_at_each_time() {
        assert_eq!(slots(false, 3 * DAY, 1).len(), 20);
        assert_eq!(slots(false, 3 * DAY, 30), [3, 4, 5, 6]);
        assert_eq!(slots(true, 3 * DAY, 1_000).len(), 20);
    }

    #[test]
    fn customers_are_spread_over_the_slots() {
        let mut counted = [0; SLOTS as usize];
        for number in 0..20_000 {
            let slot = slot_of(&format!("cus_{number}"));
            counted[usize::try_from(slot).unwrap()] += 1;
        }
        assert!(counted.iter().all(|count| (800..1_200).contains(count)));
        assert_eq!(slot_of("cus_1"), slot_of("cus_1"));
    }

    #[test]
    fn what_a_newer_version_does_is_left_to_it() {
        let newer = Walk {
            stage: Stage::read("newer").unwrap(),
            ..Walk::begin(false)
        };
        assert_eq!(newer.clone().next(false), newer);
    }
}
