//! Bringing the credits of a conversion to where the facts say: back what was lost, and again what was not.

use billstack_core::event::Event;
use billstack_core::ledger::{Account, Cause, Transfer};
use billstack_core::money::Amount;
use billstack_core::payments::{
    Case, Facts, Loss, LossCause, loss, loss_causes, moves, postponed_until, taken, target, wanted,
};
use billstack_core::program::ClawbackApplied;
use billstack_core::referral::Referral;
use billstack_core::time::Micros;

use super::asking;
use super::known::Known;
use crate::operations::credits::book::book;
use crate::operations::credits::delivery::back::{self, Standing};
use crate::operations::credits::hold;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::entries::Reason;
use crate::tables::referrals;
use crate::tables::stripe_operations::{self, Because};

/// Why somebody looks: the event that told something new, or whoever ended what others have waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Why<'a> {
    cause: Cause,
    cause_id: &'a str,
    object_id: Option<&'a str>,
    at: Micros,
}

impl<'a> Why<'a> {
    /// An event of this id told something about this object, at this time.
    pub(crate) const fn event(id: &'a str, object_id: Option<&'a str>, at: Micros) -> Why<'a> {
        Why {
            cause: Cause::Event,
            cause_id: id,
            object_id,
            at,
        }
    }

    fn of(because: &'a Because, at: Micros) -> Why<'a> {
        Why {
            cause: because.cause,
            cause_id: &because.id,
            object_id: None,
            at,
        }
    }

    fn because(&self) -> Because {
        Because {
            cause: self.cause,
            id: self.cause_id.to_owned(),
            reason: None,
        }
    }
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
    asking::for_refunds(tx, act, &place.team_id, &known.facts)?;
    let loss = loss(&known.facts, &case);
    let is_free = postponed_until(&known.facts, &case).is_none();
    let applied = &referral.terms.clawback_applied;
    for credit in credits::of_referral(tx, place, &referral.id)? {
        bring(tx, act, place, &credit, (loss, applied), why)?;
        let is_over = credit.held_until.is_some_and(|until| until <= act.at);
        if is_free && is_over && credit.parts.held > 0 {
            hold::end_now(tx, act, place, &credit.id)?;
        }
    }
    Ok(())
}

/// Brings one credit to where a loss says. While a call may be on its way for it that waits; see [`again`].
fn bring(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    (loss, applied): (Loss, &ClawbackApplied),
    why: Why<'_>,
) -> Result<(), Fault> {
    if !credit.by_stripe {
        let mut credit = credit.clone();
        return bring_to(tx, act, place, &mut credit, (loss, 0, 0), why).map(drop);
    }
    let Some(mut standing) = Standing::of(tx, place, credit)? else {
        return Ok(());
    };
    let reach = back::reach(tx, &place.team_id, &standing, applied)?;
    let by_hand = back::pending_by_hand(&standing.operations);
    let credit = &mut standing.credit;
    let from_stripe = bring_to(tx, act, place, credit, (loss, by_hand, reach), why)?;
    back::take(tx, act, place, credit, from_stripe, &why.because())
}

/// Books what can be booked at once, and tells how much is to be taken from Stripe: at most what is within reach.
fn bring_to(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &mut Credit,
    (loss, pending_by_hand, reach): (Loss, i64, i64),
    why: Why<'_>,
) -> Result<i64, Fault> {
    let wanted = wanted_of(credit, loss, pending_by_hand);
    let (parts, by_hand) = (credit.parts, credit.reversed_by_hand);
    let to_customer = moves(&parts, by_hand, wanted, Account::Customer, reach);
    let gives = to_customer
        .transfers
        .iter()
        .any(|transfer| transfer.from == Account::Program);
    let to = match gives && hold::is_running(tx, place, credit)? {
        true => Account::Held,
        false => Account::Customer,
    };
    let moves = moves(&parts, by_hand, wanted, to, reach);
    let reason = Reason {
        stripe_object: why.object_id,
        ..Reason::new(why.cause, why.cause_id, why.at)
    };
    for transfer in &moves.transfers {
        let told = |amount| event_of(credit, transfer, amount, why.object_id);
        let one = std::slice::from_ref(transfer);
        let now = book(tx, act, place, credit, one, reason, told)?;
        *credit = now;
    }
    Ok(moves.from_stripe)
}

