//! The checkpointer thread: copies the log into the database beside the writer, so that commits do
//! not stall on it. It is woken by the writer and has nothing to do on an idle server.

use crossbeam_channel::Receiver;
use rusqlite::Connection;

/// Serves wake-ups until the writer is gone.
pub(super) fn run(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = copied {
            tracing::warn!(%error, "a checkpoint failed; it is tried again after the next commits");
        }
    }
}
