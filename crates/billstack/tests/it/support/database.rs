//! Databases of a test's own, on either engine.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use billstack_core::ids::IdSeed;
use billstack_core::time::Micros;
use billstack_store::dump;
use billstack_store::migrate::migrate;
use billstack_store::store::{Store, Target};
use billstack_store::{Actor, Origin};
use scratch_postgres::{Cluster, Pooler};
use tempfile::TempDir;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    /// The same behind a PgBouncer that gives each transaction another session.
    Pooled,
}

/// Databases of PostgreSQL that a test has emptied again: making one takes longer than most tests.
static EMPTIED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// An empty database, gone when dropped.
pub(crate) struct Database {
    pub(crate) engine: Engine,
    pub(crate) url: String,
    name: String,
    _directory: Option<TempDir>,
}

impl Database {
    pub(crate) fn new(engine: Engine) -> Database {
        match engine {
            Engine::Sqlite => {
                let directory = directory();
                let file = directory.path().join("test.db");
                Database {
                    engine,
                    url: format!("sqlite://{}", file.display()),
                    name: String::new(),
                    _directory: Some(directory),
                }
            }
            Engine::Postgres | Engine::Pooled => {
                let emptied = EMPTIED.lock().expect("no panic").pop();
                let name = emptied.unwrap_or_else(copy_of_migrated);
                let url = match engine {
                    Engine::Pooled => Pooler::shared().url(&name),
                    _ => Cluster::shared().url(&name),
                };
                Database {
                    engine,
                    url,
                    name,
                    _directory: None,
                }
            }
        }
    }
}

impl Database {
    /// Leaves it to the next test, empty.
    pub(crate) fn recycle(mut self, store: Store) {
        if self.engine == Engine::Sqlite {
            return;
        }
        let tables = dump::TABLES.iter().map(|table| table.name);
        let tables = tables.filter(|name| *name != "schema_migrations");
        let tables: Vec<_> = tables.chain(["locks"]).collect();
        let statement = format!("TRUNCATE {}", tables.join(", "));
        let emptied = store.write_blocking(origin(), move |tx, _| Ok(tx.execute(&statement, &[])?));
        emptied.expect("empty tables");
        drop(store);
        EMPTIED
            .lock()
            .expect("no panic")
            .push(std::mem::take(&mut self.name));
    }
}

fn origin() -> Origin {
    Origin {
        // Wherever the clock of the test stands, this does not come late.
        seed: IdSeed::new(Micros(i64::MAX), [0; 16]),
        actor: Actor::System,
        request_id: String::new(),
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            // A failed test may leave connections behind; the cluster goes with the process.
            let _ = Cluster::shared().drop_database(&self.name);
        }
    }
}

/// In memory where there is such a place: what is tested is not the speed of a disk.
pub(crate) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        return tempfile::tempdir_in(memory).expect("a directory in memory");
    }
    tempfile::tempdir().expect("a directory")
}

/// Migrating takes longer than copying, so it is done once.
fn copy_of_migrated() -> String {
    static MIGRATED: OnceLock<()> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let cluster = Cluster::shared();
    MIGRATED.get_or_init(|| {
        let url = cluster.create_database("migrated", None);
        let target = Target::from_url(&url.expect("a database")).expect("an address");
        migrate(&target, Micros(0)).expect("the schema");
    });
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{number}");
    let url = cluster.create_database(&name, Some("migrated"));
    url.expect("a copy of the database");
    // Whatever is usual in a database, the server must not depend on it.
    let usual = ["read committed", "repeatable read", "serializable"][number as usize % 3];
    let set = cluster.set_default(&name, "default_transaction_isolation", usual);
    set.expect("another usual isolation");
    name
}
