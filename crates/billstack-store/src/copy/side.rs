//! A database at one end of a copy.

use std::fs::File;
use std::time::Duration;

use rusqlite::Connection;

use super::sql::{self, Value};
use super::tables;
use crate::dump::Table;
use crate::engines::postgres::{PostgresTx, Settings};
use crate::engines::sqlite::{
    SqliteTx, checkpoint, fault, hold_file, open_existing, open_reader, open_writer,
};
use crate::migrate;
use crate::params;
use crate::seam::rows::EachRow;
use crate::seam::{Fault, Tx, Val};
use crate::target::{Kind, Target};

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A copy may take long, and nobody waits for it.
const PATIENTLY: &str =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// How long a transaction that still writes to the source is waited for.
const SOON: &str = "SET LOCAL lock_timeout = '5s'";

/// The server needs a moment to notice that a process is gone, so it is asked for others so often, after such a pause.
const ATTEMPTS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(200);

/// Rows that are fetched together.
const FETCHED: usize = 2000;

/// Sessions of servers and commands, by the name that they give themselves.
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND application_name = current_setting('application_name')";

/// A connection to it that nobody else shares.
pub(super) enum Side {
    Sqlite {
        connection: Connection,
        _held: Option<File>,
    },
    Postgres(Session),
}

/// A session of PostgreSQL, with a transaction that lasts as long as it, or none.
pub(super) struct Session {
    tx: Box<PostgresTx>,
    is_in_transaction: bool,
    /// Where it leads.
    place: String,
}

impl Side {
    /// Opens a source and keeps everybody from changing it, until this is dropped.
    pub(super) fn source(from: &Target) -> Result<Side, Fault> {
        let held = Side::hold(from)?;
        migrate::check(from)?;
        match &from.0 {
            Kind::Sqlite(path) => {
                let connection = open_existing(path)?;
                // Commands that change something are kept out by this, servers by the lock.
                SqliteTx::new(&connection).step("BEGIN IMMEDIATE")?;
                Ok(Side::Sqlite {
                    connection,
                    _held: held,
                })
            }
            Kind::Postgres(settings) => {
                let mut session = Session::open(settings)?;
                session.begin()?;
                session.tx.simple(SOON)?;
                let names: Vec<_> = tables().map(|table| table.name).collect();
                let lock = format!("LOCK TABLE {} IN SHARE MODE", names.join(", "));
                session.tx.simple(&lock)?;
                session.is_in_transaction = true;
                Ok(Side::Postgres(session))
            }
        }
    }

    /// Keeps servers from a database file.
    pub(super) fn hold(target: &Target) -> Result<Option<File>, Fault> {
        target.directory_must_exist()?;
        target.sqlite_file().map(hold_file).transpose()
    }

    /// Opens a target whose schema has been made.
    pub(super) fn target(to: &Target, held: Option<File>) -> Result<Side, Fault> {
        match &to.0 {
            Kind::Sqlite(path) => Ok(Side::Sqlite {
                connection: open_writer(path)?,
                _held: held,
            }),
            Kind::Postgres(settings) => Session::open(settings).map(Side::Postgres),
        }
    }

    /// Opens a further connection to a side that nobody changes as long as the first one is open.
    pub(super) fn reader(of: &Target) -> Result<Side, Fault> {
        match &of.0 {
            Kind::Sqlite(path) => Ok(Side::Sqlite {
                connection: open_reader(path)?,
                _held: None,
            }),
            Kind::Postgres(settings) => Session::among_ours(settings).map(Side::Postgres),
        }
    }

