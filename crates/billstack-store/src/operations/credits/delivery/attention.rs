//! Deliveries that need attention: each is told once, when it begins to.

use billstack_core::delivery::{DeliveryState, Reason};
use billstack_core::event::Event;

use crate::operations::credits::book;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::Credit;

/// Tells that the delivery of a credit has come to need attention, if it has.
///
/// While Stripe does not answer, it is tried again and again, and comes to the same each time: whoever sees the first
/// time [tells](tell_silence).
pub(in crate::operations::credits) fn tell(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
) -> Result<(), Fault> {
    match reason_of(credit) {
        Some(reason) if reason != Reason::StripeUnreachable => {
            record(tx, act, place, credit, reason)
        }
        _ => Ok(()),
    }
}

/// Tells that Stripe has not answered for long, if that is why the delivery of a credit needs attention.
pub(in crate::operations) fn tell_silence(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
) -> Result<(), Fault> {
    match reason_of(credit) {
        Some(Reason::StripeUnreachable) => {
            record(tx, act, place, credit, Reason::StripeUnreachable)
        }
        _ => Ok(()),
    }
}

fn reason_of(credit: &Credit) -> Option<Reason> {
    let waits = credit.delivery == DeliveryState::NeedsAttention;
    credit.delivery_reason.filter(|_| waits)
}

fn record(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    reason: Reason,
) -> Result<(), Fault> {
    let event = Event::DeliveryNeedsAttention {
        credit_id: &credit.id,
        reason,
    };
    book::tell(tx, act, place, credit, &event)
}
