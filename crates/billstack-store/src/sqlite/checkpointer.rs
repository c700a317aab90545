//! The checkpointer thread: copies the log into the database beside the writer, so that commits do
//! not stall on it. It is woken by the writer and has nothing to do on an idle server.

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;
use sqlite_pacing::{Pace, paced};

/// Serves wake-ups until the writer is gone.
///
/// It has but a few pages on their way to the disk at a time: a commit must not wait in line behind
/// thousands.
pub(super) fn run(connection: &Connection, woken: &Receiver<Pace>, ended: &Sender<i32>) {
    while let Ok(pace) = woken.recv() {
        let copied = paced(pace, || copy(connection)).unwrap_or_else(|error| {
            tracing::warn!(%error, "a checkpoint failed; it is tried again after the next commits");
            0
        });
        if ended.send(copied).is_err() {
            return;
        }
    }
}

/// Copies what nobody reads another state of, and tells how many pages of the log are in the database.
fn copy(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
}
