//! Erasing a customer: the person goes, ids and amounts stay.

use billstack_core::attribution::Reconsider;
use billstack_core::event::Event;

use super::codes;
use super::customer_creation;
use super::hold::{ThenReconsider, hold};
use super::newness;
use super::reconsider;
use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::referrals::Advance;
use crate::tables::{
    customers, events, idempotency_keys, portal_tickets, referrals, stripe_events,
};

/// Erases a customer's name, address, external id, metadata and their traces in stored events and
/// answers; deactivates its code and closes the pending referrals it takes part in.
pub fn erase(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<(), Abort> {
    let then = match newness::of_referee(tx, place, id)? {
        Some(_) => ThenReconsider::Yes,
        None => ThenReconsider::No,
    };
    let held = hold(tx, act, place, id, None, then)?;
    let customer = held.ok_or(Refusal::NotFound(Thing::Customer))?;
    if let Some(code) = codes::get_active(tx, place, id)? {
        codes::deactivate(tx, act, place, &code.code)?;
    }
    // After the code, so that an apply that was under way has been counted.
    let question = newness::of_referee(tx, place, id)?;
    expire_referrals(tx, act, place, id)?;
    if let Some(referral_id) = question {
        // No event shall wait for an answer that nobody needs any more.
        reconsider::again(tx, act, place, &customer, Reconsider::Open)?;
        newness::forget(tx, place, &referral_id)?;
    }
    codes::names::erase(tx, act, place, id)?;
    portal_tickets::drop_of_customer(tx, place, id)?;
    customers::erase(tx, place, id, act.at)?;
    let stripe_id = customer.stripe_customer_id.as_deref();
    stripe_events::drop_payloads_of(tx, place, id, stripe_id)?;
    idempotency_keys::drop_of_customer(tx, place, id)?;
    customer_creation::forget(tx, place, &customer)?;
    Ok(events::record(
        tx,
        act,
        place,
        id,
        &Event::CustomerErased {},
    )?)
}

fn expire_referrals(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
) -> Result<(), Fault> {
    for id in referrals::pending_of(tx, place, customer_id)? {
        let advanced = referrals::advance(tx, act, place, &id, Advance::Expired, 1)?;
        // One that converts at this very moment is converted.
        let Some(mut chapter) = advanced else {
            continue;
        };
        let event = Event::ReferralExpired {
            customer_id,
            reason: "customer erased",
        };
        events::record_in_story(tx, act, place, &mut chapter, &id, &event)?;
    }
    Ok(())
}
