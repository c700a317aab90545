//! What a team does to credits itself. Each move says why, and names who made it.

use billstack_core::credit::by_hand::{self, NotMoved};
use billstack_core::credit::{CreditKind, Parts};
use billstack_core::event::Event;
use billstack_core::ledger::{Cause, Transfer};
use billstack_core::money::{Amount, Currency};
use billstack_core::payments::taken;
use billstack_core::program::{ClawbackApplied, CreditDelivery};

use super::credits::book::{book, require, tell};
use super::credits::delivery;
use super::credits::delivery::back::{self, Standing};
use super::credits::give::{Given, give, tell_attention};
use super::credits::hold::{self, released};
use super::hold::hold_existing;
use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Place, Tx};
use crate::tables::credits::Credit;
use crate::tables::entries::Reason;
use crate::tables::programs;
use crate::tables::stripe_operations::Because;

/// A credit that a team gives for a reason of its own.
#[derive(Clone, Debug)]
pub struct Gift {
    /// Who shall have it.
    pub customer_id: String,
    /// How much, above zero.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Why.
    pub reason: String,
}

/// Gives a customer a credit that no referral has earned.
pub fn give_by_hand(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    gift: &Gift,
) -> Result<Credit, Abort> {
    if !hold_existing(tx, act, place, &gift.customer_id)? {
        return Err(Refusal::NotFound(Thing::Customer).into());
    }
    refuse_unbillable(gift.currency, Some(gift.amount))?;
    let given = Given {
        kind: CreditKind::Manual,
        customer_id: gift.customer_id.clone(),
        earned_by: None,
        amount: gift.amount,
        currency: gift.currency,
        held_until: None,
        by_stripe: delivers_by_stripe(tx, place)?,
        // That of its credit.granted, by which `verify` finds it.
        at: act.moment(),
    };
    let actor = act.actor.clone();
    let credit = give(
        tx,
        act,
        place,
        given,
        reason(act, &actor, &gift.reason, None),
    )?;
    let event = Event::CreditGranted {
        amount: credit.amount,
        credit_id: &credit.id,
        currency: credit.currency,
        customer_id: &credit.customer_id,
        held_until: None,
        reason: Some(&gift.reason),
        side: None,
    };
    tell(tx, act, place, &credit, &event)?;
    tell_attention(tx, act, place, &credit)?;
    Ok(credit)
}

/// What somebody asks to be done to a credit.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The credit.
    pub credit_id: String,
    /// How much; all that is there when left out.
    pub amount: Option<Amount>,
    /// Why.
    pub reason: String,
    /// What the payment is called elsewhere.
    pub reference: Option<String>,
}

/// Ends the hold of a credit, or of a part of it, before its time.
pub fn release(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    asked: &Asked,
) -> Result<Credit, Abort> {
    let event: Tells = |credit, asked, amount| released(credit, amount, Some(&asked.reason));
    make(tx, act, place, asked, by_hand::release, event)
}

/// Takes a credit back, in whole or in part.
pub fn reverse(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    asked: &Asked,
) -> Result<Credit, Abort> {
    let event: Tells = |credit, asked, amount| Event::CreditReversed {
        amount,
        credit_id: &credit.id,
        currency: credit.currency,
        reason: &asked.reason,
        stripe_object_id: None,
    };
    let credit = require(tx, place, &asked.credit_id)?;
    if !credit.by_stripe {
        let decide: Decides = |parts, amount| Ok(by_hand::reverse(parts, amount, 0)?.0);
        return make(tx, act, place, asked, decide, event);
    }
    reverse_in_stripe(tx, act, place, asked, &credit)
}