/// Brings a credit to where the payments say, when what was told of them may have waited for an operation.
pub(crate) fn again(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit_id: &str,
) -> Result<(), Fault> {
    let Some(credit) = credits::get(tx, place, credit_id)? else {
        return Ok(());
    };
    let because = Because::job();
    let why = Why::of(&because, act.at);
    match lost(tx, place, &credit)? {
        Some((loss, applied)) => bring(tx, act, place, &credit, (loss, &applied), why),
        None => Ok(()),
    }
}

/// The same at the time of a call that takes a credit back, where so much is within its reach. Tells how much of that
/// is to be taken.
pub(crate) fn bring_within(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &mut Credit,
    reach: i64,
    because: &Because,
) -> Result<i64, Fault> {
    let Some((loss, _)) = lost(tx, place, credit)? else {
        return Ok(0);
    };
    let operations = stripe_operations::of_credit(tx, place, &credit.id)?;
    let by_hand = back::pending_by_hand(&operations);
    let reach = (reach - by_hand).max(0);
    let why = Why::of(because, act.at);
    bring_to(tx, act, place, credit, (loss, by_hand, reach), why)
}

/// What is lost of the payment behind a credit, and what may be taken for it; `None` where nothing ever is.
fn lost(
    tx: &mut dyn Tx,
    place: &Place,
    credit: &Credit,
) -> Result<Option<(Loss, ClawbackApplied)>, Fault> {
    let Some(referral_id) = &credit.referral_id else {
        return Ok(None);
    };
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
    let loss = loss(&known.facts, &case);
    Ok(Some((loss, referral.terms.clawback_applied)))
}

/// What the loss itself is to take back, besides what a person took or is about to take.
fn wanted_of(credit: &Credit, loss: Loss, pending_by_hand: i64) -> Amount {
    let target = target(credit.amount, credit.currency, loss);
    let by_hand = credit.reversed_by_hand + pending_by_hand;
    let by_hand = Amount::new(by_hand).unwrap_or(credit.amount);
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
    Ok(look(tx, place, referral_id, postponed_until)?.flatten())
}

/// By what the payment behind the credits of a referral was lost, and until when their release is put off.
pub(crate) fn told(
    tx: &mut dyn Tx,
    place: &Place,
    referral_id: &str,
) -> Result<(Vec<LossCause>, Option<Micros>), Fault> {
    let told = look(tx, place, referral_id, |facts, case| {
        (loss_causes(facts, case), postponed_until(facts, case))
    });
    Ok(told?.unwrap_or_default())
}

/// Looks at what is known of the payment that converted a referral; `None` where nothing can come back.
fn look<T>(
    tx: &mut dyn Tx,
    place: &Place,
    referral_id: &str,
    look: impl FnOnce(&Facts, &Case<'_>) -> T,
) -> Result<Option<T>, Fault> {
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
    Ok(Some(look(&known.facts, &case)))
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
        let operations = stripe_operations::of_credit(tx, place, &credit.id)?;
        // Whoever ends what is under way looks again.
        if back::is_busy(&operations) {
            continue;
        }
        let by_hand = back::pending_by_hand(&operations);
        let wanted = wanted_of(&credit, loss, by_hand).get();
        let missing = wanted - taken(&credit.parts, credit.reversed_by_hand);
        // What is in Stripe is taken back once Stripe has been asked.
        let pending = back::pending_by_loss(&operations);
        if missing < pending || (missing > 0) != (pending > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}
