//! SQLite: one writer thread with group commit, reader threads, and inline point look-ups.
//!
//! Scans go to a few threads with `query_only` connections. Bounded look-ups run on the calling thread,
//! over its own connection, because a hand-off costs more than the look-up.

mod checkpoint;
mod connection;
mod inline;
mod quota;
mod readers;
pub(crate) mod statistics;
mod transaction;
mod unsynced;
mod wal;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

use inline::Inline;
use wal::Wal;

use crate::engines::failing::Failing;
use crate::engines::lanes::{Lanes, Share};
use crate::engines::options::Options;
use crate::engines::queue::{Job, enqueue};
use crate::seam::{Abort, Fault, Tx};

pub(crate) use checkpoint::pass as checkpoint;
use connection::open_scanner;
pub(crate) use connection::{fault, open_existing, open_reader, open_writer};
pub(crate) use transaction::SqliteTx;
pub(crate) use unsynced::sync_again;

/// The SQLite engine. Dropping it answers queued jobs and joins the threads.
pub(crate) struct Sqlite {
    writes: Option<Sender<Box<dyn Job>>>,
    scans: Arc<Lanes>,
    inline: Inline,
    threads: Vec<JoinHandle<()>>,
    path: PathBuf,
    _held: Option<File>,
}

impl Sqlite {
    /// Starts the threads on a migrated database.
    pub(crate) fn open(path: &Path, options: &Options, failing: &Failing) -> Result<Sqlite, Fault> {
        let held = options.exclusive.then(|| hold_file(path)).transpose()?;
        let (writes, jobs) = bounded(options.queue_capacity);
        let connection = open_writer(path)?;
        let (ask, asked) = bounded(1);
        let (end, ended) = bounded(1);
        let mut threads = vec![
            spawn("sqlite-writer", {
                let fatal = Arc::clone(&options.on_fatal);
                let failing = failing.clone();
                move || {
                    let wal = Wal::new(&connection, ask, ended, &*fatal);
                    writer::run(wal, &jobs, &failing, &*fatal);
                }
            })?,
            spawn("sqlite-checkpoint", {
                let fatal = Arc::clone(&options.on_fatal);
                let connection = open_writer(path)?;
                move || checkpoint::run(&connection, &asked, &end, &*fatal)
            })?,
        ];
        let readers = options.reader_threads.max(1);
        let scans = Lanes::new(readers, options.queue_capacity);
        for _ in 0..readers {
            let connection = open_scanner(path)?;
            let jobs = Arc::clone(&scans);
            threads.push(spawn("sqlite-reader", move || {
                readers::run(connection, &jobs)
            })?);
        }
        Ok(Sqlite {
            writes: Some(writes),
            scans,
            inline: Inline::new(path.to_owned()),
            threads,
            path: path.to_owned(),
            _held: held,
        })
    }

    /// Queues a write for the next group commit.
    pub(crate) fn write(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        enqueue(self.writes.as_ref(), job)
    }

    /// Queues a read that may touch many rows.
    pub(crate) fn scan(&self, share: Share, job: Box<dyn Job>) -> Result<(), Fault> {
        self.scans.enqueue(share, job)
    }

    /// Runs a bounded read on the calling thread.
    pub(crate) fn point<T, R>(
        &self,
        read: impl FnOnce(&mut dyn Tx) -> Result<T, Abort<R>>,
    ) -> Result<T, Abort<R>> {
        self.inline.run(read)
    }

    /// Moves everything into the database file, unless another process still has it open. SQLite does so when the
    /// last connection closes, but of two that close at once neither is the last. So this opens and closes one
    /// more after the threads are gone.
    fn remove_log(&self) {
        let last = open_existing(&self.path);
        let copied = last.and_then(|last| checkpoint::pass(&last).map_err(|e| fault(&e)));
        if let Err(error) = copied {
            tracing::warn!(%error, "the write-ahead log is left to the next start");
        }
    }

    /// The bytes of the file, and of the write-ahead log beside it.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        (length(&self.path), length(Path::new(&log)))
    }

    /// How many writes are queued.
    pub(crate) fn queued(&self) -> usize {
        self.writes.as_ref().map_or(0, Sender::len)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.writes = None;
        self.scans.close();
        for thread in self.threads.drain(..) {
            // A panicked thread has already been reported.
            let _ = thread.join();
        }
        self.remove_log();
    }
}

/// Locks `<database>.lock`, so that a second server on the same file refuses to start. The database file
/// itself is never opened outside SQLite: closing any handle to it would drop SQLite's locks.
pub(crate) fn hold_file(path: &Path) -> Result<File, Fault> {
    refuse_directory(path)?;
    refuse_hard_links(path)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let unavailable = |error: std::io::Error| {
        Fault::Unavailable(format!(
            "cannot lock {}: {error}",
            Path::new(&name).display()
        ))
    };
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    // Whoever can open the file can lock it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&name).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Fault::Unavailable(format!(
            "another server is using {}; stop it first, or use PostgreSQL for several nodes",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

/// A directory has several names as well, and SQLite says of one only that it cannot open it.
fn refuse_directory(path: &Path) -> Result<(), Fault> {
    match path.is_dir() {
        true => Err(Fault::Unavailable(format!(
            "{} is a directory; name a file in it",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// SQLite finds the log by the file's name, so two names of one file mean two logs, each without the commits
/// of the other (sqlite.org/howtocorrupt.html, "unlinking or renaming").
fn refuse_hard_links(path: &Path) -> Result<(), Fault> {
    #[cfg(unix)]
    if let Ok(file) = std::fs::metadata(path)
        && std::os::unix::fs::MetadataExt::nlink(&file) > 1
    {
        return Err(Fault::Unavailable(format!(
            "{} has several names (hard links); SQLite would lose data, so leave it only one",
            path.display()
        )));
    }
    Ok(())
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Fault> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| Fault::Unavailable(format!("cannot start a thread: {error}")))
}
