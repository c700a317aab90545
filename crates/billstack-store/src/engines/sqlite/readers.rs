//! Reader threads: reads that may touch many rows, each in one read transaction.

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::transaction::SqliteTx;
use crate::queue::Job;

/// Serves the queue until every sender is gone.
pub(super) fn run(connection: Connection, jobs: &Receiver<Box<dyn Job>>) {
    let mut tx = SqliteTx::new(&connection);
    while let Ok(mut job) = jobs.recv() {
        let began = tx.step("BEGIN");
        if began.is_ok() {
            job.run(&mut tx);
            // Nothing was written; ending the transaction cannot lose anything.
            let _ = tx.step("COMMIT");
        }
        job.answer(began);
    }
}
