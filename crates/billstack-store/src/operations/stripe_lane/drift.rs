//! What is done when the lines of a balance in Stripe are not those of the operations.

use billstack_core::delivery::look::Look;

use super::Written;
use super::written::deliver;
use crate::operations::credits::delivery::{hold_credit, keep, wake};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::Credit;
use crate::tables::stripe_operations::{self, StripeOperation};

/// The line of an operation is there, and nobody knew.
pub(in crate::operations) fn adopt(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &StripeOperation,
    line: &Written,
) -> Result<bool, Fault> {
    let Some((mut operation, mut credit)) = hold(tx, place, operation)? else {
        return Ok(false);
    };
    if stripe_operations::of_line(tx, &place.team_id, &line.id)?.is_some() {
        return Ok(false);
    }
    operation.progress.looked(&Look::Adopt(&line.id), act.at, 0);
    deliver(tx, act, place, &mut operation, &mut credit, line)?;
    Ok(true)
}

/// The line of an operation is gone: it is written anew. In the books the credit stays where it is.
pub(in crate::operations) fn call_anew(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &StripeOperation,
) -> Result<bool, Fault> {
    let Some((mut operation, mut credit)) = hold(tx, place, operation)? else {
        return Ok(false);
    };
    let Some(line) = operation.transaction_id.take() else {
        return Ok(false);
    };
    stripe_operations::lose(tx, &place.team_id, &operation.id, &line)?;
    operation.lost_transaction_id = Some(line);
    operation.progress.lose(act.at);
    keep(tx, act, place, &mut operation, &mut credit)?;
    let now = act.real();
    wake(tx, act, &place.team_id, &operation.stripe_customer_id, now)?;
    Ok(true)
}

/// An operation with the credit it is about, held, unless it has changed since it was read.
fn hold(
    tx: &mut dyn Tx,
    place: &Place,
    operation: &StripeOperation,
) -> Result<Option<(StripeOperation, Credit)>, Fault> {
    let credit = hold_credit(tx, place, operation)?;
    let now = stripe_operations::get(tx, &place.team_id, &operation.id)?;
    let same = now.filter(|now| now.is_as(operation));
    Ok(same.map(|now| (now, credit)))
}
