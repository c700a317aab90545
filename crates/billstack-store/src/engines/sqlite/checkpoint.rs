//! The checkpoint thread: copies the write-ahead log into the database beside the writer.

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;

use super::connection::could_not_sync;

/// Pages that are not worth another pass.
const FEW_PAGES: i32 = 100;

/// Copies the log whenever the writer asks for it, until the writer is gone.
///
/// SQLite syncs the database only after a pass that copied the whole log. Passes never copy a page of the log
/// twice, so a failed sync ends the process, and the next one recovers from the log.
pub(super) fn run(
    connection: &Connection,
    asked: &Receiver<()>,
    ended: &Sender<()>,
    on_fatal: &dyn Fn(&str),
) {
    while asked.recv().is_ok() {
        if let Err(error) = catch_up(connection) {
            tracing::warn!(%error, "a checkpoint failed; it is tried again later");
            end_if_lost(&error, on_fatal);
        }
        if ended.send(()).is_err() {
            return;
        }
    }
}

/// Runs passes, each shorter than the one before, until the last is likely to fit between two commits: then it is
/// synced here, and the writer need not do it.
fn catch_up(connection: &Connection) -> rusqlite::Result<()> {
    let mut copied = 0;
    loop {
        let before = copied;
        copied = pass(connection)?;
        if copied - before <= FEW_PAGES {
            return Ok(());
        }
    }
}

/// Copies all that no reader's snapshot holds back, and tells how many pages of the log are in the database.
pub(crate) fn pass(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
}

/// Ends the process when a failed checkpoint may have lost pages. After a failed write (a full disk) they are still
/// in the log.
pub(super) fn end_if_lost(error: &rusqlite::Error, on_fatal: &dyn Fn(&str)) {
    if could_not_sync(error) {
        on_fatal(&format!(
            "a checkpoint could not be written to disk: {error}"
        ));
    }
}
