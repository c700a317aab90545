//! The length of the write-ahead log, as the writer sees it: when a checkpoint pass and when a restart is due.

use std::cell::Cell;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use rusqlite::Connection;

use super::checkpoint::end_if_lost;
use super::connection::BUSY_TIMEOUT;

/// New pages in the log (4 KiB each) that make a checkpoint pass worthwhile. Under load a page is in the log many
/// times and is copied once a pass, so more passes copy more.
const PASS_PAGES: i32 = 4_000;

/// Pages in the log from which the writer restarts it, after a pass has left it little to copy. Unless a reader
/// holds on to a snapshot, the log stays below twice this length.
const CAP_PAGES: i32 = 16_384;

/// How long a restart waits for readers. Short reads are over by then; a long one (a backup, a report) would
/// outlast any wait that callers could bear.
const RESTART_WAIT: Duration = Duration::from_millis(50);

thread_local! {
    /// The length of the log after this thread's last commit.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// The log of the connection that writes.
pub(super) struct Wal<'c> {
    connection: &'c Connection,
    ask: Sender<()>,
    ended: Receiver<()>,
    on_fatal: &'c dyn Fn(&str),
    in_pass: bool,
    /// The length of the log at the last commit, and when the last pass began.
    pages: i32,
    pass_from: i32,
}

impl<'c> Wal<'c> {
    /// The log of a connection that commits on this thread. `ask` asks for a pass, `ended` reports its end.
    pub(super) fn new(
        connection: &'c Connection,
        ask: Sender<()>,
        ended: Receiver<()>,
        on_fatal: &'c dyn Fn(&str),
    ) -> Wal<'c> {
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        Wal {
            connection,
            ask,
            ended,
            on_fatal,
            in_pass: false,
            pages: 0,
            pass_from: 0,
        }
    }

    /// The connection that writes.
    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Keeps the log short. Called after each commit.
    pub(super) fn bound(&mut self) {
        let pages = PAGES.get();
        if pages < self.pages {
            // SQLite restarts the log itself once all of it has been copied.
            self.pass_from = 0;
        }
        self.pages = pages;
        let after_pass = self.in_pass;
        if after_pass && self.is_in_pass() {
            return;
        }
        if after_pass && self.pass_from >= CAP_PAGES {
            self.restart();
        } else if pages - self.pass_from >= PASS_PAGES {
            self.pass_from = pages;
            // When its thread has panicked, the writer copies the log itself.
            self.in_pass = self.ask.try_send(()).is_ok();
            if !self.in_pass {
                self.restart();
            }
        }
    }

    /// Whether the pass is still running. The writer waits for it when the log has grown by its cap since.
    fn is_in_pass(&mut self) -> bool {
        self.in_pass = if self.pages - self.pass_from < CAP_PAGES {
            self.ended.try_recv() == Err(TryRecvError::Empty)
        } else {
            let _ended = self.ended.recv();
            false
        };
        self.in_pass
    }

    /// Copies the rest of the log and restarts it. When a reader still needs it, the next pass is followed by
    /// another attempt.
    fn restart(&mut self) {
        match restart(self.connection) {
            Ok(true) => {
                PAGES.set(0);
                (self.pages, self.pass_from) = (0, 0);
            }
            Ok(false) => tracing::debug!(self.pages, "a reader still needs the write-ahead log"),
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be restarted");
                end_if_lost(&error, self.on_fatal);
            }
        }
    }
}

/// Restarts the log unless a reader still needs it.
fn restart(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(RESTART_WAIT)?;
    let outcome = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    outcome.map(|busy: bool| !busy)
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::super::open_writer;
    use super::*;

    #[test]
    fn a_log_that_grows_by_its_cap_during_a_pass_waits_for_it() {
        let connection = Connection::open_in_memory().unwrap();
        let ((ask, asked), (end, ended)) = (bounded(1), bounded(1));
        let mut wal = Wal::new(&connection, ask, ended, &|why| panic!("{why}"));
        let mut grow_to = |pages| {
            PAGES.set(pages);
            wal.bound();
        };
        grow_to(PASS_PAGES - 1);
        assert_eq!(asked.try_recv(), Err(TryRecvError::Empty));
        grow_to(PASS_PAGES);
        assert_eq!(asked.try_recv(), Ok(()));
        grow_to(PASS_PAGES + CAP_PAGES - 1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                assert_eq!(end.send(()), Ok(()));
            });
            grow_to(PASS_PAGES + CAP_PAGES);
        });
        assert!(end.is_empty(), "nobody waited");
        // A pass from beyond the cap is due now, and then the restart.
        assert_eq!(asked.try_recv(), Ok(()));
    }

    #[test]
    fn without_a_checkpoint_thread_the_writer_restarts_the_log_itself() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_writer(&directory.path().join("test.db")).unwrap();
        let (ask, ended) = (bounded(1).0, bounded(1).1);
        let mut wal = Wal::new(&connection, ask, ended, &|why| panic!("{why}"));
        connection
            .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(20000000))")
            .unwrap();
        assert!(PAGES.get() > PASS_PAGES, "{}", PAGES.get());
        wal.bound();
        assert_eq!(PAGES.get(), 0);
        connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
        assert!(PAGES.get() < 10, "{}", PAGES.get());
    }
}
