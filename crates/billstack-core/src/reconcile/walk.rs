//! Whom a run looks at once it has caught up with the events, and in which order.
//!
//! First come payments that lead nowhere. Then customers of Stripe: those with an operation that has changed since it
//! was last looked at, then a sample: of as many slots as there are, one a day, so that every customer has a turn. Last
//! come the payments that credits depend on, by slots as well. A small team is looked at as a whole.

use sha2::{Digest, Sha256};

use crate::time::{DAY, Micros};

/// How many days it takes until everybody was in a sample.
pub const SLOTS: i64 = 20;

/// How many customers, and how many conversions, are looked at each time, if there are so many.
pub const LEAST: i64 = 100;

text_enum! {
    /// How far a run has come.
    pub enum Stage {
        /// It looks at payments of which something waits that leads to no invoice.
        Unlinked = "unlinked",
        /// It looks at customers with an operation that has changed.
        Changed = "changed",
        /// It looks at a sample of all, or at all of them.
        Sample = "sample",
        /// It asks about the payments that credits of a sample of conversions depend on, or of all.
        Payments = "payments",
        /// It has looked at everybody it wanted to.
        Over = "over",
    }
}

/// How far a run has come behind the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The stage.
    pub stage: Stage,
    /// How many slots of the sample it is through with.
    pub slots: i64,
    /// What it looked at last in this stage and slot; empty before the first.
    pub after: String,
    /// How many customers it has looked at.
    pub looked: i64,
    /// How many conversions it has asked about.
    pub asked: i64,
}

/// The slot of a customer of Stripe, or of a referral.
pub fn slot_of(id: &str) -> i64 {
    let digest = Sha256::digest(id.as_bytes());
    i64::from(u16::from_be_bytes([digest[0], digest[1]])) % SLOTS
}

impl Walk {
    /// The beginning of a run.
    pub fn begin() -> Walk {
        Walk {
            stage: Stage::Unlinked,
            slots: 0,
            after: String::new(),
            looked: 0,
            asked: 0,
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

    /// The same after a conversion was asked about, which is at this place.
    #[must_use]
    pub fn past_conversion(self, place: &str) -> Walk {
        Walk {
            after: place.to_owned(),
            asked: self.asked + 1,
            ..self
        }
    }

    /// The same after something was passed by that is not counted.
    #[must_use]
    pub fn passing(self, id: &str) -> Walk {
        Walk {
            after: id.to_owned(),
            ..self
        }
    }

    /// What comes when nothing is left in this stage and slot of a run that looks at all customers or not.
    #[must_use]
    pub fn next(self, is_whole: bool) -> Walk {
        let goes_on = |slots: i64, seen: i64| slots < SLOTS && (is_whole || seen < LEAST);
        let slots = self.slots + 1;
        let (stage, slots) = match self.stage {
            Stage::Unlinked if !is_whole => (Stage::Changed, 0),
            Stage::Unlinked | Stage::Changed => (Stage::Sample, 0),
            Stage::Sample if goes_on(slots, self.looked) => (Stage::Sample, slots),
            Stage::Sample => (Stage::Payments, 0),
            // Whoever asks about all has asked about them in one go.
            Stage::Payments if !is_whole && goes_on(slots, self.asked) => (Stage::Payments, slots),
            Stage::Payments => (Stage::Over, slots),
            Stage::Over | Stage::Other(_) => return self,
        };
        Walk {
            stage,
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
        let mut walk = Walk::begin();
        let (mut slots, mut of_payments) = (Vec::new(), Vec::new());
        let mut has_changed = false;
        while walk.stage != Stage::Over {
            if walk.stage == Stage::Sample {
                slots.push(walk.slot(Micros(asked_at)));
                for _ in 0..in_each {
                    walk = walk.past("cus_x");
                }
            }
            if walk.stage == Stage::Payments {
                of_payments.push(walk.slot(Micros(asked_at)));
                for _ in 0..in_each {
                    walk = walk.past_conversion("ref_x");
                }
            }
            has_changed |= walk.stage == Stage::Changed;
            walk = walk.next(is_whole);
        }
        assert_ne!(has_changed, is_whole);
        match is_whole {
            true => assert_eq!(of_payments.len(), 1),
            false => assert_eq!(of_payments, slots, "each has a sample of its own"),
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
            ..Walk::begin()
        };
        assert_eq!(newer.clone().next(false), newer);
    }
}
