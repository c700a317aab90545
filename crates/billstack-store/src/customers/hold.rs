//! Holding a customer while something is decided about it.

use super::{Customer, get};
use crate::act::Place;
use crate::reconsider;
use crate::tx::{Fault, Tx};

/// Whether the events kept for a customer will be looked at again in the same transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kept {
    LookedAt,
    LeftAlone,
}

/// Holds a customer, its Stripe customer and, when given, the Stripe customer it will be linked to,
/// so that no event for either can slip by unseen. Returns the customer as it is while held.
pub(crate) fn hold(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    new_link: Option<&str>,
    kept: Kept,
) -> Result<Option<Customer>, Fault> {
    let Some(taken) = take(tx, place, id, new_link, kept)? else {
        return Ok(None);
    };
    if tx.is_alone() {
        return Ok(Some(taken));
    }
    let now = get(tx, place, id)?;
    confirm(&taken, now, new_link)
}

/// Holds a customer whose data are about to be kept somewhere else, so that whoever erases it finds
/// them there. Tells whether it is still there.
pub fn hold_existing(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<bool, Fault> {
    Ok(hold(tx, place, id, None, Kept::LeftAlone)?.is_some())
}

/// The first half of [`hold`]: the customer as it was before it was held. Whoever is not alone must
/// read it again, and [`confirm`] it.
pub(crate) fn take(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    new_link: Option<&str>,
    kept: Kept,
) -> Result<Option<Customer>, Fault> {
    let Some(customer) = get(tx, place, id)? else {
        return Ok(None);
    };
    if tx.is_alone() {
        return Ok(Some(customer));
    }
    let stripe_ids = customer.stripe_customer_id.as_deref().into_iter();
    take_names(tx, place, id, stripe_ids.chain(new_link), kept)?;
    Ok(Some(customer))
}

/// Holds a customer who is about to be made, and the Stripe customer it will be linked to. An event may
/// name the customer already, if its id was fixed before it was created in Stripe.
pub(crate) fn hold_new(tx: &mut dyn Tx, place: &Place, id: &str, link: &str) -> Result<(), Fault> {
    if tx.is_alone() {
        return Ok(());
    }
    take_names(tx, place, id, [link].into_iter(), Kept::LookedAt)
}

fn take_names<'a>(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    stripe_ids: impl Iterator<Item = &'a str>,
    kept: Kept,
) -> Result<(), Fault> {
    let mut names = vec![format!("customer:{id}")];
    names.extend(stripe_ids.map(|id| format!("stripe:{id}")));
    if kept == Kept::LookedAt {
        reconsider::foresee(tx, &place.team_id, &mut names)?;
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    tx.lock(&place.team_id, &names)
}

/// The second half of [`hold`]: the customer as it is `now`, when what was held is still its own.
pub(crate) fn confirm(
    taken: &Customer,
    now: Option<Customer>,
    new_link: Option<&str>,
) -> Result<Option<Customer>, Fault> {
    let linked = |customer: &Customer| customer.stripe_customer_id.clone();
    let link = now.as_ref().and_then(linked);
    if link != linked(taken) && link.as_deref() != new_link {
        // It was linked while we waited, so its Stripe customer is not held. Start over.
        let why = "the customer was linked meanwhile";
        return Err(Fault::Conflict(why.to_owned()));
    }
    Ok(now)
}
