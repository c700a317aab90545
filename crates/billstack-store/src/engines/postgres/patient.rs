//! The patient lane: operations that somebody was in the way of, one by one.
//!
//! Each has a transaction of its own, so it holds only what it needs itself, and it may wait for a
//! name as long as the connection allows, while the writer goes on with what others ask for.

use crossbeam_channel::Receiver;

use super::attempts::{Trouble, persist};
use super::connection::Settings;
use super::transaction::PostgresTx;
use super::writer::{BEGIN, commit, end};
use crate::failing::Failing;
use crate::queue::{Job, Verdict};
use crate::tx::Fault;

/// Serves the queue until every sender is gone. A lost connection is made anew for the next job.
pub(super) fn run(settings: &Settings, jobs: &Receiver<Box<dyn Job>>, failing: &Failing) {
    let mut connection = None;
    while let Ok(mut job) = jobs.recv() {
        let done = serve(settings, &mut connection, &mut *job);
        failing.note(&done);
        if let Err(why) = &done {
            tracing::warn!(%why, "a database operation failed");
        }
        job.answer(done.clone());
        if let (None, Err(why)) = (&connection, done) {
            // The server cannot be reached; the others need not wait for the same, one by one.
            jobs.try_iter().for_each(|job| job.answer(Err(why.clone())));
        }
    }
}

/// Runs one job to its end: committed, refused, or failed for a reason that the caller is told.
fn serve(
    settings: &Settings,
    connection: &mut Option<PostgresTx>,
    job: &mut dyn Job,
) -> Result<(), Fault> {
    persist(|| {
        let tx = match connection.take().filter(|tx| !tx.is_closed()) {
            Some(tx) => connection.insert(tx),
            None => connection.insert(PostgresTx::open(settings)?),
        };
        try_once(tx, job).map_err(|why| Trouble {
            why,
            lost: tx.is_closed(),
        })
    })
}

/// One attempt. After it the connection is outside of any transaction, or closed.
fn try_once(tx: &mut PostgresTx, job: &mut dyn Job) -> Result<(), Fault> {
    tx.begin(BEGIN);
    let verdict = match job.run(tx) {
        // Whatever was not waited for counts as much as the rest.
        Verdict::Keep => tx.flush().map_or_else(Verdict::Failed, |()| Verdict::Keep),
        other => other,
    };
    match verdict {
        Verdict::Keep => commit(tx),
        Verdict::Undo => end(tx, "ROLLBACK"),
        Verdict::Again(why) | Verdict::Failed(why) => {
            // On a broken connection this fails too; the server has rolled back by itself.
            let _ = end(tx, "ROLLBACK");
            Err(why)
        }
    }
}
