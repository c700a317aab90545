//! Deliveries that wait for somebody go on: a customer was linked or mended, a team was connected, a person says so.

use billstack_core::delivery::{Reason, State};
use billstack_core::ids::TeamId;

use super::{hold_credit, keep, sync, wake};
use crate::operations::test_clock::inside;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits;
use crate::tables::stripe_operations::{self, StripeOperation};
use crate::tables::work;

/// A customer was linked to another customer of Stripe, or to none any more. What has not been begun follows.
pub(in crate::operations) fn linked(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
) -> Result<(), Fault> {
    for id in credits::undelivered_of(tx, place, customer_id)? {
        credits::hold(tx, place, &id)?;
        if let Some(mut credit) = credits::get(tx, place, &id)? {
            sync(tx, act, place, &mut credit)?;
        }
    }
    Ok(())
}

/// Something about a customer of Stripe was changed there.
pub(in crate::operations) fn customer_changed(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<(), Fault> {
    for operation in stripe_operations::stuck(tx, team_id, stripe_customer_id)? {
        let is_cured = matches!(
            operation.progress.reason,
            Some(
                Reason::CustomerDeleted
                    | Reason::CustomerUnknown
                    | Reason::CurrencyUnset
                    | Reason::CurrencyMismatch
            )
        );
        if is_cured {
            go_on(tx, act, team_id, operation)?;
        }
    }
    Ok(())
}

/// A team was connected to Stripe: nothing is paused any more, and what waited for it goes on.
pub(in crate::operations) fn connected(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
) -> Result<(), Fault> {
    work::hasten_all(tx, act, team_id, super::KIND)?;
    if stripe_operations::stuck_in_team(tx, team_id, "")?.is_empty() {
        return Ok(());
    }
    let now = act.real();
    wake(tx, act, team_id, "", now)
}

/// Lets some of what waited for the connection of a team go on: what comes after this operation. Returns the last of
/// them; `None` when none are left.
pub fn resume(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    after: &str,
) -> Result<Option<String>, Fault> {
    let stuck = stripe_operations::stuck_in_team(tx, team_id, after)?;
    let last = stuck.last().map(|operation| operation.id.clone());
    for operation in stuck {
        go_on(tx, act, team_id, operation)?;
    }
    Ok(last)
}

/// Lets an operation go on that waits; tells whether it did wait.
pub(in crate::operations) fn go_on(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    mut operation: StripeOperation,
) -> Result<bool, Fault> {
    let place = Place::new(team_id.clone(), operation.project_id.clone());
    inside(tx, act, &place, true, |tx, act| {
        go_on_there(tx, act, &place, &mut operation)
    })
}

fn go_on_there(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &mut StripeOperation,
) -> Result<bool, Fault> {
    let mut credit = hold_credit(tx, place, operation)?;
    if operation.progress.state != State::NeedsAttention || !operation.progress.retry(act.at) {
        return Ok(false);
    }
    keep(tx, act, place, operation, &mut credit)?;
    let (now, customer) = (act.real(), &operation.stripe_customer_id);
    wake(tx, act, &place.team_id, customer, now)?;
    Ok(true)
}
