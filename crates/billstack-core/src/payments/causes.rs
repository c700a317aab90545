//! By what a payment was lost, for those who ask why a credit came back.

use super::Facts;
use super::disputes::disputed;
use super::loss::{Qualifying, ended_in_hold, payments_of};
use super::notes::noted;
use super::refunds::refunds;
use super::window::Case;

/// Something that took the payment of a conversion, or a part of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossCause {
    /// Refunds.
    Refund,
    /// Disputes that took the money.
    Dispute,
    /// Credit notes that gave it back in other ways than by refunds.
    CreditNote,
    /// What was paid does not count as paid any more.
    Unpaid,
    /// The subscription ended in the hold without any payment.
    Ended,
}

/// By what the payment was lost, each once; nothing when it was not.
pub fn loss_causes(facts: &Facts, case: &Case<'_>) -> Vec<LossCause> {
    if case.losses_until.is_none() {
        return Vec::new();
    }
    let Some(qualifying) = Qualifying::of(facts, case.subscription) else {
        let ended = ended_in_hold(facts, case).then_some(LossCause::Ended);
        return ended.into_iter().collect();
    };
    if qualifying.is_unpaid(case) {
        return vec![LossCause::Unpaid];
    }
    let (mut causes, mut unexplained) = (Vec::new(), 0);
    for payment in payments_of(facts, qualifying.invoice) {
        let refunds = refunds(facts, case, &payment);
        unexplained += refunds.unexplained;
        if payment.is_unpaid(case) {
            causes.push(LossCause::Unpaid);
            continue;
        }
        causes.extend((refunds.refunded > 0).then_some(LossCause::Refund));
        causes.extend((disputed(facts, case, &payment) > 0).then_some(LossCause::Dispute));
    }
    let noted = noted(facts, case, &qualifying.invoice.id, unexplained);
    causes.extend((noted > 0).then_some(LossCause::CreditNote));
    causes.sort_unstable();
    causes.dedup();
    causes
}
