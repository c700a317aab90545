//! Whether a referee was new, asked of Stripe later: it had no answer when the code was applied.
//!
//! The apply marks the referral and puts a row into `work`, in one transaction; while the mark is there, nothing
//! converts the referral, and what would have waits. Whoever works on the row asks Stripe outside of any
//! transaction and brings the answer here. It closes the referral, or takes the mark away and decides anew about
//! what waits.

use billstack_core::event::Event;
use billstack_core::referral::{Referral, was_new};
use billstack_core::stripe_event::Subscriptions;
use billstack_core::time::SECOND;

use super::asked::{Asked, convert_by_known};
use super::hold::{ThenReconsider, hold};
use super::refusal::Abort;
use super::test_clock;
use super::work::facts_of;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::customers::{self, Customer, names_of};
use crate::tables::referrals::{self, Advance};
use crate::tables::work::{self, Key};
use crate::tables::{events, stripe_connections, subscription_starts};

/// The kind of work; its subjects are referrals.
pub const KIND: &str = "newness";

/// When Stripe is asked again: it has just had no answer.
const FIRST_TRY: i64 = 5 * SECOND;

/// What came of asking.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Whom Stripe was asked about, and their subscriptions.
    Told(Asked, Subscriptions),
    /// Nobody can be asked: no secret key is connected any more.
    NobodyToAsk,
}

/// What is left to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answered {
    /// Nothing; the work is over.
    Closed,
    /// The answer is of no use, and the question is still open; the text says why.
    StillOpen(&'static str),
}

/// Puts the question about a new referral into the queue.
pub(super) fn ask_later(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referral_id: &str,
) -> Result<(), Fault> {
    let facts = facts_of(place)?;
    let due = act.at.plus(FIRST_TRY);
    work::enqueue(tx, act, &key(place, referral_id), &facts, due).map(|_| ())
}

/// Takes the question out of the queue.
pub(super) fn forget(tx: &mut dyn Tx, place: &Place, referral_id: &str) -> Result<(), Fault> {
    work::done(tx, &key(place, referral_id)).map(|_| ())
}

/// The referral whose question is about this referee.
pub(super) fn of_referee(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Option<String>, Fault> {
    let referral = referrals::of_referee(tx, place, customer_id)?;
    Ok(referral
        .filter(|referral| referral.question_since.is_some())
        .map(|referral| referral.id))
}

/// Whom Stripe is to be asked about; `None` when nobody needs the answer any more.
pub fn question(tx: &mut dyn Tx, place: &Place, referral_id: &str) -> Result<Option<Asked>, Fault> {
    let referral = referrals::get(tx, place, referral_id)?;
    let Some(referral) = referral.filter(|referral| referral.question_since.is_some()) else {
        return Ok(None);
    };
    let referee = customers::get(tx, place, &referral.referee_customer_id)?;
    Ok(referee.as_ref().map(Asked::about))
}

/// Takes the answer to the question about a referral; an answer that comes twice has no effect. The work is over
/// in the same transaction.
pub fn answer(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referral_id: &str,
    answer: &Answer,
) -> Result<Answered, Abort> {
    test_clock::enter(tx, act, place)?;
    let Some(referral) = referrals::get(tx, place, referral_id)? else {
        forget(tx, place, referral_id)?;
        return Ok(Answered::Closed);
    };
    let referee = &referral.referee_customer_id;
    let held = hold(tx, act, place, referee, None, ThenReconsider::Yes)?;
    // Whoever erased them has closed the referral.
    if let Some(referee) = held {
        let left = decide(tx, act, place, &referee, referral_id, answer)?;
        if left != Answered::Closed {
            return Ok(left);
        }
    }
    forget(tx, place, referral_id)?;
    Ok(Answered::Closed)
}

/// Decides while the referee is held.
fn decide(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referee: &Customer,
    referral_id: &str,
    answer: &Answer,
) -> Result<Answered, Abort> {
    let referral = referrals::get(tx, place, referral_id)?;
    let is_open = |referral: &Referral| referral.question_since.is_some();
    let mut counting = None;
    // One that is not open was closed together with its referrer; what waits for it is decided all the same.
    if let Some(referral) = referral.filter(is_open) {
        match answer {
            Answer::Told(asked, told) if *asked == Asked::about(referee) => {
                close(tx, act, place, referee, &referral, told)?;
                counting = told.counting.as_deref();
            }
            Answer::Told(..) => {
                return Ok(Answered::StillOpen("the customer was changed meanwhile"));
            }
            Answer::NobodyToAsk => {
                if let Some(why) = who_may_be_asked(tx, act, place)? {
                    return Ok(Answered::StillOpen(why));
                }
                answered(tx, place, referral_id)?;
            }
        }
    }
    convert_by_known(tx, act, place, referee, referral_id, counting)?;
    Ok(Answered::Closed)
}

/// Why the question stays open although no key was found: a team that is disconnected hears of no subscription
/// either, so nothing is lost by waiting until it is connected again.
fn who_may_be_asked(
    tx: &mut dyn Tx,
    act: &Act,
    place: &Place,
) -> Result<Option<&'static str>, Fault> {
    let connection = stripe_connections::get(tx, &place.team_id)?;
    Ok(match connection {
        Some(connection) if !connection.is_active => Some("the team is not connected to Stripe"),
        Some(connection) if act.is_test() && connection.livemode == Some(true) => {
            Some("the secret key is of live mode")
        }
        Some(connection) if connection.secret_key.is_some() => {
            Some("a secret key was connected meanwhile")
        }
        _ => None,
    })
}

/// Ends the question by what Stripe told and what events tell.
fn close(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referee: &Customer,
    referral: &Referral,
    told: &Subscriptions,
) -> Result<(), Abort> {
    let names = names_of(&referee.id, referee.stripe_customer_id.as_deref());
    let known = subscription_starts::known_of(tx, place, &names)?;
    let earliest = known.earliest.into_iter().chain(told.earliest).min();
    if was_new(earliest, referral.applied(), referral.terms.grace) {
        return Ok(answered(tx, place, &referral.id)?);
    }
    let advanced = referrals::advance(tx, act, place, &referral.id, Advance::Expired, 1)?;
    let mut chapter = advanced.ok_or_else(changed)?;
    let event = Event::ReferralExpired {
        customer_id: &referee.id,
        reason: "not a new customer",
    };
    let id = &referral.id;
    Ok(events::record_in_story(
        tx,
        act,
        place,
        &mut chapter,
        id,
        &event,
    )?)
}

fn answered(tx: &mut dyn Tx, place: &Place, referral_id: &str) -> Result<(), Fault> {
    match referrals::answered(tx, place, referral_id)? {
        true => Ok(()),
        false => Err(changed()),
    }
}

fn changed() -> Fault {
    Fault::Conflict("the referral changed since it was read".to_owned())
}

fn key(place: &Place, referral_id: &str) -> Key {
    Key::new(&place.team_id, &place.project_id, KIND, referral_id)
}
