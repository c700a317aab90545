//! What a reversal takes is decided at the time of its call, from the lines of the balance and from what is lost of
//! the payment then. What it cannot take falls short at once.

use billstack_core::delivery::operation::KeyState;
use billstack_core::delivery::{Kind, Reason};
use billstack_core::event::Event;
use billstack_core::ledger::Cause;
use billstack_core::money::Amount;
use billstack_core::program::ClawbackApplied;

use super::{Job, Lane, balance, is_unchanged};
use crate::operations::credits::book::tell;
use crate::operations::credits::delivery::back::{given_to, hold_still};
use crate::operations::credits::delivery::{body_of, changed, keep, sync};
use crate::operations::payments;
use crate::operations::test_clock;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::stripe_operations::{self, StripeOperation};
use crate::tables::{referrals, stripe_balances};

/// What Stripe said of a customer before something is taken from their balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    /// Whether they were deleted, and their balance with them.
    pub is_deleted: bool,
    /// Whether Stripe holds money of their own: then they cannot owe anything.
    pub has_cash: bool,
    /// Their balance in the currency of the credit, where it was told.
    pub balance: Option<i64>,
}

/// What comes next.
#[derive(Clone, Debug)]
pub enum Decided {
    /// A call, which is written down.
    Call(Box<Job>),
    /// Nothing is to be called: the lane goes on.
    GoOn(Lane),
    /// The lines and the balance do not agree: they were read while it changed.
    Disagree(Lane),
    /// The lane is somebody else's by now.
    TakenOver,
}

/// Decides how much a reversal takes, and writes down that it is about to be called.
pub fn begin_reversal(
    tx: &mut dyn Tx,
    act: &mut Act,
    job: &Job,
    payer: Payer,
) -> Result<Decided, Fault> {
    let Some(lane) = job.lane.extended(tx, act.real())? else {
        return Ok(Decided::TakenOver);
    };
    let mut job = Job {
        lane: lane.clone(),
        ..job.clone()
    };
    let place = job.place();
    test_clock::enter(tx, act, &place)?;
    let mut credit = hold_credit_still(tx, &place, &job.operation)?;
    if !is_unchanged(tx, &job)? {
        return Ok(Decided::GoOn(lane));
    }
    let operation = &mut job.operation;
    let (team_id, customer) = (&place.team_id, &operation.stripe_customer_id);
    stripe_balances::found(tx, team_id, customer, payer.is_deleted, payer.has_cash)?;
    let Some(can) = within_reach(tx, &place, operation, &credit, payer)? else {
        operation.progress.attend(Reason::HistoryUnclear);
        keep(tx, act, &place, operation, &mut credit)?;
        return Ok(Decided::GoOn(lane));
    };
    let Can::Take { most, elsewhere } = can else {
        return Ok(Decided::Disagree(lane));
    };
    let amount = match operation.cause.cause {
        Cause::User => fall_short(tx, act, &place, operation, &credit, most)?,
        _ => {
            let reach = most + elsewhere;
            let cause = operation.cause.clone();
            let taken = payments::bring_within(tx, act, &place, &mut credit, reach, &cause)?;
            taken.min(most)
        }
    };
    let Some(amount) = Amount::new(amount).filter(|amount| !amount.is_zero()) else {
        if !stripe_operations::remove(tx, team_id, operation)? {
            return Err(changed(&operation.id));
        }
        sync(tx, act, &place, &mut credit)?;
        return Ok(Decided::GoOn(lane));
    };
    set_amount(tx, &place, operation, &credit, amount)?;
    operation.progress.take_up(act.at);
    operation.progress.begin(act.at, act.real());
    keep(tx, act, &place, operation, &mut credit)?;
    Ok(Decided::Call(Box::new(job)))
}

/// The credit of an operation, held with the name of its hold: what is given back may be held again.
pub(super) fn hold_credit_still(
    tx: &mut dyn Tx,
    place: &Place,
    operation: &StripeOperation,
) -> Result<Credit, Fault> {
    let gone = || Fault::Defect(format!("operation {} has no credit", operation.id));
    let seen = credits::get(tx, place, &operation.credit_id)?;
    hold_still(tx, place, &seen.ok_or_else(gone)?)?;
    credits::get(tx, place, &operation.credit_id)?.ok_or_else(gone)
}

