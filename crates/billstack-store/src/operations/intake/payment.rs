//! A payment as evidence: where a program asks for it, a paid invoice converts a referral.

use billstack_core::attribution::Outcome;
use billstack_core::ids::TeamId;
use billstack_core::stripe_event::Start;

use super::{Content, Incoming, keep};
use crate::operations::credits::delivery::are_balances_followed;
use crate::operations::evidence::{Telling, gather, remember};
use crate::operations::refusal::Abort;
use crate::operations::to_reconsider::ToReconsider;
use crate::operations::{payments, reconsider, settle};
use crate::seam::{Act, Fault, Tx};
use crate::tables::stripe_events::Settled;
use crate::tables::terms;

/// Whether anything is made of payments in the team: they take credits back, convert referrals, or use a balance.
pub(super) fn is_wanted(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    Ok(payments::wants(tx, team_id)?
        || terms::convert_by_payment(tx, team_id)?
        || are_balances_followed(tx, team_id)?)
}

/// The payment that an event tells of, where such may convert a referral.
pub(super) fn told_by(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    event: &Incoming,
) -> Result<Option<Start>, Fault> {
    let Content::Money(told) = &event.content else {
        return Ok(None);
    };
    let payment = Start::of_payment(told, event.created_at);
    Ok(
        match payment.is_some() && terms::convert_by_payment(tx, team_id)? {
            true => payment,
            false => None,
        },
    )
}

/// Decides whether a payment converts a referral, and keeps its event: with what became of it as a fact where it
/// converts none.
pub(super) fn settle(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
    start: &Start,
    (recorded, before): (Settled, Option<Outcome>),
) -> Result<Option<Settled>, Abort> {
    let mut later = ToReconsider::default();
    let telling = Telling {
        event_id: &event.id,
        kind: &event.kind,
        start,
        livemode: event.livemode,
        is_known: before.is_some(),
    };
    let evidence = gather(tx, team_id, telling)?;
    remember(tx, &evidence)?;
    let decided = settle::settle(tx, act, &evidence, &mut later)?;
    let settled = match (decided.outcome, recorded.outcome) {
        (Outcome::Converted | Outcome::Waiting, _) => decided,
        (_, Outcome::Recorded | Outcome::Waiting) => recorded,
        _ => decided,
    };
    keep(tx, act, team_id, event, Some(start), (&settled, before))?;
    reconsider::finish(tx, act, &mut later)?;
    Ok(Some(settled))
}
