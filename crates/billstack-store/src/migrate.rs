//! Schema migrations: one numbered list for both engines, forward only, run under a lock.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use billstack_core::time::Micros;

use crate::engines::postgres::{PostgresTx, Settings};
use crate::engines::sqlite::{SqliteTx, fault, hold_file, open_existing, open_writer, statistics};
use crate::params;
use crate::seam::dialect::Dialect;
use crate::seam::{Fault, Tx};
use crate::target::{Kind, Target};

/// One step of the schema.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "first",
    sql: include_str!("../../../migrations/0001_first.sql"),
}];

/// Any number will do, as long as every version of this program uses the same one.
const ADVISORY_LOCK: i64 = 0x6269_6c6c_7374_636b;

/// The limits of the session are meant for requests. A migration may take long, and other nodes wait for it
/// as long as it takes.
const BEGIN_PATIENTLY: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
    SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";

/// A wait for a table in use (by a report, a dump) is another matter: everybody else would queue behind the
/// migration. So it gives up as any statement does.
const END_OF_WAITING: &str = "SET LOCAL lock_timeout TO DEFAULT";

const CREATE_LIST: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (\
    version {int} NOT NULL PRIMARY KEY, name {text} NOT NULL, applied_at {int} NOT NULL) {rows}";
const NEWEST: &str = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM schema_migrations";
/// How many of the tables of a SQLite file are our list, and how many there are.
const TABLES_OF_FILE: &str = "SELECT COUNT(*) FILTER \
    (WHERE name = 'schema_migrations' AND sql LIKE '%applied_at%'), COUNT(*) \
    FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
/// Whether our list exists; the schema that new tables go into, if the user may look into one; and whether it
/// holds tables other than those of extensions.
const STATE_OF_SCHEMA: &str = "SELECT \
    EXISTS (SELECT 1 FROM pg_attribute \
        WHERE attrelid = to_regclass('schema_migrations') AND attname = 'applied_at'), \
    CAST(current_schema() AS TEXT), \
    EXISTS (SELECT 1 FROM pg_class t JOIN pg_namespace s ON s.oid = t.relnamespace \
        WHERE s.nspname = current_schema() AND t.relkind IN ('r', 'p', 'f') AND NOT EXISTS ( \
            SELECT 1 FROM pg_depend d WHERE d.classid = CAST('pg_class' AS REGCLASS) \
                AND d.objid = t.oid AND d.deptype = 'e'))";
const MARK: &str = "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)";

/// The schema version this program was built for.
pub fn newest_version() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Brings the schema up to date and tells the versions it applied, oldest first.
///
/// A schema newer than this program is refused: an older program must never write to it. One that is up to
/// date is only read, so that it works beside a live server and for a user who may not change it.
pub fn migrate(target: &Target, at: Micros) -> Result<Vec<i64>, Fault> {
    target.directory_must_exist()?;
    match &target.0 {
        Kind::Sqlite(path) => migrate_sqlite(path, at),
        Kind::Postgres(settings) => migrate_postgres(settings, at),
    }
}

/// Refuses a SQLite file of another program, or in a directory that is not there, before anything is
/// made beside it.
pub fn must_be_ours(target: &Target) -> Result<(), Fault> {
    target.directory_must_exist()?;
    match &target.0 {
        Kind::Sqlite(path) if path.exists() => version_of_file(path).map(|_| ()),
        _ => Ok(()),
    }
}

fn migrate_sqlite(path: &Path, at: Micros) -> Result<Vec<i64>, Fault> {
    create_private(path)?;
    let current = version_of_file(path)?;
    if missing_after(current)?.is_empty() {
        return Ok(Vec::new());
    }
    // A server that is running on the file must not see its schema change underneath.
    let _held = (current > 0).then(|| hold_file(path)).transpose()?;
    let connection = open_writer(path)?;
    let mut tx = SqliteTx::new(&connection);
    tx.step("BEGIN IMMEDIATE")?;
    let run = |tx: &mut SqliteTx<'_>, sql: &str| {
        let done = tx.connection().execute_batch(sql);
        done.map_err(|e| fault(&e))
    };
    let applied = apply_missing(&mut tx, Dialect::Sqlite, run, at)?;
    if !applied.is_empty() {
        statistics::write(&connection).map_err(|e| fault(&e))?;
    }
    tx.step("COMMIT")?;
    Ok(applied)
}

fn migrate_postgres(settings: &Settings, at: Micros) -> Result<Vec<i64>, Fault> {
    let mut runner = PostgresTx::open(settings)?;
    let current = version_in(&mut runner)?;
    if missing_after(current)?.is_empty() {
        return Ok(Vec::new());
    }
    let applied = upgrade_postgres(&mut runner, at);
    applied.map_err(|fault| match fault {
        Fault::Unavailable(why) => Fault::Unavailable(format!(
            "cannot bring the schema from version {current} to {}: {why}",
            newest_version()
        )),
        other => other,
    })
}

