//! The length of the write-ahead log: when it is copied into the database, and when it is begun anew.

mod course;

use std::cell::Cell;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::Connection;
use sqlite_pacing::{Pace, Pacer};

use super::connection::{BUSY_TIMEOUT, lost_pages};
use course::{Course, Due};

/// How long the writer waits for readers to let go of the log, and a commit for a pass over a full one. Short
/// reads are over by then; a long one (a backup, a report) would not be over after any wait that callers
/// could bear, nor would a pass over the log that it left.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

thread_local! {
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// How the writer and the checkpointer talk.
pub(super) struct Passes {
    /// Wakes the checkpointer.
    pub(super) begin: Sender<()>,
    /// Where it tells, at the end of each pass, how many pages of the log are in the database.
    pub(super) ended: Receiver<i32>,
    /// How fast it goes.
    pub(super) pacer: Pacer,
}

/// The log, as the writer sees it after each commit.
pub(super) struct Log<'c> {
    connection: &'c Connection,
    passes: Passes,
    course: Course,
    on_fatal: &'c dyn Fn(&str),
}

impl<'c> Log<'c> {
    /// The log of a connection, which counts its pages on this thread from now on.
    pub(super) fn new(
        connection: &'c Connection,
        passes: Passes,
        on_fatal: &'c dyn Fn(&str),
    ) -> Log<'c> {
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        Log {
            connection,
            passes,
            course: Course::new(),
            on_fatal,
        }
    }

    /// The connection that writes.
    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Wakes the checkpointer or begins the log anew, where one of them is due, while so many operations
    /// wait for the next commit.
    pub(super) fn bound(&mut self, waiting: usize) {
        self.course.grown_to(PAGES.get());
        if self.course.is_in_pass() {
            self.follow_pass();
        }
        match self.course.due(waiting) {
            Due::Nothing => {}
            Due::Pass(pace) => self.begin_pass(pace),
            Due::Emptying => self.empty(),
        }
    }

    fn begin_pass(&mut self, pace: Pace) {
        self.passes.pacer.set(pace);
        match self.passes.begin.try_send(()) {
            Ok(()) => self.course.pass_began(),
            // Its thread has panicked: nobody else will copy anything.
            Err(_) => self.empty(),
        }
    }

    /// Learns whether the pass has ended. While the log is full, every commit waits a little for it, so that
    /// less is written than copied.
    fn follow_pass(&mut self) {
        let wait = if self.course.is_full() {
            self.passes.pacer.set(Pace::Brisk);
            LONGEST_WAIT
        } else {
            Duration::ZERO
        };
        match self.passes.ended.recv_timeout(wait) {
            Ok(copied) => self.course.pass_ended(copied),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.course.pass_ended(0),
        }
    }

    fn empty(&mut self) {
        match begin_anew(self.connection) {
            Ok((false, _)) => {
                PAGES.set(0);
                self.course.begun_anew();
            }
            Ok((true, copied)) => {
                tracing::debug!(copied, "the write-ahead log is still read from");
                self.course.not_emptied(copied);
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be emptied");
                self.course.not_emptied(0);
                if lost_pages(&error) {
                    (self.on_fatal)(&format!(
                        "a checkpoint could not be written to disk: {error}"
                    ));
                }
            }
        }
    }
}

impl Drop for Log<'_> {
    /// Whoever ends the writer waits for the checkpointer next.
    fn drop(&mut self) {
        self.passes.pacer.set(Pace::Brisk);
    }
}

/// Copies what is left of the log into the database and begins it anew; whether somebody still reads from it, so
/// that it could not be, and how many of its pages are in the database.
fn begin_anew(connection: &Connection) -> rusqlite::Result<(bool, i32)> {
    connection.busy_timeout(LONGEST_WAIT)?;
    let outcome = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| {
        Ok((row.get(0)?, row.get(2)?))
    });
    connection.busy_timeout(BUSY_TIMEOUT)?;
    outcome
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;

    /// The most pages of a log for which no commit waits.
    const NOT_FULL: i32 = 32_767;

    /// What remains of a pass that takes for ever.
    struct Endless {
        begun: Receiver<()>,
        _end: Sender<i32>,
        pacer: Pacer,
    }

    fn endless() -> (Passes, Endless) {
        let ((begin, begun), (_end, ended)) = (bounded(1), bounded(1));
        let pacer = Pacer::default();
        let passes = Passes {
            begin,
            ended,
            pacer: pacer.clone(),
        };
        (passes, Endless { begun, _end, pacer })
    }

    #[test]
    fn a_full_log_hurries_a_pass_and_waits_for_it_but_not_for_ever() {
        let connection = Connection::open_in_memory().unwrap();
        let (passes, pass) = endless();
        let mut log = Log::new(&connection, passes, &|why| panic!("{why}"));
        PAGES.set(4_000);
        log.bound(0);
        assert_eq!((pass.begun.len(), pass.pacer.pace()), (1, Pace::Gentle));
        PAGES.set(NOT_FULL);
        log.bound(0);
        assert_eq!(pass.pacer.pace(), Pace::Gentle);
        PAGES.set(NOT_FULL + 1);
        log.bound(0);
        assert_eq!((pass.begun.len(), pass.pacer.pace()), (1, Pace::Brisk));
    }

    #[test]
    fn without_a_checkpointer_the_writer_empties_the_log_itself() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("test.db");
        let connection = super::super::open_writer(&file).unwrap();
        let (passes, pass) = endless();
        drop(pass);
        let mut log = Log::new(&connection, passes, &|why| panic!("{why}"));
        connection
            .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(20000000))")
            .unwrap();
        assert!(PAGES.get() > 4_000, "{}", PAGES.get());
        log.bound(0);
        assert_eq!(PAGES.get(), 0);
        connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
        assert!(PAGES.get() < 10, "{}", PAGES.get());
    }

    #[test]
    fn the_end_of_the_writer_hurries_the_pass_under_way() {
        let connection = Connection::open_in_memory().unwrap();
        let (passes, pass) = endless();
        pass.pacer.set(Pace::Gentle);
        drop(Log::new(&connection, passes, &|why| panic!("{why}")));
        assert_eq!(pass.pacer.pace(), Pace::Brisk);
    }
}