enum Can {
    Take {
        /// From this balance.
        most: i64,
        /// From others that the credit was put into.
        elsewhere: i64,
    },
    Disagree,
}

/// How much can be taken; `None` where the lines are not clear.
fn within_reach(
    tx: &mut dyn Tx,
    place: &Place,
    operation: &StripeOperation,
    credit: &Credit,
    payer: Payer,
) -> Result<Option<Can>, Fault> {
    let parts = &credit.parts;
    let operations = stripe_operations::of_credit(tx, place, &credit.id)?;
    let given = given_to(&operations);
    let here = given
        .iter()
        .find(|(id, _)| *id == operation.stripe_customer_id);
    let here = here.map_or(0, |(_, units)| (*units).max(0));
    if payer.is_deleted {
        let elsewhere = (parts.delivered - here).max(0);
        return Ok(Some(Can::Take { most: 0, elsewhere }));
    }
    let team_id = &place.team_id;
    let was = stripe_balances::get(tx, team_id, &operation.stripe_customer_id)?;
    let balance = balance::of_operation(tx, team_id, operation)?;
    let Some(balance) = balance.filter(|_| was.is_some_and(|was| !was.is_unclear)) else {
        return Ok(None);
    };
    if payer.balance.is_some_and(|told| told != balance.ends_at) {
        return Ok(Some(Can::Disagree));
    }
    let unused = balance.credits.get(&credit.id).map_or(0, |of| of.unused);
    let left_here = unused.min(here);
    let elsewhere = (parts.delivered - left_here).max(0);
    let may_owe = !payer.has_cash && may_owe(tx, place, operation, credit)?;
    let most = match may_owe {
        true => here,
        false => balance.reversible(&credit.id, left_here),
    };
    Ok(Some(Can::Take { most, elsewhere }))
}

/// Whether what was used may become a debt of the customer. What a person takes never does.
pub(super) fn may_owe(
    tx: &mut dyn Tx,
    place: &Place,
    operation: &StripeOperation,
    credit: &Credit,
) -> Result<bool, Fault> {
    let is_by_hand = operation.cause.cause == Cause::User;
    let Some(referral_id) = credit.referral_id.as_ref().filter(|_| !is_by_hand) else {
        return Ok(false);
    };
    let referral = referrals::get(tx, place, referral_id)?;
    let always = ClawbackApplied::Always;
    Ok(referral.is_some_and(|referral| referral.terms.clawback_applied == always))
}

/// Of what a person wanted, what can be taken; the log tells of the rest.
fn fall_short(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &StripeOperation,
    credit: &Credit,
    most: i64,
) -> Result<i64, Fault> {
    let wanted = operation.amount.get();
    let taken = wanted.min(most);
    if let Some(amount) = Amount::new(wanted - taken).filter(|amount| !amount.is_zero()) {
        let event = Event::DeliveryFellShort {
            amount,
            credit_id: &credit.id,
            currency: credit.currency,
            reason: operation.cause.reason.as_deref().unwrap_or_default(),
        };
        tell(tx, act, place, credit, &event)?;
    }
    Ok(taken)
}

/// Under a key that was called with other words nothing else can be called. Nothing came of that, so another key does
/// no harm.
fn set_amount(
    tx: &mut dyn Tx,
    place: &Place,
    operation: &mut StripeOperation,
    credit: &Credit,
    amount: Amount,
) -> Result<(), Fault> {
    let body = body_of(
        tx,
        place,
        credit,
        &operation.id,
        Kind::Reverse.signed(amount.get()),
    )?;
    if body != operation.body && operation.progress.attempts > 0 {
        operation.progress.generation += 1;
        operation.progress.key = KeyState::Usable;
    }
    operation.amount = amount;
    operation.body = body;
    Ok(())
}
