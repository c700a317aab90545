//! Schema migrations: one numbered list for both engines, forward only, run under a lock.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use billstack_core::time::Micros;

use crate::dialect::Dialect;
use crate::params;
use crate::postgres::PostgresTx;
use crate::sqlite::{SqliteTx, fault, hold_file, open_writer, statistics};
use crate::store::{Kind, Target};
use crate::tx::{Fault, Tx};

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

const CREATE_LIST: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (\
    version {int} NOT NULL PRIMARY KEY, name {text} NOT NULL, applied_at {int} NOT NULL) {rows}";
const NEWEST: &str = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM schema_migrations";
const MARK: &str = "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)";

/// The schema version this program was built for.
pub fn newest_version() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Brings the schema up to date and tells the versions it applied, oldest first.
///
/// A schema newer than this program is refused: an older program must never write to it.
pub fn migrate(target: &Target, at: Micros) -> Result<Vec<i64>, Fault> {
    match &target.0 {
        Kind::Sqlite(path) => {
            create_private(path)?;
            let connection = open_writer(path)?;
            // A server that is running on the file must not see its schema change underneath. One
            // that is up to date is left alone, so that tools work beside a live server.
            let current = known_version(current_version(&mut SqliteTx::new(&connection)))?;
            let changes = current > 0 && !missing_after(current)?.is_empty();
            let _held = changes.then(|| hold_file(path)).transpose()?;
            let run = |sql: &str| connection.execute_batch(sql).map_err(|e| fault(&e));
            run("BEGIN IMMEDIATE")?;
            run(&Dialect::Sqlite.migration(CREATE_LIST))?;
            let applied = apply_missing(&mut SqliteTx::new(&connection), at, |sql| {
                run(&Dialect::Sqlite.migration(sql))
            })?;
            if !applied.is_empty() {
                statistics::write(&connection).map_err(|e| fault(&e))?;
            }
            run("COMMIT")?;
            Ok(applied)
        }
        Kind::Postgres(settings) => {
            let mut runner = PostgresTx::open(settings)?;
            runner.simple("BEGIN")?;
            runner.simple(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))?;
            runner.simple(&Dialect::Postgres.migration(CREATE_LIST))?;
            let current = current_version(&mut runner)?;
            let missing = missing_after(current)?;
            for migration in missing {
                runner.simple(&Dialect::Postgres.migration(migration.sql))?;
                mark(&mut runner, migration, at)?;
            }
            runner.simple("COMMIT")?;
            Ok(missing.iter().map(|migration| migration.version).collect())
        }
    }
}

/// Makes a missing database file readable by its owner alone; SQLite gives the log beside it the same
/// mode. A file that is there is left as it is, and never opened outside SQLite.
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

fn apply_missing(
    tx: &mut dyn Tx,
    at: Micros,
    run: impl Fn(&str) -> Result<(), Fault>,
) -> Result<Vec<i64>, Fault> {
    let missing = missing_after(current_version(tx)?)?;
    for migration in missing {
        run(migration.sql)?;
        mark(tx, migration, at)?;
    }
    Ok(missing.iter().map(|migration| migration.version).collect())
}

fn mark(tx: &mut dyn Tx, migration: &Migration, at: Micros) -> Result<(), Fault> {
    tx.must(MARK, params![migration.version, migration.name, at])
}

fn current_version(tx: &mut dyn Tx) -> Result<i64, Fault> {
    Ok(tx.one(NEWEST, &[], |row| row.int(0))?.unwrap_or(0))
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

/// A database without a list of migrations is one where nothing has been created yet.
fn known_version(current: Result<i64, Fault>) -> Result<i64, Fault> {
    match current {
        Err(Fault::Defect(_)) => Ok(0),
        other => other,
    }
}

/// Refuses a database whose schema is not exactly the one this program was built for.
pub(crate) fn check(target: &Target) -> Result<(), Fault> {
    let current = match &target.0 {
        Kind::Sqlite(path) if !path.exists() => Ok(0),
        Kind::Sqlite(path) => current_version(&mut SqliteTx::new(&open_writer(path)?)),
        Kind::Postgres(settings) => current_version(&mut PostgresTx::open(settings)?),
    };
    let current = known_version(current)?;
    if missing_after(current)?.is_empty() {
        return Ok(());
    }
    Err(Fault::Unavailable(format!(
        "the database has schema version {current}, this program needs {}; run `billstack migrate`",
        newest_version()
    )))
}
