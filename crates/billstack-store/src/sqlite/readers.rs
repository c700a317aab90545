//! Reader threads: reads that may touch many rows, each in one read transaction.

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::connection::{SqliteTx, fault};
use crate::jobs::Job;

/// Serves the queue until every sender is gone.
pub(super) fn run(connection: Connection, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(mut job) = jobs.recv() {
        let began = connection.execute_batch("BEGIN").map_err(|e| fault(&e));
        if began.is_ok() {
            job.run(&mut SqliteTx(&connection));
            // Nothing was written; ending the transaction cannot lose anything.
            let _ = connection.execute_batch("COMMIT");
        }
        job.answer(began);
    }
}
