//! How much of a payment was refunded.
//!
//! Refunds are told twice over: one by one, with an id, and as steps of a charge's total. Which of the two an
//! endpoint gets depends on the version of its API, and some get both. So the families are never added up: what
//! the totals tell beyond the refunds that are known is what those do not explain.

use super::Facts;
use super::fact::{ChargeStep, Fact, Refund};
use super::loss::Paying;
use super::window::Case;
use crate::time::Micros;
use std::collections::BTreeMap;

/// The refunds of one payment, in the currency of its charge.
pub(super) struct Refunds {
    /// How much was refunded.
    pub(super) refunded: i64,
    /// How much of that is known by totals only.
    pub(super) unexplained: i64,
}

/// What was refunded of a payment, as far as it counts.
pub(super) fn refunds(facts: &Facts, case: &Case<'_>, payment: &Paying<'_>) -> Refunds {
    let mut known: Vec<&Refund> = Vec::new();
    let mut steps: BTreeMap<&str, Vec<&ChargeStep>> = BTreeMap::new();
    let mut listed_at = None;
    for fact in facts.iter() {
        if !payment.trail.leads_to(&fact.subjects()) {
            continue;
        }
        match fact {
            Fact::Refund(refund)
                if refund.currency == payment.currency && case.counts(refund.created_at) =>
            {
                known.push(refund);
            }
            Fact::ChargeStep(step) if case.counts(step.at) => {
                steps.entry(&step.charge).or_default().push(step);
            }
            Fact::RefundsListed(listed) => listed_at = listed_at.max(Some(listed.at)),
            _ => {}
        }
    }
    let before = |at: Micros| listed_at.is_some_and(|listed| at.as_secs() <= listed.as_secs());
    let sum = |refunds: &mut dyn Iterator<Item = &&Refund>| -> i64 {
        refunds.map(|refund| refund.amount).sum()
    };
    let listed = sum(&mut known.iter().filter(|refund| before(refund.created_at)));
    let since = sum(&mut known.iter().filter(|refund| !before(refund.created_at)));
    let (mut together, mut highest) = (0, 0);
    for steps in steps.values() {
        let steps = steps.iter().filter(|step| !before(step.at));
        let (all, last) = totals(steps);
        together += all;
        highest += last;
    }
    // A step may be missing, and then the highest total still tells of it.
    let told = together.max(highest - listed);
    let stands = sum(&mut known.iter().filter(|refund| !refund.status.is_undone()));
    let unexplained = (told - since).max(0);
    Refunds {
        refunded: stands + unexplained,
        unexplained,
    }
}

/// What the totals of a charge tell: all steps together, and the highest total.
fn totals<'f>(steps: impl Iterator<Item = &'f &'f ChargeStep>) -> (i64, i64) {
    let (mut together, mut highest) = (0, 0);
    for step in steps {
        together += step
            .before
            .map_or(0, |before| (step.refunded - before).max(0));
        highest = highest.max(step.refunded);
    }
    (together, highest)
}
