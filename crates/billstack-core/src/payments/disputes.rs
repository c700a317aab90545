//! How much of a payment is disputed.
//!
//! A status does not say where the money is: what is lost may come back in part, and what is won comes back later.
//! What the dispute has moved says it.

use super::Facts;
use super::fact::{Dispute, Fact};
use super::loss::{Paying, Trail, portion};
use super::status::DisputeStatus;
use super::window::Case;

/// What disputes have taken of a payment, as far as it counts, in the currency of its charge.
pub(super) fn disputed(facts: &Facts, case: &Case<'_>, payment: &Paying<'_>) -> i64 {
    disputes_of(facts, &payment.trail)
        .filter(|dispute| case.counts(dispute.created_at))
        .map(|dispute| taken_by(dispute, payment))
        .sum()
}

/// The disputes of a payment.
pub(super) fn disputes_of<'f>(
    facts: &'f Facts,
    trail: &Trail<'f>,
) -> impl Iterator<Item = &'f Dispute> {
    facts.iter().filter_map(|fact| match fact {
        Fact::Dispute(dispute) if trail.leads_to(&fact.subjects()) => Some(dispute),
        _ => None,
    })
}

/// What a dispute has taken and not given back. What it moves is in the currency in which the business is paid, so
/// that only the ratio counts.
fn taken_by(dispute: &Dispute, payment: &Paying<'_>) -> i64 {
    if !dispute.status.is_dispute() {
        return 0;
    }
    let whole = if dispute.currency == payment.currency {
        dispute.amount
    } else {
        payment.captured
    };
    let first = dispute.lines.iter().filter(|line| line.amount < 0).min();
    let Some(first) = first else {
        let is_lost = dispute.lines.is_empty() && dispute.status == DisputeStatus::Lost;
        return if is_lost { whole } else { 0 };
    };
    let moved: i64 = dispute.lines.iter().map(|line| line.amount).sum();
    portion(whole, (-moved).max(0), -first.amount)
}
