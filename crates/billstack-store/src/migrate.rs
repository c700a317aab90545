//! Schema migrations: one numbered list for both engines, forward only, run under a lock.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use billstack_core::ids::number_of;
use billstack_core::time::Micros;

use crate::engines::postgres::{PostgresTx, Settings};
use crate::engines::sqlite::{
    SqliteTx, fault, hold_file, open_existing, open_writer, statistics, sync_again,
};
use crate::params;
use crate::seam::dialect::Dialect;
use crate::seam::{Fault, Tx};
use crate::tables::schema_migrations as mark;
use crate::target::{Kind, Target};

/// One step of the schema.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

impl Migration {
    /// What tells its statements from others, whatever is said about them beside. It is kept when they are
    /// applied: a schema is what its version says only if they have not been changed since.
    fn fingerprint(&self) -> i64 {
        let lines = self
            .sql
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default());
        let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
        number_of(&words.join(" "))
    }
}

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "first",
    sql: include_str!("../../../migrations/0001_first.sql"),
}];

/// The names of the indexes that the migrations make and leave, without those that belong to a key.
pub(crate) fn indexes() -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    let lines = MIGRATIONS
        .iter()
        .flat_map(|migration| migration.sql.lines());
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["CREATE", "INDEX", name, ..] | ["CREATE", "UNIQUE", "INDEX", name, ..] => {
                names.push(name)
            }
            ["DROP", "INDEX", name] => {
                let dropped = name.trim_end_matches(';');
                names.retain(|name| *name != dropped);
            }
            _ => {}
        }
    }
    names
}

/// Any number will do, as long as every version of this program uses the same one.
const ADVISORY_LOCK: i64 = 0x6269_6c6c_7374_636b;

/// The limits of the session are meant for requests. A migration may take long, and other nodes wait for it
/// as long as it takes.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const PATIENTLY: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";

/// A wait for a table in use (by a report, a dump) is another matter: everybody else would queue behind the
/// migration. So it gives up as any statement does.
const END_OF_WAITING: &str = "SET LOCAL lock_timeout = '10s'";

const CREATE_LIST: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (\
    version {int} NOT NULL PRIMARY KEY, name {text} NOT NULL, applied_at {int} NOT NULL, \
    fingerprint {int} NOT NULL) {rows}";
const APPLIED: &str = "SELECT version, fingerprint FROM schema_migrations ORDER BY version";
/// How many of the tables of a SQLite file are our list, how many there are, and whether the list keeps
/// fingerprints.
const TABLES_OF_FILE: &str = "SELECT COUNT(*) FILTER \
    (WHERE name = 'schema_migrations' AND sql LIKE '%applied_at%'), COUNT(*), \
    COUNT(*) FILTER (WHERE name = 'schema_migrations' AND sql LIKE '%fingerprint%') \
    FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
/// Whether our list exists, and keeps fingerprints; the schema that new tables go into, if the user may look into one; and whether it
/// holds tables other than those of extensions.
const STATE_OF_SCHEMA: &str = "SELECT \
    EXISTS (SELECT 1 FROM pg_attribute \
        WHERE attrelid = to_regclass('schema_migrations') AND attname = 'applied_at'), \
    EXISTS (SELECT 1 FROM pg_attribute \
        WHERE attrelid = to_regclass('schema_migrations') AND attname = 'fingerprint'), \
    CAST(current_schema() AS TEXT), \
    EXISTS (SELECT 1 FROM pg_class t JOIN pg_namespace s ON s.oid = t.relnamespace \
        WHERE s.nspname = current_schema() AND t.relkind IN ('r', 'p', 'f') AND NOT EXISTS ( \
            SELECT 1 FROM pg_depend d WHERE d.classid = CAST('pg_class' AS REGCLASS) \
                AND d.objid = t.oid AND d.deptype = 'e'))";
const MARK: &str = "INSERT INTO schema_migrations (version, name, applied_at, fingerprint) \
    VALUES ($1, $2, $3, $4)";

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
    let applied = match &target.0 {
        Kind::Sqlite(path) => migrate_sqlite(path, at),
        Kind::Postgres(settings) => migrate_postgres(settings, at),
    };
    applied.map_err(|why| target.named(why))
}

