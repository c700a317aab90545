//! What an earlier process wrote into the log, and may not have synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::connection::fault;
use crate::seam::Fault;

/// As much of the log as is held in memory at once.
const PIECE: usize = 1 << 20;

/// Puts a synced copy of the log in its place, if the last process did not end in order.
///
/// One that ended because a sync failed leaves commits that the next one reads and the disk has not: the kernel
/// takes their pages for written, so no later sync writes them. What is built on them, the next commit or a copy
/// into the database, would not survive a power cut, and would damage the file. So this comes before any connection
/// that might copy the log. The copy has a file of its own, since a write that is cut off may damage what it
/// overwrites.
///
/// Where others have the database open, they did this before, and the log is theirs.
pub(crate) fn sync_again(path: &Path) -> Result<(), Fault> {
    let log = beside(path, "-wal");
    if fs::metadata(&log).map_or(0, |file| file.len()) == 0 {
        return Ok(());
    }
    let connection = open(path).map_err(|e| fault(&e))?;
    if connection.is_readonly("main").map_err(|e| fault(&e))? {
        return Ok(());
    }
    match take_alone(&connection) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Ok(()),
        taken => taken.map_err(|e| fault(&e))?,
    }
    let replaced = replace(&log, &beside(path, "-wal-synced"));
    replaced.map_err(|error| {
        let why = format!("the log {} cannot be synced: {error}", log.display());
        Fault::Unavailable(why)
    })
}

/// A connection that has not looked into the database yet.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    // The last connection to close copies the log, which is what must not happen yet.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// Lets nobody else open the database until this connection is closed, or fails at once.
///
/// Only a connection that is exclusive before its first look locks the file as a whole: any other has opened the log
/// with everybody else by then, and would be let in beside them
/// (<https://www.sqlite.org/wal.html#noshm>).
fn take_alone(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn replace(log: &Path, copy: &Path) -> io::Result<()> {
    let replaced = copy_and_rename(log, copy);
    if replaced.is_err() {
        // On a full disk it would take the last room. If it has another name already, there is nothing to remove.
        let _ = fs::remove_file(copy);
    }
    replaced
}

fn copy_and_rename(log: &Path, copy: &Path) -> io::Result<()> {
    let mut from = File::open(log)?;
    let mut to = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(copy)?;
    to.set_permissions(from.metadata()?.permissions())?;
    // Not by `io::copy`: a file system might let both files have the same pages, which are the lost ones.
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece)? {
            0 => break,
            length => to.write_all(&piece[..length])?,
        }
    }
    to.sync_all()?;
    fs::rename(copy, log)?;
    let directory = log.parent().filter(|parent| *parent != Path::new(""));
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}
