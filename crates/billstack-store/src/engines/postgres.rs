//! PostgreSQL: write lanes, a patient lane for blocked writes, and read lanes, each a thread with its own
//! connection.
//!
//! The threads block on the server; nothing here runs inside async code. Writes, look-ups and reports have
//! separate threads, so that a long report cannot delay a webhook.

mod attempts;
mod connection;
mod driver;
mod fault;
mod in_flight;
mod opening;
mod patient;
mod reader;
mod request;
mod safety;
mod session;
mod size;
mod statistics;
mod tls;
mod transaction;
mod values;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::engines::failing::Failing;
use crate::engines::lanes::{Lanes, Share};
use crate::engines::options::{Options, Reads};
use crate::engines::queue::{Job, enqueue};
use crate::seam::Fault;

pub(crate) use connection::Settings;
pub(crate) use in_flight::oldest_writer;
pub(crate) use safety::unsafe_settings;
pub(crate) use size::of_database;
pub(crate) use statistics::refresh as refresh_statistics;
pub(crate) use transaction::PostgresTx;

/// The most look-ups in one transaction.
const POINTS_TOGETHER: usize = 32;

/// How long shutdown waits for a server that does not answer. The callers are gone by then.
const LAST_ANSWERS: Duration = Duration::from_secs(4);

/// The PostgreSQL engine. Dropping it answers queued jobs and joins the threads. When the server does not answer,
/// they are left to the end of the process.
pub(crate) struct Postgres {
    writes: Option<Sender<Box<dyn Job>>>,
    points: Option<Sender<Box<dyn Job>>>,
    scans: Arc<Lanes>,
    threads: Threads,
}

impl Postgres {
    /// Starts the threads on a migrated database.
    pub(crate) fn open(
        settings: &Settings,
        options: &Options,
        failing: &Failing,
    ) -> Result<Postgres, Fault> {
        let (writes, write_jobs) = bounded(options.queue_capacity);
        let (points, point_jobs) = bounded(options.queue_capacity);
        let mut threads = Threads::new();
        let (blocked, blocked_jobs) = bounded(options.queue_capacity);
        let (opening, opened) = opening::of(options);
        let lanes = options.write_lanes.max(1);
        let looking_up = settings.for_look_ups();
        let writing = looking_up.with_patience(writer::PATIENCE);
        for _ in 0..lanes {
            let (jobs, at, opening) = (write_jobs.clone(), writing.clone(), opening.clone());
            let (blocked, failing) = (blocked.clone(), failing.clone());
            threads.spawn("postgres-writer", move || {
                writer::run(&at, opening.begin(&at), lanes, &jobs, &blocked, &failing);
            })?;
        }
        drop(blocked);
        let (at, failing, first) = (looking_up.clone(), failing.clone(), opening.clone());
        threads.spawn("postgres-patient", move || {
            patient::run(&at, first.begin(&at), &blocked_jobs, &failing);
        })?;
        for _ in 0..options.point_lanes.max(1) {
            let (jobs, at, opening) = (point_jobs.clone(), looking_up.clone(), opening.clone());
            threads.spawn("postgres-points", move || {
                reader::run(&at, opening.begin(&at), POINTS_TOGETHER, &jobs);
            })?;
        }
        let lanes = options.scan_lanes.max(1);
        let scans = Lanes::new(lanes, options.queue_capacity);
        for _ in 0..lanes {
            let (jobs, opening) = (Arc::clone(&scans), opening.clone());
            let at = match options.reads {
                Reads::ByKey => looking_up.clone(),
                Reads::WholeTables => settings.clone(),
            };
            threads.spawn("postgres-scans", move || {
                reader::run(&at, opening.begin(&at), 1, &jobs);
            })?;
        }
        drop(opening);
        let postgres = Postgres {
            writes: Some(writes),
            points: Some(points),
            scans,
            threads,
        };
        opened.all()?;
        Ok(postgres)
    }

    /// Queues a write.
    pub(crate) fn write(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        enqueue(self.writes.as_ref(), job)
    }

    /// Queues a read of a few rows by key.
    pub(crate) fn point(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        enqueue(self.points.as_ref(), job)
    }

    /// Queues a read that may take long.
    pub(crate) fn scan(&self, share: Share, job: Box<dyn Job>) -> Result<(), Fault> {
        self.scans.enqueue(share, job)
    }

    /// How many writes are queued.
    pub(crate) fn queued(&self) -> usize {
        self.writes.as_ref().map_or(0, Sender::len)
    }
}

/// Threads that can be joined with a time limit: each holds a sender until it ends.
struct Threads {
    running: Vec<JoinHandle<()>>,
    alive: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Threads {
    fn new() -> Threads {
        let (alive, ended) = bounded(0);
        Threads {
            running: Vec::new(),
            alive: Some(alive),
            ended,
        }
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
        let thread = std::thread::Builder::new().name(name.to_owned());
        let alive = self.alive.clone();
        let started = thread.spawn(move || {
            work();
            drop(alive);
        });
        let failed = |error| Fault::Unavailable(format!("cannot start a thread: {error}"));
        self.running.push(started.map_err(failed)?);
        Ok(())
    }

    /// Joins the threads if all of them end in time.
    fn join(&mut self, within: Duration) {
        self.alive = None;
        if self.ended.recv_timeout(within) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the database does not answer; its threads are abandoned");
            return;
        }
        for thread in self.running.drain(..) {
            // A panicked thread has already been reported.
            let _ = thread.join();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.writes = None;
        self.points = None;
        self.scans.close();
        self.threads.join(LAST_ANSWERS);
    }
}
