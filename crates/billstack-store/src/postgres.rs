//! PostgreSQL: lanes, each a thread with a connection and its prepared statements.
//!
//! The client is synchronous on purpose: it must neither connect nor be dropped inside async code,
//! so every connection lives and dies on its lane. Writes and reads have lanes of their own, so that
//! a long report cannot hold up a webhook.

mod connection;
mod lane;

use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

use crate::jobs::{Job, enqueue};
use crate::options::Options;
use crate::tx::Fault;

pub(crate) use connection::{LOCK, PostgresTx, Settings, connect};

/// The PostgreSQL engine. Dropping it answers what is queued and joins its lanes.
pub(crate) struct Postgres {
    writes: Option<Sender<Box<dyn Job>>>,
    reads: Option<Sender<Box<dyn Job>>>,
    lanes: Vec<JoinHandle<()>>,
}

impl Postgres {
    /// Starts the lanes on a database that has been migrated.
    pub(crate) fn open(settings: &Settings, options: &Options) -> Result<Postgres, Fault> {
        let (writes, write_jobs) = bounded(options.queue_capacity);
        let (reads, read_jobs) = bounded(options.queue_capacity);
        let mut lanes = Vec::new();
        for (jobs, count, mode) in [
            (write_jobs, options.write_lanes, lane::Mode::Write),
            (read_jobs, options.read_lanes, lane::Mode::Read),
        ] {
            for _ in 0..count.max(1) {
                let (jobs, settings) = (jobs.clone(), settings.clone());
                let lane = std::thread::Builder::new()
                    .name("postgres-lane".to_owned())
                    .spawn(move || lane::run(&settings, mode, &jobs))
                    .map_err(|e| Fault::Unavailable(format!("cannot start a thread: {e}")))?;
                lanes.push(lane);
            }
        }
        Ok(Postgres {
            writes: Some(writes),
            reads: Some(reads),
            lanes,
        })
    }

    /// Queues a write.
    pub(crate) fn write(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        enqueue(self.writes.as_ref(), job)
    }

    /// Queues a read.
    pub(crate) fn read(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        enqueue(self.reads.as_ref(), job)
    }

    /// How many writes wait.
    pub(crate) fn queued(&self) -> usize {
        self.writes.as_ref().map_or(0, Sender::len)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.writes = None;
        self.reads = None;
        for lane in self.lanes.drain(..) {
            // A panicked lane has already been reported; there is nothing left to wait for.
            let _ = lane.join();
        }
    }
}
