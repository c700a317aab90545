//! Decides anew about the events of Stripe that are kept for a referral.

use billstack_core::attribution::Reconsider;
use billstack_core::referral::{Referral, Status};

use super::hold::{ThenReconsider, hold};
use super::reconsider;
use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Place, Tx};
use crate::tables::referrals;

/// Looks again at the events that may convert a pending referral, by what is known now; returns it as it is then. A
/// conversion stands, and what is over stays over.
pub fn recheck(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<Referral, Abort> {
    let missing = || Refusal::NotFound(Thing::Referral);
    let referral = referrals::get(tx, place, id)?.ok_or_else(missing)?;
    if referral.status != Status::Pending {
        return Ok(referral);
    }
    let referee = &referral.referee_customer_id;
    let held = hold(tx, act, place, referee, None, ThenReconsider::Yes)?;
    if let Some(customer) = held {
        reconsider::again(tx, act, place, &customer, Reconsider::Open)?;
    }
    Ok(referrals::get(tx, place, id)?.ok_or_else(missing)?)
}
