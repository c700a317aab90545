//! The patient lane: runs blocked operations one by one.
//!
//! Each has a transaction of its own, so it holds only its own locks and may wait for one as long as the
//! connection allows, while the writers go on with other operations.

use crossbeam_channel::Receiver;

use super::attempts::{Failed, retry};
use super::connection::Settings;
use super::transaction::PostgresTx;
use super::writer::{BEGIN, commit, end};
use crate::engines::failing::Failing;
use crate::engines::queue::{Job, Verdict};
use crate::seam::Fault;

/// Serves the queue until all senders are gone. After a lost connection the next job opens a new one.
pub(super) fn run(
    settings: &Settings,
    mut connection: Option<PostgresTx>,
    jobs: &Receiver<Box<dyn Job>>,
    failing: &Failing,
) {
    while let Ok(mut job) = jobs.recv() {
        let done = serve(settings, &mut connection, &mut *job);
        failing.note(&done);
        if let Err(why) = &done {
            tracing::warn!(%why, "a database operation failed");
        }
        job.answer(done.clone());
        if let (None, Err(why)) = (&connection, done) {
            // The server cannot be reached, so the others fail at once instead of one by one.
            jobs.try_iter().for_each(|job| job.answer(Err(why.clone())));
        }
    }
}

/// Runs one job until it is committed, refused or failed.
fn serve(
    settings: &Settings,
    connection: &mut Option<PostgresTx>,
    job: &mut dyn Job,
) -> Result<(), Fault> {
    retry(|| {
        let tx = match connection.take().filter(|tx| !tx.is_closed()) {
            Some(tx) => connection.insert(tx),
            None => connection.insert(PostgresTx::open(settings)?),
        };
        try_once(tx, job).map_err(|why| Failed {
            why,
            lost: tx.is_closed(),
        })
    })
}

/// One attempt. After it the connection is outside of any transaction, or closed.
fn try_once(tx: &mut PostgresTx, job: &mut dyn Job) -> Result<(), Fault> {
    tx.begin(BEGIN);
    let verdict = match job.run(tx) {
        // Pending statements may still fail.
        Verdict::Keep => tx.flush().map_or_else(Verdict::Failed, |()| Verdict::Keep),
        other => other,
    };
    match verdict {
        Verdict::Keep => commit(tx),
        Verdict::Undo => end(tx, "ROLLBACK"),
        Verdict::Again(why) | Verdict::Failed(why) => {
            // On a broken connection this fails too; the server rolls back by itself.
            let _ = end(tx, "ROLLBACK");
            Err(why)
        }
    }
}
