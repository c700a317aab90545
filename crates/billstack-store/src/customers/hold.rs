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
    let Some(before) = get(tx, place, id)? else {
        return Ok(None);
    };
    if tx.is_alone() {
        return Ok(Some(before));
    }
    let before = before.stripe_customer_id;
    let mut names = vec![format!("customer:{id}")];
    names.extend(before.iter().map(|stripe| format!("stripe:{stripe}")));
    names.extend(new_link.map(|stripe| format!("stripe:{stripe}")));
    if kept == Kept::LookedAt {
        reconsider::foresee(tx, &place.team_id, &mut names)?;
    }
    tx.lock(
        &place.team_id,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )?;
    let customer = get(tx, place, id)?;
    let now = customer
        .as_ref()
        .and_then(|customer| customer.stripe_customer_id.clone());
    if now != before && now.as_deref() != new_link {
        // It was linked while we waited, so its Stripe customer is not held. Start over.
        return Err(Fault::Conflict(
            "the customer was linked meanwhile".to_owned(),
        ));
    }
    Ok(customer)
}
