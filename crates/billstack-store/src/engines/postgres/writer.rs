//! A writer: one thread, one connection, and one transaction for its share of the queue.
//!
//! Each operation has a savepoint, and all of them share one `BEGIN` and one `COMMIT`. There is no timer: an
//! idle server commits a lone write at once, and a busy one takes whatever arrived meanwhile.
//!
//! Two batches that share two locks can deadlock, on one node or on several. So a writer waits for a lock only as
//! long as [`PATIENCE`] says; then it hands the operation to the patient lane and commits the rest of the batch.
//! That breaks every deadlock, and no other operation waits. There are several writers because each mostly waits
//! for answers.

use std::collections::VecDeque;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::connection::Settings;
use super::transaction::PostgresTx;
use crate::engines::failing::Failing;
use crate::engines::queue::{Job, Verdict};
use crate::seam::Fault;

/// The most operations in one transaction: PostgreSQL keeps 64 subtransactions in shared memory, and with more
/// every other connection has to look them up on disk.
const LARGEST_BATCH: usize = 60;

/// How long a writer waits for a lock: far less than PostgreSQL's deadlock check, which comes after a second, and
/// far more than another node's batch takes. In milliseconds.
pub(super) const PATIENCE: u32 = 50;

/// Begins a lone operation. It names the isolation level because the default of a database or role may be another
/// one, at which an operation does not see what was committed while it waited for a lock. It does not say
/// `READ WRITE`: a server that is read only by default, as after a failover, must refuse writes.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Begins a batch of several.
const BEGIN_BATCH: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SAVEPOINT operation";

/// Keeps an operation and begins the next.
const NEXT: &str = "RELEASE operation; SAVEPOINT operation";

/// Undoes an operation; the next one reuses the savepoint.
const UNDO: &str = "ROLLBACK TO operation";

type Jobs = VecDeque<Box<dyn Job>>;

/// Serves the queue until all senders are gone. Blocked operations go to `patient`. After a lost connection the
/// next batch opens a new one.
pub(super) fn run(
    settings: &Settings,
    mut connection: Option<PostgresTx>,
    lanes: usize,
    jobs: &Receiver<Box<dyn Job>>,
    patient: &Sender<Box<dyn Job>>,
    failing: &Failing,
) {
    let mut batch = Jobs::new();
    while let Ok(first) = jobs.recv() {
        batch.push_back(first);
        let share = (jobs.len() / lanes).min(LARGEST_BATCH - 1);
        batch.extend(jobs.try_iter().take(share));
        metrics::histogram!("billstack_write_batch_size").record(batch.len() as f64);
        while !batch.is_empty() {
            match ready(settings, &mut connection) {
                Ok(tx) => commit_batch(tx, &mut batch, patient, failing),
                Err(why) => answer(&mut batch, &Err(why), failing),
            }
        }
    }
}

fn ready<'c>(
    settings: &Settings,
    connection: &'c mut Option<PostgresTx>,
) -> Result<&'c mut PostgresTx, Fault> {
    let tx = match connection.take().filter(|tx| !tx.is_closed()) {
        Some(tx) => tx,
        None => PostgresTx::open(settings)?,
    };
    Ok(connection.insert(tx))
}

/// Runs and commits operations up to the first blocked one; those after it stay in the batch.
fn commit_batch(
    tx: &mut PostgresTx,
    batch: &mut Jobs,
    patient: &Sender<Box<dyn Job>>,
    failing: &Failing,
) {
    let (mut done, mut blocked) = (Jobs::new(), None);
    let committed = match run_batch(tx, batch, &mut done, &mut blocked) {
        Ok(Batch::Kept) => commit(tx),
        Ok(Batch::Empty) => end(tx, "ROLLBACK"),
        // COMMIT was not sent, so nothing is kept.
        Err(why) => Err(Fault::Conflict(why.to_string())),
    };
    if let Err(Fault::Conflict(why)) = &committed {
        tracing::debug!(%why, operations = done.len(), "a batch of writes runs again, one by one");
        // On a broken connection this fails too; the server rolls back by itself.
        let _ = end(tx, "ROLLBACK");
        for job in done.drain(..) {
            hand_over(job, patient);
        }
    }
    if let Err(why) = &committed
        && !done.is_empty()
    {
        tracing::warn!(%why, operations = done.len(), "a batch of writes failed");
    }
    answer(&mut done, &committed, failing);
    if let Some(job) = blocked {
        hand_over(job, patient);
    }
}

/// Whether a batch has anything to commit.
#[derive(PartialEq)]
enum Batch {
    Kept,
    Empty,
}

/// Runs operations up to their commit. A fault means that none of them can be kept.
fn run_batch(
    tx: &mut PostgresTx,
    batch: &mut Jobs,
    done: &mut Jobs,
    blocked: &mut Option<Box<dyn Job>>,
) -> Result<Batch, Fault> {
    let (alone, mut outcome) = (batch.len() == 1, Batch::Empty);
    tx.begin(if alone { BEGIN } else { BEGIN_BATCH });
    let mut next = false;
    while let Some(mut job) = batch.pop_front() {
        if next {
            tx.later(NEXT);
        }
        tx.next_operation();
        let verdict = job.run(tx);
        next = verdict == Verdict::Keep;
        if tx.spoiled().is_some() || (!next && tx.is_closed()) {
            *blocked = Some(job);
            return Err(Fault::Conflict(
                "an earlier operation cannot be kept".to_owned(),
            ));
        }
        if next {
            outcome = Batch::Kept;
        } else {
            tx.forget_operation();
            tx.later(UNDO);
        }
        match verdict {
            Verdict::Again(_) | Verdict::Failed(Fault::Unavailable(_)) => {
                *blocked = Some(job);
                break;
            }
            Verdict::Failed(why) => {
                tracing::warn!(%why, "a database operation failed");
                done.push_back(job);
            }
            Verdict::Keep | Verdict::Undo => done.push_back(job),
        }
    }
    if outcome == Batch::Kept {
        tx.flush()?;
    }
    Ok(outcome)
}

/// Commits. Everything sent before has succeeded.
pub(super) fn commit(tx: &mut PostgresTx) -> Result<(), Fault> {
    match tx.simple("COMMIT") {
        Ok(()) => Ok(()),
        Err(Fault::Conflict(why)) => Err(Fault::Conflict(why)),
        // The server may have committed before the answer was lost, so this is never retried here.
        Err(why) => Err(Fault::Unknown(why.to_string())),
    }
}

/// Ends the transaction and drops pending statements.
pub(super) fn end(tx: &mut PostgresTx, command: &'static str) -> Result<(), Fault> {
    tx.forget_all();
    tx.simple(command)
}

fn answer(jobs: &mut Jobs, committed: &Result<(), Fault>, failing: &Failing) {
    failing.note(committed);
    for job in jobs.drain(..) {
        job.answer(committed.clone());
    }
}

/// Hands an operation to the patient lane. Nothing of it was kept.
fn hand_over(job: Box<dyn Job>, patient: &Sender<Box<dyn Job>>) {
    metrics::counter!("billstack_operation_retries_total").increment(1);
    match patient.try_send(job) {
        Ok(()) => {}
        Err(TrySendError::Full(job)) => job.answer(Err(Fault::Overloaded)),
        Err(TrySendError::Disconnected(job)) => job.answer(Err(Fault::Closed)),
    }
}
