//! Forgetting what is no longer needed, a bounded number of rows at a time.
//!
//! A job calls each of these until it returns fewer rows than `limit`. A batch is one short
//! transaction, so webhooks and applies never wait long behind it.

use billstack_core::time::{DAY, Micros};

use crate::tx::{Fault, Tx};
use crate::{params, statements};

statements! {
    FORGET_PAYLOADS = "UPDATE stripe_events SET payload = NULL WHERE (team_id, id) IN (\
        SELECT team_id, id FROM stripe_events WHERE payload IS NOT NULL AND received_at < $1 \
        LIMIT $2)";
    DROP_ANSWERS = "DELETE FROM idempotency_keys WHERE (team_id, caller, idempotency_key) IN (\
        SELECT team_id, caller, idempotency_key FROM idempotency_keys WHERE created_at < $1 \
        ORDER BY created_at LIMIT $2)";
    DROP_SESSIONS = "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions \
        WHERE expires_at <= $1 OR seen_at <= $2 LIMIT $3)";
    DROP_INVITATIONS = "DELETE FROM invitations WHERE (team_id, id) IN (\
        SELECT team_id, id FROM invitations WHERE expires_at < $1 LIMIT $2)";
    DROP_RESERVATIONS = "DELETE FROM customer_reservations \
        WHERE (team_id, project_id, email) IN (SELECT team_id, project_id, email \
        FROM customer_reservations WHERE created_at < $1 AND claimed_until < $2 LIMIT $3)";
}

/// How long an expired invitation stays in sight of the team's administrators.
const INVITATIONS_STAY: i64 = 30 * DAY;

/// How long a customer may remain half created in Stripe. Stripe itself forgets the idempotency key
/// of the call after a day at the earliest, so a retry that late is a new call anyway
/// (<https://docs.stripe.com/api/idempotent_requests>).
const RESERVATIONS_STAY: i64 = 7 * DAY;

/// Forgets the bodies of Stripe events received before a time; ids and outcomes stay. Returns how
/// many.
pub fn forget_payloads(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(FORGET_PAYLOADS, params![before, limit])
}

/// Drops the answers under idempotency keys first used before a time. Returns how many.
pub fn drop_answers(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(DROP_ANSWERS, params![before, limit])
}

/// Drops sessions that have expired, or were not used for `idle` microseconds. Returns how many.
pub fn drop_sessions(tx: &mut dyn Tx, now: Micros, idle: i64, limit: i64) -> Result<u64, Fault> {
    let idle_since = now.plus(idle.saturating_neg());
    tx.execute(DROP_SESSIONS, params![now, idle_since, limit])
}

/// Drops invitations that expired a month ago. Returns how many.
pub fn drop_invitations(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        DROP_INVITATIONS,
        params![now.plus(-INVITATIONS_STAY), limit],
    )
}

/// Drops reservations of customers that nobody has finished within a week. Returns how many.
pub fn drop_reservations(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    let before = now.plus(-RESERVATIONS_STAY);
    tx.execute(DROP_RESERVATIONS, params![before, now, limit])
}