    /// Reads, in the transaction that is open or in one of its own.
    pub(super) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut dyn Tx) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match self {
            Side::Sqlite { connection, .. } => read(&mut SqliteTx::new(connection)),
            Side::Postgres(session) => session.run(|tx| read(tx)),
        }
    }

    /// Writes in a transaction.
    pub(super) fn write<T>(
        &mut self,
        write: impl FnOnce(&mut dyn Tx) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match self {
            Side::Sqlite { connection, .. } => {
                let mut tx = SqliteTx::new(connection);
                tx.step("BEGIN IMMEDIATE")?;
                let written = write(&mut tx)?;
                tx.step("COMMIT")?;
                checkpoint(connection).map_err(|e| fault(&e))?;
                Ok(written)
            }
            Side::Postgres(session) => session.run(|tx| write(tx)),
        }
    }

    /// Every row of a table by key, or those behind a key.
    pub(super) fn rows(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
        each: &mut EachRow<'_>,
    ) -> Result<(), Fault> {
        let select = match after {
            Some(_) => sql::behind(table),
            None => sql::all(table),
        };
        let key: Vec<Val<'_>> = after.unwrap_or_default().iter().map(Val::from).collect();
        match self {
            Side::Sqlite { connection, .. } => SqliteTx::new(connection).query(&select, &key, each),
            Side::Postgres(session) => {
                session.run(|tx| stream(tx, table.name, &select, &key, each))
            }
        }
    }

    /// Refuses a target with any row.
    pub(super) fn must_be_empty(&mut self) -> Result<(), Fault> {
        self.read(|tx| {
            for table in tables() {
                if sql::last(tx, table)?.is_some() {
                    return Err(Fault::Unavailable(format!(
                        "is not empty: there are {}; a copy needs a new database",
                        table.name
                    )));
                }
            }
            Ok(())
        })
    }

    /// Refuses a file that SQLite itself finds damaged.
    pub(super) fn must_be_sound(&mut self) -> Result<(), Fault> {
        let Side::Sqlite { connection, .. } = self else {
            return Ok(());
        };
        for pragma in ["integrity_check", "foreign_key_check"] {
            let mut complaint = None;
            let asked = connection.pragma_query(None, pragma, |row| {
                let text = row.get_ref(0)?.as_str().unwrap_or("?").to_owned();
                if text != "ok" && complaint.is_none() {
                    complaint = Some(text);
                }
                Ok(())
            });
            asked.map_err(|e| fault(&e))?;
            if let Some(text) = complaint {
                return Err(Fault::Unavailable(format!("is damaged: {pragma}: {text}")));
            }
        }
        Ok(())
    }

    /// Lets PostgreSQL look at what has come into a table, before anything is asked of it.
    pub(super) fn analyze(&mut self, table: &Table) -> Result<(), Fault> {
        match self {
            Side::Sqlite { .. } => Ok(()),
            Side::Postgres(session) => {
                session.run(|tx| tx.simple(&format!("ANALYZE {}", table.name)))
            }
        }
    }
}

impl Session {
    /// Opens a session, unless there are others.
    fn open(settings: &Settings) -> Result<Session, Fault> {
        let mut session = Session::among_ours(settings)?;
        for _ in 1..ATTEMPTS {
            if session.others()? == 0 {
                return Ok(session);
            }
            std::thread::sleep(PAUSE);
        }
        match session.others()? {
            0 => Ok(session),
            count => Err(Fault::Unavailable(format!(
                "servers or commands are using the database ({count} connections); stop them first"
            ))),
        }
    }

    /// Opens a session beside others of this copy.
    fn among_ours(settings: &Settings) -> Result<Session, Fault> {
        let mut tx = Box::new(PostgresTx::open(settings)?);
        tx.be_patient();
        Ok(Session {
            tx,
            is_in_transaction: false,
            place: settings.place(),
        })
    }

    fn others(&mut self) -> Result<i64, Fault> {
        let others = self.run(|tx| {
            let tx: &mut dyn Tx = tx;
            tx.one(OTHERS, params![], |row| row.int(0))
        })?;
        Ok(others.unwrap_or_default())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.tx.begin(BEGIN);
        self.tx.flush()?;
        self.tx.simple(PATIENTLY)
    }

    /// Runs something in the transaction that is open, or in one of its own.
    pub(super) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut PostgresTx) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let done = self.attempt(work);
        done.map_err(|why| match why {
            Fault::Unavailable(why) if self.tx.is_closed() => Fault::Unavailable(format!(
                "the connection to {} was lost ({why}); run it again, and it goes on where it was",
                self.place
            )),
            other => other,
        })
    }

    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut PostgresTx) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.is_in_transaction {
            return work(&mut self.tx);
        }
        self.begin()?;
        let done = work(&mut self.tx)?;
        self.tx.simple("COMMIT")?;
        Ok(done)
    }
}

/// Reads by way of a cursor, so that no more than a few rows are in memory.
fn stream(
    tx: &mut PostgresTx,
    table: &str,
    select: &str,
    key: &[Val<'_>],
    each: &mut EachRow<'_>,
) -> Result<(), Fault> {
    let cursor = format!("rows_of_{table}");
    tx.execute(
        &format!("DECLARE {cursor} NO SCROLL CURSOR FOR {select}"),
        key,
    )?;
    let fetch = format!("FETCH {FETCHED} FROM {cursor}");
    loop {
        let mut count = 0;
        tx.query(&fetch, &[], &mut |row| {
            count += 1;
            each(row)
        })?;
        if count < FETCHED {
            break;
        }
    }
    tx.simple(&format!("CLOSE {cursor}"))
}