fn upgrade_postgres(runner: &mut PostgresTx, at: Micros) -> Result<Vec<i64>, Fault> {
    runner.be_patient();
    runner.simple(BEGIN_PATIENTLY)?;
    runner.simple(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))?;
    runner.simple(END_OF_WAITING)?;
    let applied = apply_missing(runner, Dialect::Postgres, PostgresTx::simple, at)?;
    runner.simple("COMMIT")?;
    Ok(applied)
}

/// Applies the missing migrations and returns their versions, in a transaction during which nobody else
/// migrates. `run` takes several statements at once.
fn apply_missing<T: Tx>(
    tx: &mut T,
    dialect: Dialect,
    run: impl Fn(&mut T, &str) -> Result<(), Fault>,
    at: Micros,
) -> Result<Vec<i64>, Fault> {
    run(tx, &dialect.migration(CREATE_LIST))?;
    let missing = missing_after(newest_applied(tx)?)?;
    for migration in missing {
        run(tx, &dialect.migration(migration.sql))?;
        mark(tx, migration, at)?;
    }
    Ok(missing.iter().map(|migration| migration.version).collect())
}

/// Creates a missing database file, readable by its owner alone; SQLite gives the log beside it the same
/// mode. An existing file stays as it is, and is never opened outside SQLite.
fn create_private(path: &Path) -> Result<(), Fault> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let why = format!("cannot create the database {}: {error}", path.display());
            Err(Fault::Unavailable(why))
        }
    }
}

fn mark(tx: &mut dyn Tx, migration: &Migration, at: Micros) -> Result<(), Fault> {
    tx.must(MARK, params![migration.version, migration.name, at])
}

fn newest_applied(tx: &mut dyn Tx) -> Result<i64, Fault> {
    Ok(tx.one(NEWEST, &[], |row| row.int(0))?.unwrap_or(0))
}

/// The version of the schema in a SQLite file, 0 for an empty one. A file with tables of another
/// program is refused, and left as it is.
pub(crate) fn version_of_file(path: &Path) -> Result<i64, Fault> {
    let connection = open_existing(path)?;
    let mut tx = SqliteTx::new(&connection);
    let tx: &mut dyn Tx = &mut tx;
    let counted = tx.one(TABLES_OF_FILE, &[], |row| Ok((row.int(0)?, row.int(1)?)))?;
    match counted.unwrap_or((0, 0)) {
        (0, 0) => Ok(0),
        (0, _) => Err(Fault::Unavailable(format!(
            "{} holds tables of another program; BillStack needs a file of its own",
            path.display()
        ))),
        _ => newest_applied(tx),
    }
}

/// The version of the schema in a PostgreSQL database, 0 where nothing has been created yet. A schema with
/// tables of another program is refused, and left as it is.
fn version_in(tx: &mut dyn Tx) -> Result<i64, Fault> {
    let found = tx.one(STATE_OF_SCHEMA, &[], |row| {
        let schema = row.opt_text(1)?.map(str::to_owned);
        Ok((row.flag(0)?, schema, row.flag(2)?))
    })?;
    match found.unwrap_or_default() {
        (true, _, _) => newest_applied(tx),
        (false, Some(_), false) => Ok(0),
        (false, Some(schema), true) => Err(Fault::Unavailable(format!(
            "the schema {schema} holds tables of another program; BillStack needs a database, or a \
             schema, of its own"
        ))),
        (false, None, _) => Err(Fault::Unavailable(
            "the database user may use no schema on its search path; grant it USAGE on the one with \
             the tables"
                .to_owned(),
        )),
    }
}

fn missing_after(current: i64) -> Result<&'static [Migration], Fault> {
    if current > newest_version() {
        return Err(Fault::Unavailable(format!(
            "the database has schema version {current}, this program knows only {}; use the newer \
             program",
            newest_version()
        )));
    }
    let known = MIGRATIONS
        .iter()
        .position(|m| m.version > current)
        .unwrap_or(MIGRATIONS.len());
    Ok(&MIGRATIONS[known..])
}

/// Refuses a database whose schema is not exactly the one this program was built for.
pub(crate) fn check(target: &Target) -> Result<(), Fault> {
    let current = match &target.0 {
        Kind::Sqlite(path) if !path.exists() => 0,
        Kind::Sqlite(path) => version_of_file(path)?,
        Kind::Postgres(settings) => version_in(&mut PostgresTx::open(settings)?)?,
    };
    if missing_after(current)?.is_empty() {
        return Ok(());
    }
    Err(Fault::Unavailable(format!(
        "the database has schema version {current}, this program needs {}; run `billstack migrate`",
        newest_version()
    )))
}
