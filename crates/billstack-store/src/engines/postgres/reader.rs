//! A read lane: one thread, one connection, and one transaction for reads queued at the same time.

use super::attempts::{Failed, retry};
use super::connection::Settings;
use super::transaction::PostgresTx;
use crate::engines::lanes::Source;
use crate::engines::queue::{Job, Verdict};
use crate::seam::Fault;

/// Every read of a transaction sees the same snapshot.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Serves the queue until all senders are gone, up to `most` reads to a transaction. After a lost connection the
/// next read opens a new one.
///
/// A transaction's snapshot is taken at its first statement. All its reads were queued by then, so each sees
/// whatever its caller knows of.
pub(super) fn run(
    settings: &Settings,
    connection: Option<PostgresTx>,
    most: usize,
    jobs: &impl Source,
) {
    let mut reader = Reader {
        settings,
        connection,
        within: false,
    };
    let mut batch = Vec::with_capacity(most);
    while let Some(first) = reader.next(jobs) {
        batch.push(first);
        batch.extend(std::iter::from_fn(|| jobs.at_once()).take(most - 1));
        for mut job in batch.drain(..) {
            let done = reader.read(&mut *job);
            if let Err(why) = &done {
                tracing::warn!(%why, "a read failed");
            }
            job.answer(done);
        }
        reader.finish();
    }
}

struct Reader<'s> {
    settings: &'s Settings,
    connection: Option<PostgresTx>,
    /// Whether a transaction has begun, or BEGIN is pending.
    within: bool,
}

impl Reader<'_> {
    /// The next read. With one at hand, COMMIT is sent together with its first statement. A lane that must wait
    /// sends it before: an open transaction keeps its locks, and no row that it sees can be vacuumed.
    fn next(&mut self, jobs: &impl Source) -> Option<Box<dyn Job>> {
        if let Some(job) = jobs.at_once() {
            return Some(job);
        }
        self.flush();
        jobs.wait()
    }

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
            tx.begin_later(BEGIN);
            self.within = true;
        }
        Ok(tx)
    }

    fn read(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        retry(|| {
            let tx = self.ready()?;
            let why = match job.run(tx) {
                Verdict::Keep | Verdict::Undo => return Ok(()),
                Verdict::Again(why) | Verdict::Failed(why) => why,
            };
            let lost = tx.is_closed();
            self.roll_back();
            Err(Failed { why, lost })
        })
    }

    /// Ends the transaction with the next round trip.
    fn finish(&mut self) {
        if let Some(tx) = self.connection.as_mut().filter(|_| self.within) {
            tx.commit_later();
        }
        self.within = false;
    }

    /// Sends pending statements. A connection that breaks now is replaced when it is needed.
    fn flush(&mut self) {
        if let Some(tx) = &mut self.connection {
            let _ = tx.flush();
        }
    }

    /// Rolls back at once and drops pending statements. A broken connection has nothing to roll back.
    fn roll_back(&mut self) {
        let open = self.connection.as_mut().filter(|tx| !tx.is_closed());
        if let Some(tx) = open.filter(|_| self.within) {
            tx.forget_all();
            let _ = tx.simple("ROLLBACK");
        }
        self.within = false;
    }
}
