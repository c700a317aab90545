//! Mending a link: the Stripe customer somebody is linked to never subscribed, and another one did for them.
//!
//! A payment link or a pricing table makes a Stripe customer of its own for whoever buys, although we may have
//! linked them to another one before. What the session says of the buyer can be forged: whoever knows the id of
//! one of our customers may set it, and type their address. So the link must never have been of use, which only
//! Stripe can tell; a stranger who pays for somebody's subscription then gains no more than by a present, and
//! cannot move the link again, because from then on it has a subscription.

use billstack_core::attribution::{self, Found};
use billstack_core::email;
use billstack_core::event::Event;
use billstack_core::stripe_event::Eligibility;

use super::credits::delivery::cure as delivery;
use super::evidence::Evidence;
use super::refusal::{Abort, Refusal};
use super::test_clock::inside;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::customers;
use crate::tables::{events, stripe_connections, stripe_events, subscription_starts};

/// What Stripe told of the customer that somebody is linked to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LinkAnswer {
    /// Whom it was asked about, `cus_…`.
    pub stripe_customer_id: String,
    /// Whether they never had a subscription.
    pub never_subscribed: bool,
}

/// Links the customer whom a session refers to, against the link they have, if everything speaks for it; tells
/// whether it did.
///
/// # Errors
/// The refusal to go on until Stripe has been asked about that link.
pub(super) fn mend(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    answer: Option<&LinkAnswer>,
) -> Result<bool, Abort> {
    let start = evidence.start;
    let disputed = attribution::disputed(start, evidence.named.as_ref(), &evidence.leads);
    let (Some(found), Some(buyer), Eligibility::Counts) =
        (disputed, &start.buyer_email, start.eligibility)
    else {
        return Ok(false);
    };
    let (Some(linked), Some(pays)) = (&found.stripe_customer_id, start.stripe_ids().next()) else {
        return Ok(false);
    };
    let (place, id) = (evidence.place(found), &found.customer_id);
    if !act.holds(&customers::names_of(id, Some(linked))) {
        let why = "the customer was linked meanwhile";
        return Err(Fault::Conflict(why.to_owned()).into());
    }
    let customer = customers::get(tx, &place, id)?;
    let is_theirs = |own: &str| email::identity(own) == email::identity(buyer);
    if !customer.is_some_and(|customer| is_theirs(&customer.email)) {
        return Ok(false);
    }
    let known = subscription_starts::known_of_stripe(tx, &place, linked)?;
    if known.earliest.is_some() {
        return Ok(false);
    }
    match answer.filter(|answer| answer.stripe_customer_id == *linked) {
        Some(answer) if answer.never_subscribed => {}
        Some(_) => return Ok(false),
        None if stripe_connections::has_secret_key(tx, evidence.team_id)? => {
            return Err(Refusal::LinkInDoubt(linked.clone()).into());
        }
        None => return Ok(false),
    }
    relink(tx, act, &place, found, [linked, pays])?;
    // As with any other link: they may tell of somebody else, whose erasure would miss them.
    stripe_events::drop_payloads_of(tx, &place, id, None)?;
    Ok(true)
}

fn relink(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    found: &Found,
    [linked, pays]: [&str; 2],
) -> Result<(), Fault> {
    let id = &found.customer_id;
    inside(tx, act, place, found.is_test, |tx, act| {
        if !customers::relink(tx, place, id, [linked, pays], act.at)? {
            let why = "the customer changed since it was read";
            return Err(Fault::Conflict(why.to_owned()));
        }
        let event = Event::CustomerLinked {
            changed: Vec::new(),
            instead_of: Some(linked),
            stripe_customer_id: pays,
        };
        events::record(tx, act, place, id, &event)?;
        delivery::linked(tx, act, place, id)
    })
}
