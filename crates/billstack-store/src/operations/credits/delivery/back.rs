//! Taking back what is in a balance in Stripe: how much is within reach, and the operation that takes it.
//!
//! The operation is written with what is wanted. How much of that it takes is decided from the lines at the time of
//! its call; see `stripe_lane::reversal`.

use billstack_core::delivery::{Kind, State};
use billstack_core::ids::TeamId;
use billstack_core::ledger::Cause;
use billstack_core::money::Amount;
use billstack_core::program::ClawbackApplied;

use super::{NewOperation, begin, remove, sync};
use crate::operations::credits::hold;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::stripe_balances;
use crate::tables::stripe_operations::{self, Because, StripeOperation};

/// A credit that is held against all other changes, and its operations.
pub(in crate::operations) struct Standing {
    /// The credit as it is now.
    pub(in crate::operations) credit: Credit,
    pub(in crate::operations) operations: Vec<StripeOperation>,
}

impl Standing {
    /// How a credit stands; `None` while a call may be on its way, or something is to be put back: whoever ends that
    /// looks again.
    pub(in crate::operations) fn of(
        tx: &mut dyn Tx,
        place: &Place,
        credit: &Credit,
    ) -> Result<Option<Standing>, Fault> {
        hold_still(tx, place, credit)?;
        let Some(credit) = credits::get(tx, place, &credit.id)? else {
            return Ok(None);
        };
        let operations = stripe_operations::of_credit(tx, place, &credit.id)?;
        let standing = Standing { credit, operations };
        Ok(Some(standing).filter(|standing| !is_busy(&standing.operations)))
    }
}

/// Holds a credit and the name of its hold, in the order in which everybody does.
pub(in crate::operations) fn hold_still(
    tx: &mut dyn Tx,
    place: &Place,
    credit: &Credit,
) -> Result<(), Fault> {
    if credit.held_until.is_some() {
        hold::keep_still(tx, place, &credit.id)?;
    }
    credits::hold(tx, place, &credit.id).map(drop)
}

/// Whether a call may be on its way for a credit, or what was taken too much is still to be put back.
pub(in crate::operations) fn is_busy(operations: &[StripeOperation]) -> bool {
    operations.iter().any(|one| {
        let is_put_back = one.kind == Kind::PutBack && one.progress.state != State::Delivered;
        one.progress.is_open() || is_put_back
    })
}

/// How much of a credit was put into the balance of each customer of Stripe, less what was taken from there.
pub(in crate::operations) fn given_to(operations: &[StripeOperation]) -> Vec<(String, i64)> {
    let mut given: Vec<(String, i64)> = Vec::new();
    let done = operations
        .iter()
        .filter(|one| one.progress.state == State::Delivered);
    for one in done {
        let units = match one.kind {
            kind if kind.gives() => one.amount.get(),
            Kind::Reverse => -one.amount.get(),
            _ => continue,
        };
        let known = given
            .iter_mut()
            .find(|(id, _)| *id == one.stripe_customer_id);
        match known {
            Some((_, sum)) => *sum += units,
            None => given.push((one.stripe_customer_id.clone(), units)),
        }
    }
    given
}

fn is_by_hand(operation: &StripeOperation) -> bool {
    operation.cause.cause == Cause::User
}

/// An operation that takes back, of which Stripe knows nothing yet.
fn is_loose(operation: &StripeOperation) -> bool {
    let is_over = operation.progress.state == State::Delivered;
    operation.kind == Kind::Reverse && !is_over && !operation.progress.is_open()
}

/// How much a person is about to take back of a credit in Stripe.
pub(in crate::operations) fn pending_by_hand(operations: &[StripeOperation]) -> i64 {
    let by_hand = operations
        .iter()
        .filter(|one| is_loose(one) && is_by_hand(one));
    by_hand.map(|one| one.amount.get()).sum()
}

/// How much of it a loss is about to take back.
pub(in crate::operations) fn pending_by_loss(operations: &[StripeOperation]) -> i64 {
    let by_loss = operations
        .iter()
        .filter(|one| is_loose(one) && !is_by_hand(one));
    by_loss.map(|one| one.amount.get()).sum()
}

/// How much of a credit in Stripe may be taken back: what is not used, or all of it where that may become a debt.
/// Nothing of what is gone with its customer.
pub(in crate::operations) fn reach(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    standing: &Standing,
    applied: &ClawbackApplied,
) -> Result<i64, Fault> {
    let (parts, operations) = (&standing.credit.parts, &standing.operations);
    let mut given = 0;
    let mut may_owe = *applied == ClawbackApplied::Always;
    for (customer, units) in given_to(operations) {
        let balance = stripe_balances::get(tx, team_id, &customer)?.unwrap_or_default();
        if !balance.is_deleted {
            given += units.max(0);
        }
        may_owe &= !balance.has_cash;
    }
    let there = match may_owe {
        true => parts.delivered + parts.applied,
        false => parts.delivered,
    };
    Ok((given.min(there) - pending_by_hand(operations)).max(0))
}

/// Sees to it that so much is taken back of what a credit has in Stripe because of a loss, by one operation for one
/// customer at a time.
pub(in crate::operations) fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &mut Credit,
    units: i64,
    cause: &Because,
) -> Result<(), Fault> {
    let operations = stripe_operations::of_credit(tx, place, &credit.id)?;
    let from = source(tx, &place.team_id, &operations)?;
    let wanted = from.and_then(|(customer, given)| {
        let amount = Amount::new(units.min(given)).filter(|amount| !amount.is_zero())?;
        Some((customer, amount))
    });
    let (pending, _): (Vec<_>, Vec<_>) = operations
        .into_iter()
        .partition(|one| is_loose(one) && !is_by_hand(one));
    if let ([one], Some((customer, amount))) = (pending.as_slice(), &wanted)
        && one.stripe_customer_id == *customer
        && one.amount == *amount
    {
        return Ok(());
    }
    if pending.is_empty() && wanted.is_none() {
        return Ok(());
    }
    remove(tx, place, &pending)?;
    if let Some((customer, amount)) = wanted {
        let new = reversal(customer, amount, cause.clone());
        begin(tx, act, place, credit, new)?;
    }
    sync(tx, act, place, credit)
}

/// The same because a person wants it.
pub(in crate::operations) fn take_by_hand(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &mut Credit,
    amount: Amount,
    cause: Because,
) -> Result<(), Fault> {
    let operations = stripe_operations::of_credit(tx, place, &credit.id)?;
    let Some((customer, _)) = source(tx, &place.team_id, &operations)? else {
        let nowhere = format!("credit {} is in no balance", credit.id);
        return Err(Fault::Defect(nowhere));
    };
    begin(tx, act, place, credit, reversal(customer, amount, cause))?;
    sync(tx, act, place, credit)
}

fn reversal(stripe_customer_id: String, amount: Amount, cause: Because) -> NewOperation {
    NewOperation {
        kind: Kind::Reverse,
        amount,
        stripe_customer_id,
        cause,
        takes_back: None,
    }
}

/// The customer of Stripe from whose balance is taken next: the last who was given something that is still there.
fn source(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    operations: &[StripeOperation],
) -> Result<Option<(String, i64)>, Fault> {
    for (customer, given) in given_to(operations).into_iter().rev() {
        let balance = stripe_balances::get(tx, team_id, &customer)?.unwrap_or_default();
        if given > 0 && !balance.is_deleted {
            return Ok(Some((customer, given)));
        }
    }
    Ok(None)
}
