//! The store runs operations on the engine that its address names.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use billstack_core::time::Micros;
use tokio::sync::{Notify, oneshot};

use crate::engines::failing::Failing;
use crate::engines::lanes::Share;
use crate::engines::options::{IsLate, Options};
use crate::engines::postgres::{
    Postgres, of_database, oldest_writer, refresh_statistics, unsafe_settings,
};
use crate::engines::queue::job;
use crate::engines::sqlite::Sqlite;
use crate::migrate;
use crate::operations::refusal::Abort;
use crate::operations::{counting, probe};
use crate::seam::{Act, Fault, Lane, Origin, Tx};
use crate::target::Kind;

pub use crate::target::Target;

/// Where the answer of an operation will appear.
type Answer<T> = oneshot::Receiver<Result<T, Abort>>;

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// What a write has put into the queue that is due at once.
#[derive(Default)]
struct Due {
    any: bool,
    lanes: Vec<Lane>,
}

/// The lanes that this store has put something into, until somebody takes them.
#[derive(Default)]
pub struct Filled {
    lanes: Mutex<HashSet<Lane>>,
    come: Notify,
}

impl Filled {
    fn add(&self, lanes: Vec<Lane>) {
        let mut all = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(lanes);
        drop(all);
        self.come.notify_one();
    }

    /// Waits until there are any, and takes them.
    pub async fn take(&self) -> Vec<Lane> {
        loop {
            let taken = self.drain();
            if !taken.is_empty() {
                return taken;
            }
            self.come.notified().await;
        }
    }

    fn drain(&self) -> Vec<Lane> {
        let mut all = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        all.drain().collect()
    }
}

/// Runs operations. Dropping it answers queued operations and closes every connection; drop it outside of async
/// code.
pub struct Store {
    engine: Engine,
    failing: Failing,
    enqueued: Notify,
    filled: Filled,
    is_late: IsLate,
}

impl Store {
    /// Opens a database whose schema is up to date; see [`migrate::migrate`].
    pub fn open(target: &Target, options: &Options) -> Result<Store, Fault> {
        migrate::check(target).map_err(|why| target.named(why))?;
        let failing = Failing::default();
        let engine = match &target.0 {
            Kind::Sqlite(path) => Sqlite::open(path, options, &failing).map(Engine::Sqlite),
            Kind::Postgres(at) => Postgres::open(at, options, &failing).map(Engine::Postgres),
        };
        let engine = engine.map_err(|why| target.named(why))?;
        Ok(Store {
            engine,
            failing,
            enqueued: Notify::new(),
            filled: Filled::default(),
            is_late: Arc::clone(&options.is_late),
        })
    }

    /// Whether the database is the embedded one.
    pub fn is_embedded(&self) -> bool {
        matches!(self.engine, Engine::Sqlite(_))
    }

