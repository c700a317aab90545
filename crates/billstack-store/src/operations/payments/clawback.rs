//! Bringing the credits of a conversion to where the facts say: back what was lost, and again what was not.

use billstack_core::event::Event;
use billstack_core::ledger::{Account, Cause, Transfer};
use billstack_core::money::Amount;
use billstack_core::payments::{
    Case, Loss, Moves, loss, moves, postponed_until, taken, target, wanted,
};
use billstack_core::referral::Referral;
use billstack_core::time::Micros;

use super::known::Known;
use crate::operations::credits::book::book;
use crate::operations::credits::hold;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::entries::Reason;
use crate::tables::referrals;

/// Why somebody looks: the event that told something new.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Why<'a> {
    /// The event.
    pub(crate) event_id: &'a str,
    /// What in Stripe it was about.
    pub(crate) object_id: Option<&'a str>,
    /// When it happened.
    pub(crate) at: Micros,
}

/// What the log says of a credit that comes back because its payment was lost.
const PAYMENT_LOST: &str = "payment_lost";

/// Brings the credits of the referral that a subscription has converted to where the facts say.
///
/// The caller holds the name of the subscription.
pub(crate) fn bring_back(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referral: &Referral,
    subscription: &str,
    why: Why<'_>,
) -> Result<(), Fault> {
    let Some(converted_at) = referral.converted_at else {
        return Ok(());
    };
    let case = Case::new(&referral.terms, subscription, converted_at);
    if case.losses_until.is_none() {
        return Ok(());
    }
    let known = Known::of(tx, &place.team_id, subscription)?;
    known.keep(tx, &place.team_id)?;
    let loss = loss(&known.facts, &case);
    let is_free = postponed_until(&known.facts, &case).is_none();
    for credit in credits::of_referral(tx, place, &referral.id)? {
        bring(tx, act, place, &credit, loss, why)?;
        let is_over = credit.held_until.is_some_and(|until| until <= act.at);
        if is_free && is_over && credit.parts.held > 0 {
            hold::end_now(tx, act, place, &credit.id)?;
        }
    }
    Ok(())
}

/// Brings one credit to where a loss says.
fn bring(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    loss: Loss,
    why: Why<'_>,
) -> Result<(), Fault> {
    let wanted = wanted_of(credit, loss);
    if taken(&credit.parts, credit.reversed_by_hand) == wanted.get() {
        return Ok(());
    }
    let to = match hold::is_running(tx, place, credit)? {
        true => Account::Held,
        false => Account::Customer,
    };
    let mut moves = moves(&credit.parts, credit.reversed_by_hand, wanted, to);
    give_up(credit, &mut moves);
    let reason = Reason {
        stripe_object: why.object_id,
        ..Reason::new(Cause::Event, why.event_id, why.at)
    };
    let mut now = credit.clone();
    for transfer in &moves.transfers {
        let told = |amount| event_of(credit, transfer, amount, why.object_id);
        now = book(
            tx,
            act,
            place,
            &now,
            std::slice::from_ref(transfer),
            reason,
            told,
        )?;
    }
    Ok(())
}

/// Of what is out of reach: what is in the customer's balance in Stripe is taken from there by whoever delivers, and
/// tells then how much of it was there. The rest cannot be had any more.
fn give_up(credit: &Credit, moves: &mut Moves) {
    let in_stripe = credit.parts.delivered.min(moves.out_of_reach);
    moves.fall_short(moves.out_of_reach - in_stripe);
}

fn wanted_of(credit: &Credit, loss: Loss) -> Amount {
    let target = target(credit.amount, credit.currency, loss);
    let by_hand = Amount::new(credit.reversed_by_hand).unwrap_or(credit.amount);
    wanted(credit.amount, target, by_hand)
}

fn event_of<'e>(
    credit: &'e Credit,
    transfer: &Transfer,
    amount: Amount,
    stripe_object_id: Option<&'e str>,
) -> Event<'e> {
    let (credit_id, currency) = (&*credit.id, credit.currency);
    match (transfer.from, transfer.to) {
        (_, Account::Program) => Event::CreditReversed {
            amount,
            credit_id,
            currency,
            reason: PAYMENT_LOST,
            stripe_object_id,
        },
        (_, Account::Shortfall) => Event::CreditShortfall {
            amount,
            credit_id,
            currency,
            stripe_object_id,
        },
        (Account::Shortfall, _) => Event::CreditShortfallCanceled {
            amount,
            credit_id,
            currency,
            stripe_object_id,
        },
        _ => Event::CreditRestored {
            amount,
            credit_id,
            currency,
            stripe_object_id,
        },
    }
}

/// Until when the release of a credit of a referral is put off by what is known.
pub(super) fn put_off(
    tx: &mut dyn Tx,
    place: &Place,
    referral_id: &str,
) -> Result<Option<Micros>, Fault> {
    let Some((referral, subscription)) = referrals::converted(tx, place, referral_id)? else {
        return Ok(None);
    };
    let Some(converted_at) = referral.converted_at else {
        return Ok(None);
    };
    let case = Case::new(&referral.terms, &subscription, converted_at);
    if case.losses_until.is_none() {
        return Ok(None);
    }
    let known = Known::of(tx, &place.team_id, &subscription)?;
    Ok(postponed_until(&known.facts, &case))
}

/// Whether what was taken back of the credits of a converted referral is not what the facts say.
pub(crate) fn is_not_as_told(
    tx: &mut dyn Tx,
    place: &Place,
    referral_id: &str,
) -> Result<bool, Fault> {
    let Some((referral, subscription)) = referrals::converted(tx, place, referral_id)? else {
        return Ok(false);
    };
    let Some(converted_at) = referral.converted_at else {
        return Ok(false);
    };
    let case = Case::new(&referral.terms, &subscription, converted_at);
    let known = Known::of(tx, &place.team_id, &subscription)?;
    let loss = loss(&known.facts, &case);
    for credit in credits::of_referral(tx, place, referral_id)? {
        let wanted = wanted_of(&credit, loss).get();
        let missing = wanted - taken(&credit.parts, credit.reversed_by_hand);
        // What is in Stripe is taken back once Stripe has been asked.
        if !(0..=credit.parts.delivered).contains(&missing) {
            return Ok(true);
        }
    }
    Ok(false)
}
