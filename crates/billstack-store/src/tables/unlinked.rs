//! Payments of which something waits that leads to no invoice. Only reads.

use billstack_core::ids::TeamId;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    PAYMENTS = "SELECT DISTINCT from_id FROM payment_links \
        WHERE team_id = $1 AND kind = 'event_waits' AND from_id > $2 ORDER BY from_id LIMIT $3";
    EVENTS = "SELECT to_id FROM payment_links \
        WHERE team_id = $1 AND from_id = $2 AND kind = 'event_waits' ORDER BY to_id";
    WAITS_FOR = "SELECT from_id FROM payment_links \
        WHERE team_id = $1 AND to_id = $2 AND kind = 'event_waits' ORDER BY from_id";
    OF_CHARGE = "SELECT DISTINCT stripe_customer_id FROM money_facts \
        WHERE team_id = $1 AND charge_id = $2 AND stripe_customer_id IS NOT NULL";
    OF_INTENT = "SELECT DISTINCT stripe_customer_id FROM money_facts \
        WHERE team_id = $1 AND payment_intent_id = $2 AND stripe_customer_id IS NOT NULL";
}

fn id(row: &dyn Row) -> Result<String, Fault> {
    row.string(0)
}

/// So many charges and payment intents that events wait for, in order, beginning after one.
pub(crate) fn payments(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Fault> {
    tx.all(PAYMENTS, params![team_id, after, limit], id)
}

/// The events that wait for a charge or a payment intent.
pub(crate) fn events(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    payment: &str,
) -> Result<Vec<String>, Fault> {
    tx.all(EVENTS, params![team_id, payment], id)
}

/// The charges and payment intents that an event waits for.
pub(crate) fn waits_for(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    event_id: &str,
) -> Result<Vec<String>, Fault> {
    tx.all(WAITS_FOR, params![team_id, event_id], id)
}

/// The customers of Stripe whose payment it is, as far as that was told.
pub(crate) fn payers(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    payment: &str,
) -> Result<Vec<String>, Fault> {
    let mut payers = tx.all(OF_CHARGE, params![team_id, payment], id)?;
    payers.extend(tx.all(OF_INTENT, params![team_id, payment], id)?);
    Ok(payers)
}
