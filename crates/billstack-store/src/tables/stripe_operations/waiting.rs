//! How many operations of a team wait, and since when.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    PENDING = "SELECT CAST(COUNT(*) AS BIGINT), CAST(MIN(created_at) AS BIGINT) FROM stripe_operations \
        WHERE team_id = $1 AND state <> 'delivered'";
    ON_THEIR_WAY = "SELECT CAST(COUNT(*) AS BIGINT), CAST(MIN(created_at) AS BIGINT) FROM stripe_operations \
        WHERE team_id = $1 AND state <> 'delivered' AND state <> 'needs_attention'";
}

/// How many operations of a team are not done, and when the oldest of them was caused.
pub fn pending(tx: &mut dyn Tx, team_id: &TeamId) -> Result<(i64, Option<Micros>), Fault> {
    counted(tx, PENDING, team_id)
}

/// The same without those that wait for a person.
pub fn on_their_way(tx: &mut dyn Tx, team_id: &TeamId) -> Result<(i64, Option<Micros>), Fault> {
    counted(tx, ON_THEIR_WAY, team_id)
}

fn counted(
    tx: &mut dyn Tx,
    statement: &str,
    team_id: &TeamId,
) -> Result<(i64, Option<Micros>), Fault> {
    let found = tx.one(statement, params![team_id], |row| {
        Ok((row.int(0)?, row.opt_time(1)?))
    })?;
    Ok(found.unwrap_or_default())
}
