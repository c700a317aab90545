//! The length of the write-ahead log: when it is copied into the database, and when it is begun anew.

use std::cell::Cell;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;
use sqlite_pacing::Pace;

use super::connection::BUSY_TIMEOUT;

/// New pages in the log (4 KiB each) for which a pass of the checkpointer is worth its while. Under load a
/// page is in the log many times and is copied once: a pass for each commit copies twice as many.
const PASS_PAGES: i32 = 4_000;

/// Pages in the log from which it is begun anew as soon as next to nothing of it is left to copy. Until then
/// passes follow each other briskly, each shorter than the one before.
const LONG_LOG_PAGES: i32 = 16_384;

/// Next to nothing: so many pages the writer copies by itself, in a few milliseconds.
const FEW_PAGES: i32 = 256;

/// Pages in the log from which the writer itself copies what is left: a bound on the file when the disk
/// takes pages more slowly than they are written, for as long as no read holds on to an old snapshot.
const LARGEST_LOG_PAGES: i32 = 32_768;

/// Operations that wait for the next commit from which a pass is to be over soon. When few wait, a commit
/// is for one or two of them, and each that it slows down they feel: then the pass takes its time.
const RUSH: usize = 8;

/// How long the writer waits for readers to let go of the log. Short reads are over by then; a long
/// one (a backup, a report) would not be over after any wait that callers could bear.
const EMPTYING_WAIT: Duration = Duration::from_millis(50);

thread_local! {
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// The log, as the writer sees it after each commit.
pub(super) struct Log<'c> {
    connection: &'c Connection,
    /// Wakes the checkpointer.
    passes: Sender<Pace>,
    /// Where it tells, at the end of each pass, how many pages of the log are in the database.
    ended: Receiver<i32>,
    /// The same number, `None` during a pass.
    copied: Option<i32>,
    /// Where the writer tries to empty the log next; further on each time it could not.
    empty_from: i32,
}

impl<'c> Log<'c> {
    /// The log of a connection, which counts its pages on this thread from now on.
    pub(super) fn new(
        connection: &'c Connection,
        passes: Sender<Pace>,
        ended: Receiver<i32>,
    ) -> Log<'c> {
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        Log {
            connection,
            passes,
            ended,
            copied: Some(0),
            empty_from: LONG_LOG_PAGES,
        }
    }

    /// The connection that writes.
    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Wakes the checkpointer or begins the log anew, where one of them is due, while so many operations
    /// wait for the next commit.
    pub(super) fn bound(&mut self, waiting: usize) {
        let pages = PAGES.get();
        let is_full = pages >= self.empty_from.max(LARGEST_LOG_PAGES);
        let copied = match self.copied {
            Some(copied) => copied,
            // A full log waits for the end of the pass. Without a checkpointer nothing is known to be copied.
            None if is_full => self.ended.recv().unwrap_or(0),
            None => match self.ended.try_recv() {
                Ok(copied) => copied,
                Err(_) => return,
            },
        };
        self.copied = Some(copied);
        if copied > pages {
            // SQLite begins the log anew by itself when all of it was copied and nobody reads.
            return self.begun_anew();
        }
        let (left, is_long) = (pages - copied, pages >= LONG_LOG_PAGES);
        if is_full || (pages >= self.empty_from && left <= FEW_PAGES) {
            self.empty(pages);
        } else if is_long || left >= PASS_PAGES {
            let pace = if is_long || waiting >= RUSH {
                Pace::Brisk
            } else {
                Pace::Gentle
            };
            if self.passes.try_send(pace).is_ok() {
                self.copied = None;
            }
        }
    }

    fn begun_anew(&mut self) {
        self.copied = Some(0);
        self.empty_from = LONG_LOG_PAGES;
    }

    fn empty(&mut self, pages: i32) {
        match begin_anew(self.connection) {
            Ok(true) => {
                PAGES.set(0);
                self.begun_anew();
                return;
            }
            Ok(false) => tracing::debug!(
                pages,
                "a long read keeps the write-ahead log from being emptied"
            ),
            Err(error) => {
                tracing::warn!(%error, pages, "the write-ahead log could not be emptied");
            }
        }
        self.empty_from = pages.saturating_add(PASS_PAGES);
    }
}

/// Copies what is left of the log into the database and begins it anew; `false` when a reader still
/// needs it.
fn begin_anew(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(EMPTYING_WAIT)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    busy.map(|busy: i64| busy == 0)
}
