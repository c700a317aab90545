//! Which facts count for a conversion, by their own times.

use super::Facts;
use super::disputes::disputes_of;
use super::loss::{Qualifying, payments_of};
use crate::credit::held_until;
use crate::program::Clawback;
use crate::referral::Terms;
use crate::time::{DAY, Micros};

/// For how long after the end of the hold an open inquiry or dispute can put off the release, in microseconds: an
/// inquiry closes by itself within that time.
pub const LONGEST_POSTPONED: i64 = 120 * DAY;

/// The conversion whose credits may come back.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Case<'c> {
    /// The subscription that converted the referral.
    pub subscription: &'c str,
    /// When the hold of its credits ends; `None` when there is none.
    pub held_until: Option<Micros>,
    /// Until when losses count, that second included; `None` when none ever does.
    pub losses_until: Option<Micros>,
}

impl<'c> Case<'c> {
    /// The conversion by a subscription at a time under these terms.
    pub fn new(terms: &Terms, subscription: &'c str, converted_at: Micros) -> Case<'c> {
        let held_until = held_until(terms, converted_at);
        let window = terms.clawback_window_days.saturating_mul(DAY);
        Case {
            subscription,
            held_until,
            losses_until: match terms.clawback {
                Clawback::None | Clawback::Other(_) => None,
                Clawback::WithinHold => held_until,
                Clawback::Always => Some(converted_at.plus(window)),
            },
        }
    }

    /// Whether a loss of a time counts. What is gained back always does.
    pub(super) fn counts(&self, at: Micros) -> bool {
        self.losses_until
            .is_some_and(|until| at.as_secs() <= until.as_secs())
    }
}

/// Until when the release of the credits is put off because an inquiry or a dispute about the payment is open;
/// `None` when none is. Whether one still is has to be asked again whenever more becomes known.
pub fn postponed_until(facts: &Facts, case: &Case<'_>) -> Option<Micros> {
    let held_until = case.held_until?;
    let qualifying = Qualifying::of(facts, case.subscription)?;
    let is_disputed = payments_of(facts, qualifying.invoice)
        .iter()
        .flat_map(|payment| disputes_of(facts, &payment.trail))
        .any(|dispute| dispute.status.is_open() && case.counts(dispute.created_at));
    is_disputed.then(|| held_until.plus(LONGEST_POSTPONED))
}
