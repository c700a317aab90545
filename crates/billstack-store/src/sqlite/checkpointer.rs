//! The checkpointer thread: copies the log into the database beside the writer, so that commits do
//! not stall on it. It is woken by the writer and has nothing to do on an idle server.

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;
use sqlite_pacing::Pacer;

use super::connection::could_not_sync;

/// The checkpointer's end of its talk with the writer.
pub(super) struct Passes {
    /// Where it is woken.
    pub(super) begin: Receiver<()>,
    /// Where it tells, at the end of each pass, how many pages of the log are in the database; not more
    /// than none when that is not known.
    pub(super) ended: Sender<i32>,
    /// How fast it goes.
    pub(super) pacer: Pacer,
}

/// Serves wake-ups until the writer is gone.
///
/// It has but a few pages on their way to the disk at a time: a commit must not wait in line behind
/// thousands.
///
/// A pass during which something is committed is not synced, only a later one is. Should that fail, the next
/// would not copy again what the first one did: pages that were lost are a reason to end the process, as
/// they are at a commit. The next one copies the whole log, unless yet another process has the database open.
pub(super) fn run(connection: &Connection, passes: &Passes, on_fatal: &dyn Fn(&str)) {
    while passes.begin.recv().is_ok() {
        let copied = passes
            .pacer
            .run(|| copy(connection))
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "a checkpoint failed; it is tried again later");
                end_if_lost(&error, &passes.pacer, on_fatal);
                0
            });
        if passes.ended.send(copied).is_err() {
            return;
        }
    }
}

/// Copies what nobody reads another state of, and tells how many pages of the log are in the database; -1
/// when another process is at it.
pub(super) fn copy(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
}

/// Ends the process when pages of a checkpoint that failed were lost.
pub(super) fn end_if_lost(error: &rusqlite::Error, pacer: &Pacer, on_fatal: &dyn Fn(&str)) {
    if is_loss(error, pacer) {
        on_fatal(&format!(
            "a checkpoint could not be written to disk: {error}"
        ));
    }
}

/// Whether pages of a checkpoint that failed may not have reached the disk. One whose write was refused (a limit, a
/// quota, a full disk) is copied again by the next.
fn is_loss(error: &rusqlite::Error, pacer: &Pacer) -> bool {
    could_not_sync(error) || pacer.has_lost()
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_sync_that_failed_is_a_loss_and_a_write_that_was_refused_is_none() {
        let loses = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            is_loss(&error, &Pacer::default())
        };
        assert!(loses(ffi::SQLITE_IOERR_FSYNC));
        assert!(loses(ffi::SQLITE_IOERR_DIR_FSYNC));
        assert!(!loses(ffi::SQLITE_IOERR_WRITE));
        assert!(!loses(ffi::SQLITE_FULL));
    }
}
