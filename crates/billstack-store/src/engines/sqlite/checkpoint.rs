//! The checkpoint thread: copies the write-ahead log into the database beside the writer.

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;

use super::connection::could_not_sync;

/// Runs a pass each time it is asked for one, until the writer is gone.
///
/// SQLite does not sync a pass during which something is committed, only a later one. A later one does not
/// copy those pages again, so a sync that fails ends the process: the next one starts from the log.
pub(super) fn run(
    connection: &Connection,
    asked: &Receiver<()>,
    ended: &Sender<()>,
    on_fatal: &dyn Fn(&str),
) {
    while asked.recv().is_ok() {
        if let Err(error) = pass(connection) {
            tracing::warn!(%error, "a checkpoint failed; it is tried again later");
            end_if_lost(&error, on_fatal);
        }
        if ended.send(()).is_err() {
            return;
        }
    }
}

/// Copies what no reader still needs from the log.
pub(super) fn pass(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Ends the process when pages of a failed checkpoint may be lost. After a write that was refused (a full disk)
/// they are still in the log.
pub(super) fn end_if_lost(error: &rusqlite::Error, on_fatal: &dyn Fn(&str)) {
    if could_not_sync(error) {
        on_fatal(&format!(
            "a checkpoint could not be written to disk: {error}"
        ));
    }
}
