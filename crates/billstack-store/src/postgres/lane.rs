//! A lane: one thread, one connection, one job at a time, each write in a transaction of its own.

use std::time::Duration;

use crossbeam_channel::Receiver;

use super::connection::{PostgresTx, Settings, connect};
use crate::jobs::{Job, Verdict};
use crate::tx::Fault;

/// How often an operation is run when others are in its way, or its connection breaks early.
const ATTEMPTS: u32 = 8;

/// What a lane is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    /// Writes, READ COMMITTED.
    Write,
    /// Reads; the server refuses anything else on this connection.
    Read,
}

/// Serves the queue until every sender is gone. A lost connection is made anew for the next job.
pub(super) fn run(settings: &Settings, mode: Mode, jobs: &Receiver<Box<dyn Job>>) {
    let mut connection = None;
    while let Ok(mut job) = jobs.recv() {
        let done = serve(settings, mode, &mut connection, &mut *job);
        if let Err(why) = &done {
            tracing::warn!(%why, "a database operation failed");
        }
        job.answer(done);
    }
}

/// Runs one job to its end: committed, refused, or failed for a reason that the caller is told.
fn serve(
    settings: &Settings,
    mode: Mode,
    connection: &mut Option<PostgresTx>,
    job: &mut dyn Job,
) -> Result<(), Fault> {
    let mut last = Fault::Closed;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            metrics::counter!("billstack_operation_retries_total").increment(1);
            std::thread::sleep(Duration::from_millis(u64::from(attempt * attempt)));
        }
        let tx = match connection.take().filter(|tx| !tx.is_closed()) {
            Some(tx) => connection.insert(tx),
            None => connection.insert(open(settings, mode)?),
        };
        match try_once(tx, job) {
            // The connection broke before COMMIT was sent, so nothing can have been kept.
            Err(Fault::Unavailable(_)) if tx.is_closed() && attempt == 0 => {}
            Err(Fault::Conflict(why)) => last = Fault::Conflict(why),
            done => return done,
        }
    }
    Err(Fault::Unavailable(format!(
        "gave up after {ATTEMPTS} attempts: {last}"
    )))
}

fn open(settings: &Settings, mode: Mode) -> Result<PostgresTx, Fault> {
    let mut tx = PostgresTx::new(connect(settings)?);
    if mode == Mode::Read {
        tx.simple("SET default_transaction_isolation = 'repeatable read'")?;
        tx.simple("SET default_transaction_read_only = on")?;
    }
    Ok(tx)
}

/// One attempt. After it the connection is outside of any transaction, or closed.
fn try_once(tx: &mut PostgresTx, job: &mut dyn Job) -> Result<(), Fault> {
    tx.simple("BEGIN")?;
    match job.run(tx) {
        Verdict::Keep => commit(tx),
        Verdict::Undo => tx.simple("ROLLBACK"),
        Verdict::Again(why) | Verdict::Failed(why) => {
            // On a broken connection this fails too; the server has rolled back by itself.
            let _ = tx.simple("ROLLBACK");
            Err(why)
        }
    }
}

fn commit(tx: &mut PostgresTx) -> Result<(), Fault> {
    match tx.simple("COMMIT") {
        Ok(()) => Ok(()),
        Err(Fault::Conflict(why)) => Err(Fault::Conflict(why)),
        // The server may have committed before the answer was lost. Never run again here.
        Err(why) => Err(Fault::Unknown(why.to_string())),
    }
}
