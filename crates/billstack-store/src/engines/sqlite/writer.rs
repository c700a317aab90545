//! The writer thread: take everything queued, run it, commit once, then answer.
//!
//! There is no timer: an idle server commits a lone write at once, and a busy one shares a sync between all
//! writes that arrived during the previous one.

use std::path::Path;

use crossbeam_channel::Receiver;
use rusqlite::{Connection, ffi};

use super::connection::{could_not_sync, fault};
use super::quota;
use super::transaction::SqliteTx;
use super::wal::Wal;
use crate::engines::failing::Failing;
use crate::engines::queue::{Job, Verdict};
use crate::seam::Fault;

/// The most operations in one commit. It bounds how long the first one waits.
const LARGEST_BATCH: usize = 256;

/// Serves the queue until all senders are gone.
pub(super) fn run(
    mut wal: Wal<'_>,
    jobs: &Receiver<Box<dyn Job>>,
    failing: &Failing,
    on_fatal: &dyn Fn(&str),
) {
    let mut tx = SqliteTx::new(wal.connection());
    let mut batch = Vec::with_capacity(LARGEST_BATCH);
    while let Ok(first) = jobs.recv() {
        batch.push(first);
        batch.extend(jobs.try_iter().take(LARGEST_BATCH - 1));
        metrics::histogram!("billstack_write_batch_size").record(batch.len() as f64);
        let committed = commit_batch(&mut tx, &mut batch, on_fatal);
        failing.note(&committed);
        for job in batch.drain(..) {
            job.answer(committed.clone());
        }
        wal.bound();
    }
}

/// Runs and commits a batch.
fn commit_batch(
    tx: &mut SqliteTx<'_>,
    batch: &mut [Box<dyn Job>],
    on_fatal: &dyn Fn(&str),
) -> Result<(), Fault> {
    let committed = run_batch(tx, batch).and_then(|()| commit(tx.connection(), on_fatal));
    if let Err(why) = &committed {
        tracing::error!(%why, operations = batch.len(), "a batch of writes failed");
        if !tx.connection().is_autocommit() {
            let _ = tx.step("ROLLBACK");
        }
    }
    committed
}

/// Runs a batch in one transaction, each operation as if it were alone in it.
///
/// Almost every operation succeeds, or is refused before it writes, so the batch first runs without savepoints,
/// which cost time. When an operation must be undone after all, the whole batch runs again with them: operations
/// are repeatable.
fn run_batch(tx: &mut SqliteTx<'_>, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    tx.step("BEGIN IMMEDIATE")?;
    if run_together(tx, batch)? {
        return Ok(());
    }
    if !tx.connection().is_autocommit() {
        tx.step("ROLLBACK")?;
    }
    tx.step("BEGIN IMMEDIATE")?;
    run_apart(tx, batch)
}

/// Runs a batch without savepoints; `false` when one of its operations must be undone.
fn run_together(tx: &mut SqliteTx<'_>, batch: &mut [Box<dyn Job>]) -> Result<bool, Fault> {
    for job in batch {
        let before = tx.connection().total_changes();
        match job.run(tx) {
            Verdict::Keep => {}
            Verdict::Failed(why @ Fault::Unavailable(_)) => return Err(why),
            Verdict::Failed(_) => return Ok(false),
            Verdict::Undo | Verdict::Again(_) if tx.connection().total_changes() != before => {
                return Ok(false);
            }
            Verdict::Undo | Verdict::Again(_) => {}
        }
    }
    Ok(true)
}

/// Runs a batch, each operation in a savepoint of its own.
fn run_apart(tx: &mut SqliteTx<'_>, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    for job in batch {
        tx.step("SAVEPOINT operation")?;
        match job.run(tx) {
            Verdict::Keep => {}
            // SQLite has no second writer to conflict with; the caller gets the fault.
            Verdict::Undo | Verdict::Again(_) => tx.step("ROLLBACK TO operation")?,
            Verdict::Failed(why) => {
                // A full or failing disk may have rolled back the whole transaction.
                if tx.connection().is_autocommit() || matches!(why, Fault::Unavailable(_)) {
                    return Err(why);
                }
                tx.step("ROLLBACK TO operation")?;
            }
        }
        tx.step("RELEASE operation")?;
    }
    Ok(())
}

/// Commits. After a failed write or sync of the log the rows may be visible now and gone after a restart, or the
/// reverse.
fn commit(connection: &Connection, on_fatal: &dyn Fn(&str)) -> Result<(), Fault> {
    let Err(error) = connection
        .prepare_cached("COMMIT")
        .and_then(|mut s| s.raw_execute())
    else {
        return Ok(());
    };
    let half_written = error
        .sqlite_error()
        .is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_WRITE);
    let database = connection.path().map(Path::new);
    if half_written && database.is_some_and(quota::is_used_up) {
        return Err(Fault::Unavailable(format!("the quota is used up: {error}")));
    }
    if half_written || could_not_sync(&error) {
        on_fatal(&format!(
            "the database could not be synced to disk: {error}"
        ));
        return Err(Fault::Unknown(error.to_string()));
    }
    Err(fault(&error))
}
