//! What an endpoint did not take: what is tried again, what was given up, and why.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use super::super::webhook_attempts::{self, Attempt};
use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    /// The first that was given up, of a number of them, and that nobody has sent again since.
    UNDELIVERED = "SELECT d.event_at FROM (SELECT team_id, endpoint_id, event_id, event_at, created_at, id \
        FROM webhook_deliveries WHERE team_id = $1 AND endpoint_id = $2 AND ended_at IS NOT NULL AND state = 'failed' \
        AND created_at >= $3 AND NOT is_replay ORDER BY created_at, id LIMIT $4) AS d \
        WHERE NOT EXISTS (SELECT 1 FROM webhook_deliveries AS r WHERE r.team_id = d.team_id \
        AND r.endpoint_id = d.endpoint_id AND r.event_id = d.event_id AND r.is_replay AND r.state = 'delivered') \
        ORDER BY d.created_at, d.id LIMIT 1";
    /// The last attempt of each that has failed and is tried again, among a number of those that wait.
    RETRIED = "SELECT a.at, a.duration_ms, a.status, a.error, CAST(NULL AS TEXT) FROM (SELECT w.team_id, w.subject FROM work AS w \
        WHERE w.team_id = $1 AND w.kind = 'webhook' AND w.lane = $2 ORDER BY w.run_after LIMIT $3) AS q \
        JOIN webhook_deliveries AS d ON d.team_id = q.team_id AND d.id = q.subject \
        JOIN webhook_attempts AS a ON a.team_id = d.team_id AND a.delivery_id = d.id AND a.number = d.attempts";
    /// The last attempt of the newest that was given up.
    GIVEN_UP = "SELECT a.at, a.duration_ms, a.status, a.error, CAST(NULL AS TEXT) FROM (SELECT team_id, id, attempts \
        FROM webhook_deliveries WHERE team_id = $1 AND endpoint_id = $2 AND ended_at IS NOT NULL AND state = 'failed' \
        ORDER BY created_at DESC, id DESC LIMIT 1) AS d JOIN webhook_attempts AS a ON a.team_id = d.team_id \
        AND a.delivery_id = d.id AND a.number = d.attempts";
}

/// When the first event since a time was recorded that an endpoint did not take and nobody has sent again since, among
/// a number of those that it did not take.
pub(crate) fn undelivered_since(
    tx: &mut dyn Tx,
    (team_id, endpoint_id): (&TeamId, &str),
    since: Micros,
    limit: i64,
) -> Result<Option<Micros>, Fault> {
    let scope = params![team_id, endpoint_id, since, limit];
    tx.one(UNDELIVERED, scope, |row| row.time(0))
}

/// How many of a number that wait have failed and are tried again, and the latest attempt among them.
pub(crate) fn retried(
    tx: &mut dyn Tx,
    (team_id, endpoint_id): (&TeamId, &str),
    limit: i64,
) -> Result<(i64, Option<Attempt>), Fault> {
    let scope = params![team_id, endpoint_id, limit];
    let tried = tx.all(RETRIED, scope, webhook_attempts::decode)?;
    let number = i64::try_from(tried.len()).unwrap_or(limit);
    Ok((number, tried.into_iter().max_by_key(|attempt| attempt.at)))
}

/// How the newest delivery ended that an endpoint did not take.
pub(crate) fn given_up(
    tx: &mut dyn Tx,
    (team_id, endpoint_id): (&TeamId, &str),
) -> Result<Option<Attempt>, Fault> {
    tx.one(
        GIVEN_UP,
        params![team_id, endpoint_id],
        webhook_attempts::decode,
    )
}
