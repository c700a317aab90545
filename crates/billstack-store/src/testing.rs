//! A bench for the tests beside the code: a throw-away SQLite database and its own time.

use std::cell::Cell;

use billstack_core::ids::IdSeed;
use billstack_core::time::Micros;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::engines::sqlite::{SqliteTx, open_writer};
use crate::migrate::migrate;
use crate::operations::refusal::Abort;
use crate::operations::teams::{self, Team};
use crate::operations::users::{self, NewUser, User};
use crate::seam::list::{Cursor, Page};
use crate::seam::{Act, Actor, Fault, Origin, Tx};
use crate::target::Target;

/// A migrated database. Each operation happens a microsecond after the one before it.
pub(crate) struct Bench {
    connection: Connection,
    now: Cell<Micros>,
    _directory: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("test.db");
        let target = Target::from_url(&format!("sqlite://{}", file.display())).unwrap();
        let now = Cell::new(Micros::from_secs(1_700_000_000));
        migrate(&target, now.get()).unwrap();
        Bench {
            connection: open_writer(&file).unwrap(),
            now,
            _directory: directory,
        }
    }

    /// Runs an operation the way the writer does: a refusal takes back what it wrote.
    pub(crate) fn run<T>(
        &self,
        op: impl FnOnce(&mut dyn Tx, &mut Act) -> Result<T, Abort>,
    ) -> Result<T, Abort> {
        let mut seed = [0; 16];
        seed[..8].copy_from_slice(&self.now.get().0.to_be_bytes());
        let origin = Origin {
            seed: IdSeed::new(self.now.get(), seed),
            actor: Actor::System,
            request_id: "req_1".to_owned(),
        };
        self.now.set(self.now.get().plus(1));
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let outcome = op(&mut SqliteTx::new(&self.connection), &mut origin.act());
        let end = if outcome.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        self.connection.execute_batch(end).unwrap();
        outcome
    }

    /// Reads what must be readable.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut dyn Tx) -> Result<T, Fault>) -> T {
        read(&mut SqliteTx::new(&self.connection)).unwrap()
    }

    /// How many rows a table has.
    pub(crate) fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.read(|tx| tx.one(&sql, &[], |row| row.int(0))).unwrap()
    }

    /// The time of the last operation.
    pub(crate) fn time(&self) -> Micros {
        self.now.get().plus(-1)
    }

    /// Sets the time of the next operation.
    pub(crate) fn set_time(&self, at: Micros) {
        self.now.set(at);
    }

    /// A new user.
    pub(crate) fn user(&self, email: &str) -> User {
        self.run(|tx, act| users::create(tx, act, &new_user(email)))
            .unwrap()
    }

    /// A new team of this owner.
    pub(crate) fn team(&self, owner: &User) -> Team {
        self.run(|tx, act| teams::create(tx, act, "Acme", &owner.id))
            .unwrap()
    }
}

/// Somebody about to sign up.
pub(crate) fn new_user(email: &str) -> NewUser {
    NewUser {
        email: email.to_owned(),
        name: "Somebody".to_owned(),
        password_hash: "hash".to_owned(),
    }
}

/// A page of a list.
pub(crate) fn page(limit: i64, after: Option<Cursor>) -> Page {
    Page {
        limit,
        offset: 0,
        after,
    }
}