    /// Runs a write, and returns `Ok` only after its durable commit.
    ///
    /// The operation may run several times; only the last run counts.
    pub async fn write<T: Send + 'static>(
        &self,
        origin: Origin,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let (answer, due) = self.queue_write(origin, op)?;
        let done = answer.await.unwrap_or(Err(Abort::Fault(Fault::Closed)));
        self.wake_workers(&done, &due);
        done
    }

    /// [`Store::write`] for code without a runtime.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        origin: Origin,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let (answer, due) = self.queue_write(origin, op)?;
        let done = answer.blocking_recv();
        let done = done.unwrap_or(Err(Abort::Fault(Fault::Closed)));
        self.wake_workers(&done, &due);
        done
    }

    fn queue_write<T: Send + 'static>(
        &self,
        origin: Origin,
        mut op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<(Answer<T>, Arc<Mutex<Due>>), Fault> {
        let due = Arc::new(Mutex::new(Due::default()));
        let told = Arc::clone(&due);
        let is_late = Arc::clone(&self.is_late);
        let (job, answer) = job(move |tx: &mut dyn Tx| {
            let mut act = origin.act();
            let done = op(tx, &mut act);
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Due {
                any: act.has_enqueued,
                lanes: std::mem::take(&mut act.filled),
            };
            if done.is_ok() && is_late(act.real()) {
                // Not the database's fault: others of the batch are kept.
                return Err(Fault::Overloaded.into());
            }
            done
        });
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(job)?,
            Engine::Postgres(postgres) => postgres.write(job)?,
        }
        Ok((answer, due))
    }

    fn wake_workers<T>(&self, done: &Result<T, Abort>, due: &Mutex<Due>) {
        if done.is_err() {
            return;
        }
        let due = std::mem::take(&mut *due.lock().unwrap_or_else(PoisonError::into_inner));
        if due.any {
            // Those that wait, and one that will.
            self.enqueued.notify_waiters();
            self.enqueued.notify_one();
        }
        if !due.lanes.is_empty() {
            self.filled.add(due.lanes);
        }
    }

    /// Whether the database plans by statistics that can grow old: those of SQLite are fixed.
    pub fn has_statistics(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Lets the database look again at the table that has grown most since it planned for it, and tells which that
    /// was, if any has.
    pub async fn refresh_statistics(&self, origin: Origin) -> Result<Option<String>, Abort> {
        if !self.has_statistics() {
            return Ok(None);
        }
        self.write(origin, |tx, _| Ok(refresh_statistics(tx)?))
            .await
    }

    /// Before which time nothing can be added to the log any more, given the time.
    ///
    /// Whoever reads the log up to there must begin a transaction after this has answered.
    pub async fn settled_before(&self, now: Micros) -> Result<Micros, Abort> {
        let oldest = match &self.engine {
            // One writer: whoever commits later began later, or waited in its queue for as long as it may.
            Engine::Sqlite(_) => 0,
            Engine::Postgres(_) => self.scan(|tx| Ok(oldest_writer(tx)?)).await?,
        };
        Ok(now.plus(-(oldest + counting::SETTLED)))
    }

    /// Notified when this store has enqueued work that is due at once.
    pub fn enqueued(&self) -> &Notify {
        &self.enqueued
    }

    /// The lanes that this store has put something into which is due at once.
    pub fn filled(&self) -> &Filled {
        &self.filled
    }

    /// Runs a read that touches a bounded, small number of rows by key.
    ///
    /// On SQLite it runs on the calling thread; do not call it from short-lived threads.
    pub async fn point<T: Send + 'static>(
        &self,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let mut read = read;
                sqlite.point(|tx| read(tx))
            }
            Engine::Postgres(postgres) => {
                let (job, answer) = job(read);
                postgres.point(job)?;
                answer.await.unwrap_or(Err(Abort::Fault(Fault::Closed)))
            }
        }
    }

    /// Runs a read of the server itself that may touch many rows, away from the async workers.
    pub async fn scan<T: Send + 'static>(
        &self,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        self.scan_for(Share::OWN, read).await
    }

    /// [`Store::scan`] for a team: its reads take turns with those of others, and its long ones leave room.
    pub async fn scan_for<T: Send + 'static>(
        &self,
        share: Share,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let answer = self.queue_scan(share, read)?;
        answer.await.unwrap_or(Err(Abort::Fault(Fault::Closed)))
    }

    /// [`Store::scan`] for code without a runtime.
    pub fn scan_blocking<T: Send + 'static>(
        &self,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let answer = self.queue_scan(Share::OWN, read)?;
        answer
            .blocking_recv()
            .unwrap_or(Err(Abort::Fault(Fault::Closed)))
    }

    fn queue_scan<T: Send + 'static>(
        &self,
        share: Share,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, Abort>>, Fault> {
        let (job, answer) = job(read);
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.scan(share, job)?,
            Engine::Postgres(postgres) => postgres.scan(share, job)?,
        }
        Ok(answer)
    }

    /// The bytes that the database takes, and those of its write-ahead log where that is its own.
    pub async fn sizes(&self) -> Result<(u64, Option<u64>), Abort> {
        if let Engine::Sqlite(sqlite) = &self.engine {
            let (file, log) = sqlite.sizes();
            return Ok((file, Some(log)));
        }
        Ok((self.scan(|tx| Ok(of_database(tx)?)).await?, None))
    }

    /// The settings of a PostgreSQL server that let a power cut damage or lose what it has confirmed.
    pub async fn unsafe_settings(&self) -> Result<Vec<String>, Abort> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(Vec::new()),
            Engine::Postgres(_) => self.scan(|tx| Ok(unsafe_settings(tx)?)).await,
        }
    }

    /// Whether a write failed, as on a full disk or a server that became read only, and none has been proved to work
    /// since.
    pub fn is_failing(&self) -> bool {
        self.failing.is_set()
    }

    /// Writes enough to prove that writes work, and removes it. After a success the store is no longer
    /// [failing](Store::is_failing).
    pub async fn prove_writes(&self, origin: Origin) -> Result<(), Abort> {
        self.write(origin, |tx, _| Ok(probe::write(tx)?)).await?;
        self.failing.clear();
        Ok(())
    }

    /// How many writes are queued.
    pub fn queued_writes(&self) -> usize {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.queued(),
            Engine::Postgres(postgres) => postgres.queued(),
        }
    }
}
