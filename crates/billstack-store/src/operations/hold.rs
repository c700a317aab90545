//! Holding a customer while something is decided about it.
//!
//! Everybody whom the decision may concern is locked at once, in one order, before anything is read: see
//! [`dialect`](crate::seam::dialect).

use super::reconsider;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::customers::{self, Customer, names_of};

/// Whether the events kept for a customer will be decided anew in the same transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ThenReconsider {
    /// They will, so everybody they name is held too.
    Yes,
    /// They stay as they are.
    No,
}

/// Holds a customer, its Stripe customer and, when given, the Stripe customer it will be linked to,
/// so that no event for either can slip by unseen. Returns the customer as it is while held.
pub(crate) fn hold(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    new_link: Option<&str>,
    then: ThenReconsider,
) -> Result<Option<Customer>, Fault> {
    let Some(taken) = take(tx, act, place, id, new_link, then)? else {
        return Ok(None);
    };
    if tx.is_alone() {
        return Ok(Some(taken));
    }
    let now = customers::get(tx, place, id)?;
    confirm(&taken, now, new_link)
}

/// Holds a customer whose data are about to be stored somewhere else, so that an erasure finds them there.
/// Returns whether the customer still exists.
pub fn hold_existing(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
) -> Result<bool, Fault> {
    Ok(hold(tx, act, place, id, None, ThenReconsider::No)?.is_some())
}

/// The first half of [`hold`]: the customer as it was before the lock. Where others can write, read it again
/// and [`confirm`] it.
pub(crate) fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    new_link: Option<&str>,
    then: ThenReconsider,
) -> Result<Option<Customer>, Fault> {
    let Some(customer) = customers::get(tx, place, id)? else {
        return Ok(None);
    };
    if tx.is_alone() {
        return Ok(Some(customer));
    }
    let stripe_id = customer.stripe_customer_id.as_deref();
    take_names(tx, act, place, id, [stripe_id, new_link], then, None)?;
    Ok(Some(customer))
}

/// The same for a customer who is about to apply a code, and has just been read: holds besides what is shared with
/// an apply in which the owner of that code uses one of the customer's.
pub(crate) fn take_with_owner(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer: &Customer,
    owner: Option<&str>,
) -> Result<(), Fault> {
    let id = &*customer.id;
    let stripe_id = customer.stripe_customer_id.as_deref();
    let pair = owner.map(|owner| format!("pair:{}:{}", id.min(owner), id.max(owner)));
    let then = ThenReconsider::Yes;
    take_names(tx, act, place, id, [stripe_id, None], then, pair)
}

/// Holds a customer who is about to be made, and the Stripe customer it will be linked to. An event may
/// name the customer already, if its id was fixed before it was created in Stripe.
pub(crate) fn hold_new(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    link: &str,
) -> Result<(), Fault> {
    if tx.is_alone() {
        return Ok(());
    }
    let then = ThenReconsider::Yes;
    take_names(tx, act, place, id, [Some(link), None], then, None)
}

fn take_names(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    stripe_ids: [Option<&str>; 2],
    then: ThenReconsider,
    besides: Option<String>,
) -> Result<(), Fault> {
    let mut names = names_of(id, None);
    let stripe_ids = stripe_ids.into_iter().flatten();
    names.extend(stripe_ids.map(|id| format!("stripe:{id}")));
    if then == ThenReconsider::Yes {
        reconsider::foresee(tx, &place.team_id, &mut names)?;
    }
    names.extend(besides);
    act.hold(tx, &place.team_id, names)
}

/// The second half of [`hold`]: the customer as it is `now`, if the names held are still its own.
pub(crate) fn confirm(
    taken: &Customer,
    now: Option<Customer>,
    new_link: Option<&str>,
) -> Result<Option<Customer>, Fault> {
    let linked = |customer: &Customer| customer.stripe_customer_id.clone();
    let link = now.as_ref().and_then(linked);
    if link != linked(taken) && link.as_deref() != new_link {
        // It was linked while we waited for the lock, so its Stripe customer is not held. Start over.
        let why = "the customer was linked meanwhile";
        return Err(Fault::Conflict(why.to_owned()));
    }
    Ok(now)
}
