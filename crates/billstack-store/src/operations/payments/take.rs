//! Taking in what an event tells of payments.

use billstack_core::attribution::Outcome;
use billstack_core::ids::TeamId;
use billstack_core::payments::Told;
use billstack_core::program::Clawback;
use billstack_core::referral::Terms;
use billstack_core::stripe_event::Start;
use billstack_core::time::{DAY, Micros};

use super::asking;
use super::clawback::{Why, bring_back};
use super::reach::{Reach, name_of};
use crate::operations::test_clock::inside;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::money_facts::{self, Source};
use crate::tables::stripe_events::{self, Settled};
use crate::tables::{customers, payment_links, referrals, terms};

/// For how long after the longest window facts are kept of which no credit depends, in microseconds.
const BEYOND_WINDOW: i64 = 30 * DAY;

/// The reason of an event about a payment whose invoice is not known.
const UNLINKED: &str = "payment_unlinked";

/// The reason of an event about a payment where nothing is made of such.
pub(crate) const NO_EFFECT: &str = "this type of event has no effect here";

/// Whether any program of the team has ever let lost payments take credits back.
pub(crate) fn wants(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    Ok(terms::longest_window(tx, team_id)?.is_some())
}

/// The names of everything on the way from what an event tells of to the subscriptions: whoever takes in another part
/// of the way, or converts a referral by one of them, waits while they are held.
pub(crate) fn names(tx: &mut dyn Tx, team_id: &TeamId, told: &Told) -> Result<Vec<String>, Fault> {
    match tx.is_alone() {
        true => Ok(Vec::new()),
        false => Ok(Reach::of(told).follow(tx, team_id)?.names()),
    }
}

/// Holds a subscription that is about to convert a referral, if lost payments may take its credits back.
pub(crate) fn hold_subscription(
    tx: &mut dyn Tx,
    place: &Place,
    terms: &Terms,
    subscription: &str,
) -> Result<(), Fault> {
    match terms.clawback {
        Clawback::None => Ok(()),
        _ => tx.lock(&place.team_id, &[&name_of(subscription)]),
    }
}

/// Takes in what an event tells, and brings the credits that depend on it to where it says.
pub(crate) fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    told: &Told,
    (event_id, occurred_at): (&str, Micros),
) -> Result<Settled, Fault> {
    let Some(days) = terms::longest_window(tx, team_id)? else {
        return Ok(Settled::new(Outcome::Ignored, NO_EFFECT));
    };
    if !concerns_anybody(tx, team_id, told)? {
        let why = "the terms of its customer's referral take no credit back";
        return Ok(Settled::new(Outcome::Ignored, why));
    }
    let keep_until = act
        .real()
        .plus(days.saturating_mul(DAY))
        .plus(BEYOND_WINDOW);
    keep(tx, team_id, told, event_id, keep_until)?;
    let reach = Reach::of(told).follow(tx, team_id)?;
    if !act.holds(&reach.names()) {
        return Err(Fault::Conflict("a link was told meanwhile".to_owned()));
    }
    if !reach.is_linked() {
        for id in reach.payments() {
            payment_links::wait(tx, team_id, id, event_id, keep_until)?;
        }
        asking::for_invoice(tx, act, team_id, &reach, keep_until)?;
        return Ok(Settled::new(Outcome::Waiting, UNLINKED));
    }
    let why = Why::event(event_id, told.object_id(), occurred_at);
    asking::for_subscription(tx, act, team_id, &reach, keep_until)?;
    let mut settled = Settled::new(Outcome::Recorded, "recorded");
    for subscription in reach.subscriptions() {
        if let Some(of) = settle(tx, act, team_id, subscription, why)? {
            settled = of;
        }
    }
    for id in reach.payments() {
        for waiting in payment_links::stop_waiting(tx, team_id, id)? {
            stripe_events::set_outcome(tx, team_id, &waiting, &settled)?;
        }
    }
    Ok(settled)
}

/// Takes in that a subscription has ended, which an event of it tells besides its state.
pub(crate) fn ended(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    start: &Start,
    event_id: &str,
) -> Result<(), Fault> {
    let Some(fact) = start.end() else {
        return Ok(());
    };
    let Some(days) = terms::longest_window(tx, team_id)? else {
        return Ok(());
    };
    let told = Told {
        facts: vec![fact],
        ..Told::default()
    };
    let keep_until = act
        .real()
        .plus(days.saturating_mul(DAY))
        .plus(BEYOND_WINDOW);
    tx.lock(team_id, &[&name_of(start.subscription())])?;
    keep(tx, team_id, &told, event_id, keep_until)?;
    let why = Why::event(event_id, told.object_id(), start.occurred_at);
    settle(tx, act, team_id, start.subscription(), why).map(drop)
}

fn keep(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    told: &Told,
    event_id: &str,
    keep_until: Micros,
) -> Result<(), Fault> {
    let source = Source {
        event_id,
        stripe_customer_id: told.stripe_customers.first().map(String::as_str),
        keep_until,
    };
    for fact in &told.facts {
        money_facts::take(tx, team_id, fact, source)?;
    }
    for link in &told.links {
        payment_links::insert(tx, team_id, link, keep_until)?;
    }
    Ok(())
}

/// Brings the credits of the referral that a subscription has converted to where the facts say, and tells whose they
/// are.
fn settle(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    subscription: &str,
    why: Why<'_>,
) -> Result<Option<Settled>, Fault> {
    let Some((place, id)) = referrals::of_subscription(tx, team_id, subscription)? else {
        return Ok(None);
    };
    let Some(referral) = referrals::get(tx, &place, &id)? else {
        return Ok(None);
    };
    inside(tx, act, &place, true, |tx, act| {
        bring_back(tx, act, &place, &referral, subscription, why)
    })?;
    Ok(Some(Settled {
        referral_id: Some(referral.id.clone()),
        ..Settled::new(Outcome::Recorded, "recorded")
            .of_customer(&place, &referral.referee_customer_id)
    }))
}

/// Whether anybody may have a credit that depends on a payment of these Stripe customers. Somebody who is not known,
/// or has applied no code, may have one later; only whose referral takes nothing back never will.
fn concerns_anybody(tx: &mut dyn Tx, team_id: &TeamId, told: &Told) -> Result<bool, Fault> {
    let mut is_anybody_known = false;
    for id in &told.stripe_customers {
        for found in customers::of_stripe(tx, team_id, id)? {
            let place = Place::new(team_id.clone(), found.project_id.clone());
            let referral = referrals::of_referee(tx, &place, &found.customer_id)?;
            if referral.is_none_or(|referral| referral.terms.clawback != Clawback::None) {
                return Ok(true);
            }
            is_anybody_known = true;
        }
    }
    Ok(!is_anybody_known)
}