/// Takes a credit back that is delivered: what is still in our books at once, and the rest by an operation on the
/// balance that the customer has in Stripe, as far as nothing has used it then.
fn reverse_in_stripe(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    asked: &Asked,
    credit: &Credit,
) -> Result<Credit, Abort> {
    let unused = ClawbackApplied::UnusedOnly;
    let reach = match Standing::of(tx, place, credit)? {
        Some(standing) => back::reach(tx, &place.team_id, &standing, &unused)?,
        // It is refused, but not before what the state forbids.
        None => credit.parts.delivered,
    };
    let decided = by_hand::reverse(&credit.parts, asked.amount, reach);
    let (transfers, from_stripe) = decided.map_err(Refusal::NotMoved)?;
    refuse_under_way(tx, place, credit)?;
    refuse_unbillable(credit.currency, asked.amount)?;
    let actor = act.actor.clone();
    let why = reason(act, &actor, &asked.reason, None);
    let mut now = credit.clone();
    if !transfers.is_empty() {
        now = book(tx, act, place, credit, &transfers, why, |amount| {
            Event::CreditReversed {
                amount,
                credit_id: &credit.id,
                currency: credit.currency,
                reason: &asked.reason,
                stripe_object_id: None,
            }
        })?;
    }
    if !from_stripe.is_zero() {
        let because = Because {
            cause: Cause::User,
            id: actor,
            reason: Some(asked.reason.clone()),
        };
        back::take_by_hand(tx, act, place, &mut now, from_stripe, because)?;
    }
    if credit.parts.held > 0 && is_hold_over(credit, &now) {
        hold::forget(tx, place, &credit.id)?;
    }
    Ok(now)
}

/// Notes that a credit was paid, in whole or in part.
pub fn settle(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    asked: &Asked,
) -> Result<Credit, Abort> {
    let event: Tells = |credit, asked, amount| Event::CreditSettled {
        amount,
        credit_id: &credit.id,
        currency: credit.currency,
        reason: &asked.reason,
        reference: asked.reference.as_deref(),
    };
    make(tx, act, place, asked, by_hand::settle, event)
}

/// What a move may take, by the rules.
type Decides = fn(&Parts, Option<Amount>) -> Result<Vec<Transfer>, NotMoved>;

/// The event of an amount that was moved.
type Tells = for<'a> fn(&'a Credit, &'a Asked, Amount) -> Event<'a>;

/// Moves what somebody asks for, and forgets the hold of a credit of which nothing is held any more.
fn make(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    asked: &Asked,
    decide: Decides,
    event: Tells,
) -> Result<Credit, Abort> {
    let credit = require(tx, place, &asked.credit_id)?;
    let transfers = decide(&credit.parts, asked.amount).map_err(Refusal::NotMoved)?;
    refuse_under_way(tx, place, &credit)?;
    refuse_unbillable(credit.currency, asked.amount)?;
    let actor = act.actor.clone();
    let reason = reason(act, &actor, &asked.reason, asked.reference.as_deref());
    let now = book(tx, act, place, &credit, &transfers, reason, |amount| {
        event(&credit, asked, amount)
    })?;
    if credit.parts.held > 0 && is_hold_over(&credit, &now) {
        hold::forget(tx, place, &credit.id)?;
    }
    Ok(now)
}

/// Whether the hold of a credit has nothing to end any more. What a lost payment took of it may come back, and is held
/// again then, unless somebody has released the rest.
fn is_hold_over(before: &Credit, now: &Credit) -> bool {
    let is_released = now.parts.available > before.parts.available;
    now.parts.held == 0 && (is_released || taken(&now.parts, now.reversed_by_hand) == 0)
}

fn reason<'a>(
    act: &Act,
    actor: &'a str,
    reason: &'a str,
    reference: Option<&'a str>,
) -> Reason<'a> {
    Reason {
        reason: Some(reason),
        reference,
        ..Reason::new(Cause::User, actor, act.at)
    }
}

/// Whether a credit that is given now is put into a balance in Stripe.
fn delivers_by_stripe(tx: &mut dyn Tx, place: &Place) -> Result<bool, Abort> {
    let program = programs::get(tx, place)?;
    Ok(program.terms.credit_delivery == CreditDelivery::StripeBalance)
}

/// Nobody knows what there is to move of a credit while Stripe is being told to give it.
fn refuse_under_way(tx: &mut dyn Tx, place: &Place, credit: &Credit) -> Result<(), Abort> {
    match delivery::is_under_way(tx, place, credit)? {
        true => Err(Refusal::DeliveryUnderWay.into()),
        false => Ok(()),
    }
}

/// What cannot be billed cannot be set against a bill.
fn refuse_unbillable(currency: Currency, amount: Option<Amount>) -> Result<(), Refusal> {
    match amount.is_none_or(|amount| currency.can_bill(amount)) {
        true => Ok(()),
        false => Err(Refusal::NotBillable(currency)),
    }
}
