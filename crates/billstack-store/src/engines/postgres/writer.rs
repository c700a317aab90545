//! A writer: one thread, one connection, its share of what is queued in one transaction.
//!
//! Each operation has a savepoint, and all of them share one `BEGIN` and one `COMMIT`. There is no
//! timer: an idle server commits a lone write at once, a busy one takes whatever arrived meanwhile.
//!
//! Two batches wait for each other's names as soon as they share two, those of one node like those of
//! different nodes. So a writer waits for a name for [`PATIENCE`] only; then the operation is taken out
//! of the batch and handed to the patient lane, and the batch commits what it has. That undoes any
//! circle of waiting, and nobody else waits with the operation. Several writers, because each spends
//! most of its time on waiting for answers: four do twice as much as one (apply, two cores).

use std::collections::VecDeque;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::connection::Settings;
use super::transaction::PostgresTx;
use crate::failing::Failing;
use crate::queue::{Job, Verdict};
use crate::tx::Fault;

/// The most operations in one transaction: PostgreSQL keeps 64 subtransactions where every other
/// connection can see them cheaply, and with more each of them has to look on disk.
const LARGEST_BATCH: usize = 60;

/// How long the writer waits for a lock. It is far shorter than PostgreSQL's own look for circles,
/// which comes after a second, and far longer than a batch of another node takes.
const PATIENCE: &str = "SET lock_timeout = '50ms'";

/// Begins an operation that has a transaction of its own. It names the isolation because a database or a role may
/// have another default, at which what was committed during the wait for a lock is not seen. It does not say
/// `READ WRITE`: a server that is read only by default, as after a failover, must refuse it.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Begins a batch of several.
const BEGIN_BATCH: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SAVEPOINT operation";

/// Keeps an operation and begins the next one.
const NEXT: &str = "RELEASE operation; SAVEPOINT operation";

/// Takes back an operation; what follows has the same savepoint.
const UNDO: &str = "ROLLBACK TO operation";

type Jobs = VecDeque<Box<dyn Job>>;

/// Serves the queue until every sender is gone. Operations that somebody is in the way of go to
/// `patient`. A lost connection is made anew for what comes next.
pub(super) fn run(
    settings: &Settings,
    lanes: usize,
    jobs: &Receiver<Box<dyn Job>>,
    patient: &Sender<Box<dyn Job>>,
    failing: &Failing,
) {
    let mut connection = None;
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
        None => {
            let mut tx = PostgresTx::open(settings)?;
            tx.simple(PATIENCE)?;
            tx
        }
    };
    Ok(connection.insert(tx))
}

/// Runs and commits operations up to the first that somebody is in the way of; those after it stay in
/// the batch.
fn commit_batch(
    tx: &mut PostgresTx,
    batch: &mut Jobs,
    patient: &Sender<Box<dyn Job>>,
    failing: &Failing,
) {
    let (mut done, mut hindered) = (Jobs::new(), None);
    let committed = match run_batch(tx, batch, &mut done, &mut hindered) {
        Ok(Kept::Some) => commit(tx),
        Ok(Kept::Nothing) => end(tx, "ROLLBACK"),
        // COMMIT has not been sent: nothing is kept, whatever went wrong.
        Err(why) => Err(Fault::Conflict(why.to_string())),
    };
    if let Err(Fault::Conflict(why)) = &committed {
        tracing::debug!(%why, operations = done.len(), "a batch of writes is run again, one by one");
        // On a broken connection this fails too; the server has rolled back by itself.
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
    if let Some(job) = hindered {
        hand_over(job, patient);
    }
}

/// Whether there is anything to commit.
#[derive(PartialEq)]
enum Kept {
    Some,
    Nothing,
}

/// Runs operations up to their commit. A fault means that none of them can be kept.
fn run_batch(
    tx: &mut PostgresTx,
    batch: &mut Jobs,
    done: &mut Jobs,
    hindered: &mut Option<Box<dyn Job>>,
) -> Result<Kept, Fault> {
    let (alone, mut kept) = (batch.len() == 1, Kept::Nothing);
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
            *hindered = Some(job);
            return Err(Fault::Conflict(
                "an earlier operation cannot be kept".to_owned(),
            ));
        }
        if next {
            kept = Kept::Some;
        } else {
            tx.forget_operation();
            tx.later(UNDO);
        }
        match verdict {
            Verdict::Again(_) | Verdict::Failed(Fault::Unavailable(_)) => {
                *hindered = Some(job);
                break;
            }
            Verdict::Failed(why) => {
                tracing::warn!(%why, "a database operation failed");
                done.push_back(job);
            }
            Verdict::Keep | Verdict::Undo => done.push_back(job),
        }
    }
    if kept == Kept::Some {
        tx.flush()?;
    }
    Ok(kept)
}

/// Commits. Everything that was sent before has been answered, and well.
pub(super) fn commit(tx: &mut PostgresTx) -> Result<(), Fault> {
    match tx.simple("COMMIT") {
        Ok(()) => Ok(()),
        Err(Fault::Conflict(why)) => Err(Fault::Conflict(why)),
        // The server may have committed before the answer was lost. Never run again here.
        Err(why) => Err(Fault::Unknown(why.to_string())),
    }
}

/// Ends the transaction without what has not been sent.
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

/// Gives an operation to the lane that has time. Nothing of it has been kept.
fn hand_over(job: Box<dyn Job>, patient: &Sender<Box<dyn Job>>) {
    metrics::counter!("billstack_operation_retries_total").increment(1);
    match patient.try_send(job) {
        Ok(()) => {}
        Err(TrySendError::Full(job)) => job.answer(Err(Fault::Overloaded)),
        Err(TrySendError::Disconnected(job)) => job.answer(Err(Fault::Closed)),
    }
}
