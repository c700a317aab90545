//! Forgetting what is no longer needed, a bounded number of rows at a time.
//!
//! A worker comes back soon while a batch was full. Each batch is one short transaction, so webhooks and
//! applies never wait long behind it.

use billstack_core::time::{DAY, Micros};

use crate::seam::{Fault, Tx};
use crate::tables::{
    idempotency_keys, invitations, money_facts, payment_links, portal_tickets, sessions,
    webhook_attempts, webhook_deliveries, webhook_endpoints,
};

pub use crate::tables::stripe_events::drop_old_payloads;

/// How long the team's administrators still see an expired invitation.
const INVITATIONS_STAY: i64 = 30 * DAY;

/// Drops the answers under idempotency keys first used before a time. Returns how many.
pub fn drop_answers(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    idempotency_keys::drop_old(tx, before, limit)
}

/// Drops sessions that have expired, or were not used for `idle` microseconds. Returns how many.
pub fn drop_sessions(tx: &mut dyn Tx, now: Micros, idle: i64, limit: i64) -> Result<u64, Fault> {
    sessions::drop_dead(tx, now, idle, limit)
}

/// Drops invitations that expired a month ago. Returns how many.
pub fn drop_invitations(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    invitations::drop_expired(tx, now.plus(-INVITATIONS_STAY), limit)
}

/// Drops tickets to customers' own pages that nobody has used in time. Returns how many.
pub fn drop_tickets(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    portal_tickets::drop_expired(tx, now, limit)
}

/// Drops what Stripe told of payments and no credit depends on, once no window can reach it. Returns how many rows.
pub fn drop_payments(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    let facts = money_facts::drop_old(tx, now, limit)?;
    Ok(facts + payment_links::drop_old(tx, now, limit)?)
}

/// Drops webhooks that were delivered, or given up, before a time, and endpoints that were taken away and have none
/// left. Returns how many rows.
pub fn drop_webhooks(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    let forgotten = webhook_deliveries::forget(tx, before, limit, webhook_attempts::forget)?;
    Ok(forgotten + webhook_endpoints::forget(tx, before, limit)?)
}
