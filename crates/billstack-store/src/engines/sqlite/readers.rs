//! Reader threads: reads that may touch many rows, each in a transaction of its own.

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::transaction::SqliteTx;
use crate::engines::queue::Job;

/// Serves the queue until all senders are gone.
pub(super) fn run(connection: Connection, jobs: &Receiver<Box<dyn Job>>) {
    let mut tx = SqliteTx::new(&connection);
    while let Ok(mut job) = jobs.recv() {
        let began = tx.step("BEGIN");
        if began.is_ok() {
            job.run(&mut tx);
            // Nothing was written, so a failure loses nothing.
            let _ = tx.step("COMMIT");
        }
        job.answer(began);
    }
}
