//! A reading lane: one thread, one connection, reads of one moment in one transaction.

use crossbeam_channel::Receiver;

use super::attempts::{Trouble, persist};
use super::connection::Settings;
use super::transaction::PostgresTx;
use crate::queue::{Job, Verdict};
use crate::tx::Fault;

/// Every read of a transaction sees the same state.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Serves the queue until every sender is gone, up to `most` reads to a transaction. A lost connection
/// is made anew for what comes next.
///
/// A transaction sees what was committed when its first statement begins. All that share it had been
/// asked for by then, so each sees whatever its caller knows of.
pub(super) fn run(settings: &Settings, most: usize, jobs: &Receiver<Box<dyn Job>>) {
    let mut reader = Reader {
        settings,
        connection: None,
        within: false,
    };
    let mut batch = Vec::with_capacity(most);
    while let Ok(first) = jobs.recv() {
        batch.push(first);
        batch.extend(jobs.try_iter().take(most - 1));
        for mut job in batch.drain(..) {
            let done = reader.read(&mut *job);
            if let Err(why) = &done {
                tracing::warn!(%why, "a read failed");
            }
            job.answer(done);
        }
        // With more to read, the end goes out together with what comes next.
        reader.finish();
        if jobs.is_empty() {
            reader.flush();
        }
    }
}

struct Reader<'s> {
    settings: &'s Settings,
    connection: Option<PostgresTx>,
    /// Whether a transaction has begun, or will with what is sent next.
    within: bool,
}

impl Reader<'_> {
    fn ready(&mut self) -> Result<&mut PostgresTx, Fault> {
        let tx = match self.connection.take().filter(|tx| !tx.is_closed()) {
            Some(tx) => tx,
            None => {
                self.within = false;
                PostgresTx::open(self.settings)?
            }
        };
        let tx = self.connection.insert(tx);
        if !self.within {
            tx.later(BEGIN);
            self.within = true;
        }
        Ok(tx)
    }

    fn read(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        persist(|| {
            let tx = self.ready()?;
            let why = match job.run(tx) {
                Verdict::Keep | Verdict::Undo => return Ok(()),
                Verdict::Again(why) | Verdict::Failed(why) => why,
            };
            let lost = tx.is_closed();
            self.roll_back();
            Err(Trouble { why, lost })
        })
    }

    /// Ends the transaction with the next flight.
    fn finish(&mut self) {
        if let Some(tx) = self.connection.as_mut().filter(|_| self.within) {
            tx.later("COMMIT");
        }
        self.within = false;
    }

    /// Sends what is waiting. A connection that breaks now is made anew when it is needed.
    fn flush(&mut self) {
        if let Some(tx) = &mut self.connection {
            let _ = tx.flush();
        }
    }

    /// Ends the transaction at once, without what has not been sent. On a broken connection there is none to end.
    fn roll_back(&mut self) {
        let open = self.connection.as_mut().filter(|tx| !tx.is_closed());
        if let Some(tx) = open.filter(|_| self.within) {
            tx.forget_all();
            let _ = tx.simple("ROLLBACK");
        }
        self.within = false;
    }
}
