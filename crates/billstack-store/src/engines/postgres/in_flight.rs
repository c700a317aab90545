//! Whether somebody may still commit what began long ago.

use crate::params;
use crate::seam::{Fault, Tx};

/// Only what has written something can add to the log. It counts as running until it is seen by others, also while it
/// waits for a standby. Of other users' sessions PostgreSQL tells nothing.
const OLDEST: &str = "SELECT CAST(1000000 * COALESCE(EXTRACT(EPOCH FROM MAX(clock_timestamp() - xact_start)), 0) \
    AS BIGINT) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL";

/// How long the oldest transaction that has written something has been running, in microseconds; nothing if there is
/// none.
pub(crate) fn oldest_writer(tx: &mut dyn Tx) -> Result<i64, Fault> {
    let age = tx.one(OLDEST, params![], |row| row.int(0))?;
    Ok(age.unwrap_or(0))
}
