//! Erasing a customer: the person goes, ids and amounts stay.

use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::codes;
use crate::customers::{self, Kept};
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Tx};
use crate::{params, statements};

statements! {
    ERASE = "UPDATE customers SET email = NULL, name = NULL, external_id = NULL, \
        metadata = '{}', updated_at = $4, erased_at = $4 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL";
    PENDING = "SELECT id FROM referrals WHERE team_id = $1 AND project_id = $2 \
        AND referee_customer_id = $3 AND status = 'pending' UNION \
        SELECT r.id FROM codes AS c JOIN referrals AS r ON r.team_id = c.team_id \
        AND r.project_id = c.project_id AND r.code = c.code \
        WHERE c.team_id = $1 AND c.project_id = $2 AND c.customer_id = $3 \
        AND r.status = 'pending' ORDER BY id";
    EXPIRE = "UPDATE referrals SET status = 'expired' \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND status = 'pending'";
    /// Also of those kept with another customer who is the same Stripe customer: such an event may tell
    /// of either.
    FORGET_EVENTS = "UPDATE stripe_events SET payload = NULL \
        WHERE team_id = $1 AND payload IS NOT NULL AND customer_id IN (\
        SELECT $2 UNION ALL SELECT id FROM customers \
        WHERE team_id = $1 AND stripe_customer_id = $3)";
    FORGET_ANSWERS = "DELETE FROM idempotency_keys WHERE team_id = $1 AND customer_id = $2";
    FORGET_RESERVATION = "DELETE FROM customer_reservations \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3";
}

/// Erases a customer's name, address, external id, metadata and their traces in stored events and
/// answers; switches its code off and closes the pending referrals it takes part in.
pub fn erase(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<(), Abort> {
    let held = customers::hold(tx, place, id, None, Kept::LeftAlone)?;
    let customer = held.ok_or(Refusal::NotFound("customer"))?;
    if let Some(code) = codes::get_active(tx, place, id)? {
        codes::deactivate(tx, act, place, &code.code)?;
    }
    // After the code, so that an apply that was under way has been counted.
    expire_referrals(tx, act, place, id)?;
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    tx.must(ERASE, params![team_id, project_id, id, act.at])?;
    let stripe_id = customer.stripe_customer_id.as_deref();
    forget_events(tx, place, id, stripe_id)?;
    tx.execute(FORGET_ANSWERS, params![team_id, id])?;
    tx.execute(FORGET_RESERVATION, params![team_id, project_id, id])?;
    let fact = Fact {
        kind: "customer.erased",
        subject: id,
        referral_id: None,
        facts: json!({}),
    };
    Ok(act.record(tx, place, &fact)?)
}

/// Forgets the bodies of the events kept with a customer, or with another one who is this Stripe customer.
pub(crate) fn forget_events(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    stripe_id: Option<&str>,
) -> Result<(), Fault> {
    tx.execute(FORGET_EVENTS, params![&place.team_id, id, stripe_id])?;
    Ok(())
}

fn expire_referrals(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
) -> Result<(), Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let pending = tx.all(PENDING, params![team_id, project_id, customer_id], |row| {
        row.string(0)
    })?;
    for id in &pending {
        // One that converts at this very moment is converted.
        if tx.hit(EXPIRE, params![team_id, project_id, id])? {
            let facts = json!({"reason": "customer erased", "customerId": customer_id});
            let fact = Fact {
                kind: "referral.expired",
                subject: id,
                referral_id: Some(id),
                facts,
            };
            act.record(tx, place, &fact)?;
        }
    }
    Ok(())
}
