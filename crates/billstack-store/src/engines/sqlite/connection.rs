//! A SQLite connection: its settings, and what its errors mean.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::seam::Fault;

/// Oldest SQLite without the WAL-reset bug (sqlite.org/wal.html, "the WAL-reset bug").
const OLDEST_SAFE_SQLITE: i32 = 3_051_003;

/// How long another process (a command line tool beside the server) may hold the write lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Page cache of a connection. More would slow the writer down: while the database is below 1 GiB, most commits
/// look at every cached page (see `bench/README.md`).
const CACHE_KIB: i64 = 16_384;

/// The same of a connection that reads long lists and files: each of them comes by with most of its pages, which nobody
/// asks for again soon, and fills the caches of all such connections one after the other. The inner pages of the trees
/// find room in less.
const SCAN_CACHE_KIB: i64 = 4_096;

/// Opens a connection that may write, and creates a missing file.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, Fault> {
    if rusqlite::version_number() < OLDEST_SAFE_SQLITE {
        return Err(Fault::Unavailable(format!(
            "SQLite {} is too old",
            rusqlite::version()
        )));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags).map_err(|e| fault(&e))?;
    refuse_read_only(&connection, path)?;
    switch_to_wal(&connection).map_err(|e| fault(&e))?;
    connection
        .pragma_update(None, "synchronous", "full")
        .map_err(|e| fault(&e))?;
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(|e| fault(&e))?;
    // Overwrites erased data with zeros in the file too. `fast` would leave freed pages as they are, and long
    // texts have pages of their own; apply and webhooks free none.
    connection
        .pragma_update(None, "secure_delete", true)
        .map_err(|e| fault(&e))?;
    // The checkpoint thread does it, so that commits need not wait.
    connection
        .pragma_update(None, "wal_autocheckpoint", 0)
        .map_err(|e| fault(&e))?;
    expect_pragma(&connection, "journal_mode", "wal")?;
    expect_pragma(&connection, "synchronous", "2")?;
    Ok(connection)
}

/// SQLite opens a file without write permission read only, and complains only at the first write.
fn refuse_read_only(connection: &Connection, path: &Path) -> Result<(), Fault> {
    match connection.is_readonly("main").map_err(|e| fault(&e))? {
        false => Ok(()),
        true => Err(Fault::Unavailable(format!(
            "{} may not be written by this user",
            path.display()
        ))),
    }
}

/// Switches to the write-ahead log. SQLite ignores its busy timeout here: when several processes open a new
/// file at once, all but one fail immediately.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && waited < BUSY_TIMEOUT =>
            {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            outcome => return outcome,
        }
    }
}

/// Opens a connection to an existing file.
pub(crate) fn open_existing(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags).map_err(|e| fault(&e))
}

/// Opens a connection that cannot write.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let connection = open_existing(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|e| fault(&e))?;
    Ok(connection)
}

/// Opens a connection that cannot write and reads many rows.
pub(super) fn open_scanner(path: &Path) -> Result<Connection, Fault> {
    let connection = open_reader(path)?;
    connection
        .pragma_update(None, "cache_size", -SCAN_CACHE_KIB)
        .map_err(|e| fault(&e))?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Otherwise SQLite plans a cached statement again whenever another value is bound and a partial index
    // of its table might apply, which a read would mostly spend its time on.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

/// A durability setting that did not take effect would lose the ledger later, so refuse now.
fn expect_pragma(connection: &Connection, name: &str, wanted: &str) -> Result<(), Fault> {
    let got = connection
        .pragma_query_value(None, name, |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            })
        })
        .map_err(|e| fault(&e))?;
    if got == wanted {
        return Ok(());
    }
    Err(Fault::Unavailable(format!(
        "SQLite keeps {name} at {got}, not {wanted}, on this file"
    )))
}

/// Sorts a SQLite error by what it means for the caller.
pub(crate) fn fault(error: &rusqlite::Error) -> Fault {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::OutOfMemory
            | ErrorCode::DatabaseBusy
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::PermissionDenied,
        ) => Fault::Unavailable(text),
        _ => Fault::Defect(text),
    }
}

/// Whether a sync failed, so that pages may not have reached the disk. The process must then exit and recover from
/// the log: the kernel reports such a loss only once, so a later sync would succeed without those pages.
pub(super) fn could_not_sync(error: &rusqlite::Error) -> bool {
    let syncs = [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC];
    error
        .sqlite_error()
        .is_some_and(|error| syncs.contains(&error.extended_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_sync_is_a_loss_and_a_refused_write_is_not() {
        let loses = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            could_not_sync(&error)
        };
        assert!(loses(ffi::SQLITE_IOERR_FSYNC));
        assert!(loses(ffi::SQLITE_IOERR_DIR_FSYNC));
        assert!(!loses(ffi::SQLITE_IOERR_WRITE));
        assert!(!loses(ffi::SQLITE_FULL));
    }

    #[test]
    fn a_file_that_may_not_be_written_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        drop(open_writer(&path).unwrap());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let refused = refuse_read_only(&open(&path, flags).unwrap(), &path);
        let Err(Fault::Unavailable(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(why.contains("a.db may not be written"), "{why}");
    }

    #[test]
    fn a_connection_that_reads_many_rows_keeps_few_of_their_pages() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        drop(open_writer(&path).unwrap());
        let cache = |connection: Result<Connection, Fault>| {
            let connection = connection.unwrap();
            connection
                .pragma_query_value(None, "cache_size", |row| row.get::<_, i64>(0))
                .unwrap()
        };
        // Below zero it is a number of KiB.
        assert_eq!(cache(open_scanner(&path)), -4_096);
        assert_eq!(cache(open_reader(&path)), -16_384);
    }

    /// The settings of `.cargo/config.toml` are silently lost when cargo runs elsewhere.
    #[test]
    fn sqlite_is_built_as_it_was_measured() {
        let connection = Connection::open_in_memory().unwrap();
        let mut options = connection.prepare("PRAGMA compile_options").unwrap();
        let options = options.query_map([], |row| row.get::<_, String>(0));
        let options: Vec<_> = options.unwrap().map(Result::unwrap).collect();
        let is_set = |name: &&str| options.iter().any(|option| option == name);
        let left_out = [
            "ENABLE_API_ARMOR",
            "ENABLE_MEMORY_MANAGEMENT",
            "ENABLE_STAT4",
        ];
        let set = ["DEFAULT_MEMSTATUS=0", "DQS=0", "OMIT_SHARED_CACHE"];
        assert!(!left_out.iter().any(is_set), "{options:?}");
        assert!(set.iter().all(is_set), "{options:?}");
    }
}
