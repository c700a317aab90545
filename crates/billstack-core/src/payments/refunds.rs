//! How much of a payment was refunded.
//!
//! Refunds are told twice over: one by one, with an id, and as steps of a charge's total. Which of the two an
//! endpoint gets depends on the version of its API, and some get both. So the families are never added up: what
//! the totals tell beyond the refunds that are known is what those do not explain.
//!
//! Once Stripe has listed the refunds of a charge, all that there were are known, and only steps that came later can
//! tell of others.

use super::Facts;
use super::fact::{ChargeStep, Fact, Refund};
use super::loss::Paying;
use super::window::Case;
use crate::time::{MINUTE, Micros};
use std::collections::BTreeMap;

/// How much earlier than the step that tells of it a refund may have been made, or seem to: the step is of the time of
/// its event, and our clock, by which Stripe was asked, need not be Stripe's.
const APART: i64 = 10 * MINUTE;

/// The refunds of one payment, in the currency of its charge.
pub(super) struct Refunds {
    /// How much was refunded.
    pub(super) refunded: i64,
    /// How much of that is known by totals only.
    pub(super) unexplained: i64,
}

/// What is told of one charge.
#[derive(Default)]
struct Told<'f> {
    refunds: Vec<&'f Refund>,
    steps: Vec<&'f ChargeStep>,
    listed_at: Option<Micros>,
}

/// What was refunded of a payment, as far as it counts.
pub(super) fn refunds(facts: &Facts, case: &Case<'_>, payment: &Paying<'_>) -> Refunds {
    let mut charges: BTreeMap<Option<&str>, Told<'_>> = BTreeMap::new();
    for fact in facts.iter() {
        let subjects = fact.subjects();
        if !payment.trail.leads_to(&subjects) {
            continue;
        }
        let told = charges.entry(subjects.charge).or_default();
        match fact {
            Fact::Refund(refund)
                if refund.currency == payment.currency && case.counts(refund.created_at) =>
            {
                told.refunds.push(refund);
            }
            Fact::ChargeStep(step) if case.counts(step.at) => told.steps.push(step),
            Fact::RefundsListed(listed) => told.listed_at = Some(listed.at),
            _ => {}
        }
    }
    // A refund that names only its payment intent may be of any of its charges.
    let of_any = charges.remove(&None).unwrap_or_default();
    let told = || charges.values().chain([&of_any]);
    let stands = told()
        .flat_map(|told| &told.refunds)
        .filter(|refund| !refund.status.is_undone());
    let stands: i64 = stands.map(|refund| refund.amount).sum();
    let unexplained: i64 = charges.values().map(Told::unexplained).sum();
    let unexplained = (unexplained - of_any.sum(|_| true)).max(0);
    Refunds {
        refunded: stands + unexplained,
        unexplained,
    }
}

impl Told<'_> {
    /// What the totals of the charge tell beyond the refunds that are known.
    fn unexplained(&self) -> i64 {
        let Some(listed_at) = self.listed_at else {
            return (self.total(|_| true, 0) - self.sum(|_| true)).max(0);
        };
        // Of one second it is not known which was first.
        let after = |at: Micros| at.as_secs() >= listed_at.as_secs();
        let near = |at: Micros| after(at.plus(APART));
        let told_near = self.total(near, self.sum(|at| !near(at))) - self.sum(near);
        let told_after = self.total(after, self.sum(|at| !after(at)));
        told_near.min(told_after).max(0)
    }

    /// The known refunds of these times.
    fn sum(&self, is_meant: impl Fn(Micros) -> bool) -> i64 {
        let refunds = self.refunds.iter();
        let meant = refunds.filter(|refund| is_meant(refund.created_at));
        meant.map(|refund| refund.amount).sum()
    }

    /// What the steps of these times tell: together, or if some are missing by the highest total, of which so much is
    /// older.
    fn total(&self, is_meant: impl Fn(Micros) -> bool, older: i64) -> i64 {
        let (mut together, mut highest) = (0, 0);
        for step in self.steps.iter().filter(|step| is_meant(step.at)) {
            together += step
                .before
                .map_or(0, |before| (step.refunded - before).max(0));
            highest = highest.max(step.refunded);
        }
        together.max(highest - older)
    }
}