/// Refuses a SQLite file of another program, or in a directory that is not there, before anything is
/// made beside it.
pub fn must_be_ours(target: &Target) -> Result<(), Fault> {
    target.directory_must_exist()?;
    match &target.0 {
        Kind::Sqlite(path) if path.exists() => {
            let version = version_of_file(path).map_err(|why| target.named(why));
            version.map(|_| ())
        }
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
    let current = version_of_database(&mut runner)?;
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
    runner.begin(BEGIN);
    runner.flush()?;
    runner.simple(PATIENTLY)?;
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
    let fingerprint = migration.fingerprint();
    tx.must(
        MARK,
        params![migration.version, migration.name, at, fingerprint],
    )
}

/// The newest version that was applied, 0 for none. A schema of which a version is not what this program knows
/// by that number is refused: statements would fail in it, or promises not hold.
fn newest_applied(tx: &mut dyn Tx) -> Result<i64, Fault> {
    let applied = tx.all(APPLIED, &[], |row| Ok((row.int(0)?, row.int(1)?)))?;
    if applied.iter().any(|(version, _)| *version == mark::VERSION) {
        return Err(mark::half_made());
    }
    for (version, fingerprint) in &applied {
        let known = MIGRATIONS
            .iter()
            .find(|migration| migration.version == *version);
        if known.is_some_and(|migration| migration.fingerprint() != *fingerprint) {
            return Err(of_another_build(*version));
        }
    }
    Ok(applied.last().map_or(0, |(version, _)| *version))
}

fn of_another_build(version: i64) -> Fault {
    Fault::Unavailable(format!(
        "the schema of the database is version {version} of another build, which is not the version {version} \
         of this program; use the program that made it, or a new database"
    ))
}

/// The version of the schema in a SQLite file, 0 for an empty one. A file with tables of another
/// program is refused, and left as it is.
pub(crate) fn version_of_file(path: &Path) -> Result<i64, Fault> {
    sync_again(path)?;
    let connection = open_existing(path)?;
    let mut tx = SqliteTx::new(&connection);
    let tx: &mut dyn Tx = &mut tx;
    let counted = tx.one(TABLES_OF_FILE, &[], |row| {
        Ok((row.int(0)?, row.int(1)?, row.int(2)? > 0))
    })?;
    match counted.unwrap_or_default() {
        (0, 0, _) => Ok(0),
        (0, _, _) => Err(Fault::Unavailable(format!(
            "{} holds tables of another program; BillStack needs a file of its own",
            path.display()
        ))),
        (_, _, false) => Err(of_another_build(1)),
        _ => newest_applied(tx),
    }
}

/// The same for a PostgreSQL database.
fn version_of_database(tx: &mut PostgresTx) -> Result<i64, Fault> {
    tx.begin(BEGIN);
    let version = version_in(tx);
    // It has only read, and a connection that broke has nothing to roll back.
    let _ = tx.simple("ROLLBACK");
    version
}

/// The version of the schema in a PostgreSQL database, 0 where nothing has been created yet. A schema with
/// tables of another program is refused, and left as it is.
fn version_in(tx: &mut dyn Tx) -> Result<i64, Fault> {
    let found = tx.one(STATE_OF_SCHEMA, &[], |row| {
        let schema = row.opt_text(2)?.map(str::to_owned);
        let is_ours = row.flag(0)?.then_some(row.flag(1)?);
        Ok((is_ours, schema, row.flag(3)?))
    })?;
    match found.unwrap_or_default() {
        (Some(true), _, _) => newest_applied(tx),
        (Some(false), _, _) => Err(of_another_build(1)),
        (None, Some(_), false) => Ok(0),
        (None, Some(schema), true) => Err(Fault::Unavailable(format!(
            "the schema {schema} holds tables of another program; BillStack needs a database, or a \
             schema, of its own"
        ))),
        (None, None, _) => Err(Fault::Unavailable(
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
        Kind::Postgres(settings) => version_of_database(&mut PostgresTx::open(settings)?)?,
    };
    if missing_after(current)?.is_empty() {
        return Ok(());
    }
    Err(Fault::Unavailable(format!(
        "the database has schema version {current}, this program needs {}; run `billstack migrate`",
        newest_version()
    )))
}
