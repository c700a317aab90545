//! The store runs operations on the engine that its address names.

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use crate::act::{Act, Origin};
use crate::engines::postgres::{Postgres, Settings};
use crate::engines::sqlite::Sqlite;
use crate::failing::Failing;
use crate::migrate;
use crate::options::Options;
use crate::probe;
use crate::queue::job;
use crate::tx::{Abort, Fault, Tx};

/// The database an address names.
#[derive(Clone)]
pub struct Target(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<Settings>),
}

impl Target {
    /// Reads `sqlite://FILE` or `postgres://…`.
    pub fn from_url(url: &str) -> Result<Target, Fault> {
        if let Some(path) = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
        {
            if path.is_empty() || path.starts_with(":memory:") {
                return Err(Fault::Unavailable(
                    "the SQLite address names no file".to_owned(),
                ));
            }
            return Ok(Target(Kind::Sqlite(real_path(Path::new(path)))));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Target(Kind::Postgres(Box::new(Settings::from_url(url)?))));
        }
        let wanted = "the database address must begin with sqlite:// or postgres://";
        Err(Fault::Unavailable(wanted.to_owned()))
    }

    /// The file, when the database is SQLite.
    pub fn sqlite_file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }

    /// Refuses a SQLite file in a missing directory. Otherwise the first file made there would fail, and its error
    /// would name that file instead.
    pub(crate) fn directory_must_exist(&self) -> Result<(), Fault> {
        let directory = self.sqlite_file().and_then(Path::parent);
        match directory.filter(|directory| !directory.as_os_str().is_empty()) {
            Some(directory) if !directory.exists() => Err(Fault::Unavailable(format!(
                "there is no directory {} for the database; make it first",
                directory.display()
            ))),
            _ => Ok(()),
        }
    }
}

/// The canonical name of a file: the lock and the key beside it go by that name.
fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    // The file does not exist yet. If its directory does not either, creating the file reports it.
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new(".")).canonicalize();
    match (directory, path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Runs operations. Dropping it answers queued operations and closes every connection; drop it outside of async
/// code.
pub struct Store {
    engine: Engine,
    failing: Failing,
}

impl Store {
    /// Opens a database whose schema is up to date; see [`migrate::migrate`].
    pub fn open(target: &Target, options: &Options) -> Result<Store, Fault> {
        migrate::check(target)?;
        let failing = Failing::default();
        let engine = match &target.0 {
            Kind::Sqlite(path) => Engine::Sqlite(Sqlite::open(path, options, &failing)?),
            Kind::Postgres(at) => Engine::Postgres(Postgres::open(at, options, &failing)?),
        };
        Ok(Store { engine, failing })
    }

    /// Runs a write, and returns `Ok` only after its durable commit.
    ///
    /// The operation may run several times; only the last run counts.
    pub async fn write<T: Send + 'static>(
        &self,
        origin: Origin,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let answer = self.queue_write(origin, op)?;
        answer.await.unwrap_or(Err(Abort::Fault(Fault::Closed)))
    }

    /// [`Store::write`] for code without a runtime.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        origin: Origin,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let answer = self.queue_write(origin, op)?;
        answer
            .blocking_recv()
            .unwrap_or(Err(Abort::Fault(Fault::Closed)))
    }

    fn queue_write<T: Send + 'static>(
        &self,
        origin: Origin,
        mut op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, Abort>>, Fault> {
        let (job, answer) = job(move |tx: &mut dyn Tx| op(tx, &mut origin.act()));
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(job)?,
            Engine::Postgres(postgres) => postgres.write(job)?,
        }
        Ok(answer)
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

    /// Runs a read that may touch many rows, away from the async workers.
    pub async fn scan<T: Send + 'static>(
        &self,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let answer = self.queue_scan(read)?;
        answer.await.unwrap_or(Err(Abort::Fault(Fault::Closed)))
    }

    /// [`Store::scan`] for code without a runtime.
    pub fn scan_blocking<T: Send + 'static>(
        &self,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let answer = self.queue_scan(read)?;
        answer
            .blocking_recv()
            .unwrap_or(Err(Abort::Fault(Fault::Closed)))
    }

    fn queue_scan<T: Send + 'static>(
        &self,
        read: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, Abort>>, Fault> {
        let (job, answer) = job(read);
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.scan(job)?,
            Engine::Postgres(postgres) => postgres.scan(job)?,
        }
        Ok(answer)
    }

    /// Whether a write failed, as on a full disk or a server that became read only, and none has been proved to work
    /// since.
    pub fn is_failing(&self) -> bool {
        self.failing.is_set()
    }

    /// Writes enough to prove that writes work, and undoes it. Success means that the store is no longer
    /// [failing](Store::is_failing).
    pub async fn prove_writes(&self, origin: Origin) -> Result<(), Abort> {
        self.write(origin, |tx, _| probe::write(tx)).await?;
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
