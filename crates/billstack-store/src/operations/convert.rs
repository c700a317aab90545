//! Converting a referral: it moves on, and its credits and their entries are written with it.

use billstack_core::credit::{CreditKind, Side, grants, held_until};
use billstack_core::event::Event;
use billstack_core::ledger::Cause;
use billstack_core::referral::Referral;
use billstack_core::time::Micros;

use super::credits::give::{Given, give};
use super::evidence::Evidence;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::entries::Reason;
use crate::tables::events;
use crate::tables::referrals::{self, Advance};

/// Converts a pending referral at a time, and grants its credits.
pub(super) fn convert(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    place: &Place,
    referral: &Referral,
    at: Micros,
) -> Result<(), Fault> {
    let start = evidence.start;
    let grants = grants(&referral.terms);
    let to = Advance::Converted {
        at,
        stripe_customer_id: start.stripe_ids().next(),
        stripe_event_id: evidence.event_id,
        stripe_subscription_id: start.subscription(),
    };
    let events = 1 + grants.len() as i64;
    let advanced = referrals::advance(tx, act, place, &referral.id, to, events)?;
    let changed = || Fault::Conflict("the referral changed since it was read".to_owned());
    let mut chapter = advanced.ok_or_else(changed)?;
    let event = Event::ReferralConverted {
        stripe_event_id: evidence.event_id,
        stripe_event_type: evidence.kind,
        stripe_object_id: &start.object_id,
    };
    events::record_in_story(tx, act, place, &mut chapter, &referral.id, &event)?;
    for grant in grants {
        let customer_id = match grant.side {
            Side::Referrer => &referral.referrer_customer_id,
            Side::Referee => &referral.referee_customer_id,
            Side::Other(_) => continue,
        };
        let given = Given {
            kind: CreditKind::Referral,
            customer_id: customer_id.clone(),
            earned_by: Some((referral.id.clone(), grant.side)),
            amount: grant.amount,
            currency: referral.terms.currency,
            held_until: held_until(&referral.terms, at),
            // The event may have come in before the apply, and waited for it.
            at: act.at.max(referral.created_at),
        };
        let reason = Reason {
            cause: Cause::Event,
            cause_id: evidence.event_id,
            reason: None,
            reference: None,
            effective_at: at,
        };
        let credit = give(tx, act, place, given, reason)?;
        let event = Event::CreditGranted {
            amount: credit.amount,
            credit_id: &credit.id,
            currency: credit.currency,
            customer_id: &credit.customer_id,
            held_until: credit.held_until,
            reason: None,
            side: credit.side,
        };
        events::record_in_story(tx, act, place, &mut chapter, &credit.id, &event)?;
    }
    Ok(())
}
