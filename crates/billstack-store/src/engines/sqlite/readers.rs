//! Reader threads: reads that may touch many rows, each in a transaction of its own.

use rusqlite::Connection;

use super::transaction::SqliteTx;
use crate::engines::lanes::Source;

/// Serves the queue until all senders are gone.
pub(super) fn run(connection: Connection, jobs: &impl Source) {
    let mut tx = SqliteTx::new(&connection);
    while let Some(mut job) = jobs.wait() {
        let began = tx.step("BEGIN");
        if began.is_ok() {
            job.run(&mut tx);
            // Nothing was written, so a failure loses nothing.
            let _ = tx.step("COMMIT");
        }
        job.answer(began);
    }
}
