//! The length of the write-ahead log: when it is copied into the database, and when it is begun anew.

mod course;

use std::cell::Cell;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use rusqlite::Connection;
use sqlite_pacing::{Pace, Pacer};

use super::checkpointer::end_if_lost;
use super::connection::BUSY_TIMEOUT;
use course::{Course, Due};

/// How long the writer waits for readers to let go of the log. Short reads are over by then; a long
/// one (a backup, a report) would not be over after any wait that callers could bear.
const EMPTYING_WAIT: Duration = Duration::from_millis(50);

/// How often a commit that has to wait for a pass looks how far that is.
const GLANCE: Duration = Duration::from_millis(1);

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
        loop {
            self.follow_pass();
            match self.course.due(waiting) {
                Due::Nothing => return,
                Due::Pass(pace) if self.begin_pass(pace) => {}
                // Without a checkpointer, whose thread has panicked, nobody else will copy anything.
                Due::Pass(_) | Due::Emptying => return self.empty(),
            }
        }
    }

    /// Sends the checkpointer on a pass; `false` when there is none.
    fn begin_pass(&mut self, pace: Pace) -> bool {
        self.passes.pacer.set(pace);
        self.passes.pacer.forget_written();
        let began = self.passes.begin.try_send(()).is_ok();
        if began {
            self.course.pass_began();
        }
        began
    }

    /// Learns whether the pass has ended; waits for it where the log would grow too long otherwise.
    fn follow_pass(&mut self) {
        while self.course.is_in_pass() {
            match self.passes.ended.try_recv() {
                Ok(copied) => return self.course.pass_ended(copied),
                Err(TryRecvError::Disconnected) => return self.course.pass_ended(0),
                Err(TryRecvError::Empty) => {}
            }
            if !self.course.is_ahead_of_pass(self.passes.pacer.written()) {
                return;
            }
            self.passes.pacer.set(Pace::Brisk);
            std::thread::sleep(GLANCE);
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
                end_if_lost(&error, &self.passes.pacer, self.on_fatal);
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
    connection.busy_timeout(EMPTYING_WAIT)?;
    let outcome = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| {
        Ok((row.get(0)?, row.get(2)?))
    });
    connection.busy_timeout(BUSY_TIMEOUT)?;
    outcome
}

#[cfg(test)]
mod tests {
    use super::super::{open_writer, passes};
    use super::*;

    /// The most pages of a log for which no commit waits.
    const NOT_FULL: i32 = 32_767;

    #[test]
    fn a_full_log_hurries_a_pass_and_waits_for_it() {
        let connection = Connection::open_in_memory().unwrap();
        let (passes, pass) = passes();
        let mut log = Log::new(&connection, passes, &|why| panic!("{why}"));
        PAGES.set(4_000);
        log.bound(0);
        assert_eq!((pass.begin.len(), pass.pacer.pace()), (1, Pace::Gentle));
        PAGES.set(NOT_FULL);
        log.bound(0);
        assert_eq!(pass.pacer.pace(), Pace::Gentle);
        PAGES.set(NOT_FULL + 2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while pass.pacer.pace() == Pace::Gentle {
                    std::thread::sleep(GLANCE);
                }
                assert_eq!(pass.ended.send(4_000), Ok(()));
            });
            log.bound(0);
        });
        assert_eq!((pass.begin.len(), pass.ended.len()), (1, 0));
    }

    #[test]
    fn without_a_checkpointer_the_writer_empties_the_log_itself() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("test.db");
        let connection = open_writer(&file).unwrap();
        let (passes, pass) = passes();
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
        let (passes, pass) = passes();
        pass.pacer.set(Pace::Gentle);
        drop(Log::new(&connection, passes, &|why| panic!("{why}")));
        assert_eq!(pass.pacer.pace(), Pace::Brisk);
    }
}
