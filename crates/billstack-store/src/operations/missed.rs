//! Conversions that were missed: a pending referral, and a kept event that converts it as things stand, and
//! the two never met.
//!
//! What a person changes later (a link, an address, the mode of the connection) decides nothing anew about
//! others' events. So an event that converts a referral only since such a change was not missed; where
//! nothing tells, it counts as not missed.

use billstack_core::attribution::{NotConverted, Outcome, Reconsider};
use billstack_core::referral::Referral;
use billstack_core::stripe_event::Start;

use super::evidence::gather;
use super::reconsider::is_of_other_mode;
use super::settle::converts;
use crate::seam::{Fault, Place, Tx};
use crate::tables::customers::{self, Customer, names_of};
use crate::tables::stripe_events::{self, Settled, StripeEvent};
use crate::tables::subscription_starts::events_of;
use crate::tables::{events, referrals};

/// Whether a kept event should have converted this referral, which is pending.
pub(crate) fn is_missed(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<bool, Fault> {
    let Some(referral) = referrals::get(tx, place, id)? else {
        return Ok(false);
    };
    let Some(referee) = customers::get(tx, place, &referral.referee_customer_id)? else {
        return Ok(false);
    };
    for name in names_of(&referee.id, referee.stripe_customer_id.as_deref()) {
        for event_id in events_of(tx, &place.team_id, &[name])? {
            if missed_by(tx, place, &referral, &referee, &event_id)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn missed_by(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &Referral,
    referee: &Customer,
    event_id: &str,
) -> Result<bool, Fault> {
    let team_id = &place.team_id;
    let Some(kept) = stripe_events::kept_start(tx, team_id, event_id)? else {
        return Ok(false);
    };
    if !Reconsider::Open.includes(kept.outcome) || is_of_other_mode(tx, team_id, &kept)? {
        return Ok(false);
    }
    let evidence = gather(tx, team_id, kept.telling(event_id))?;
    let converted = converts(tx, &evidence)?.map(|claim| claim.referral.id);
    if converted.as_ref() != Some(&referral.id) {
        return Ok(false);
    }
    let Some(event) = stripe_events::get(tx, team_id, event_id)? else {
        return Ok(false);
    };
    let is_open =
        never_met(&event.settled, referral) && !has_moved(referral, referee, &kept.start, &event);
    Ok(is_open && !has_changed_mode(tx, place, referral, &event)?)
}

/// Whether what became of an event tells of no decision about this referral, or of one that no later change
/// could have made another.
fn never_met(settled: &Settled, referral: &Referral) -> bool {
    let changes = [NotConverted::SelfReferral, NotConverted::AlreadyReferred];
    match (settled.outcome, &settled.referral_id, &settled.customer_id) {
        (Outcome::NoCustomer, _, _) => true,
        (Outcome::NoReferral, Some(id), _) => {
            *id == referral.id && changes.iter().all(|why| why.as_str() != settled.reason)
        }
        (Outcome::NoReferral, None, Some(id)) => *id == referral.referee_customer_id,
        // Since the answer came, nothing is to be waited for.
        (Outcome::Waiting, Some(id), _) => {
            *id == referral.id && settled.reason == NotConverted::Unanswered.as_str()
        }
        _ => false,
    }
}

/// Whether the referee may have become somebody whom the event means only after the two should have met. A
/// link decides anew; to be unlinked does not.
fn has_moved(referral: &Referral, referee: &Customer, start: &Start, event: &StripeEvent) -> bool {
    let linked = referee.stripe_customer_id.as_deref();
    let is_payer = start.stripe_ids().any(|id| linked == Some(id));
    !is_payer && referee.updated_at > referral.applied().max(event.received_at)
}

/// Whether the team was connected anew since the two should have met, perhaps in another mode.
fn has_changed_mode(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &Referral,
    event: &StripeEvent,
) -> Result<bool, Fault> {
    let met = referral.applied().max(event.received_at);
    Ok(event.livemode.is_some() && events::connected_since(tx, &place.team_id, met)?)
}
