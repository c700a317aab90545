//! A copy of a SQLite database, made beside a live server.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempPath;

use crate::engines::sqlite::{SqliteTx, fault, open_existing};
use crate::migrate::version_of_file;
use crate::seam::Fault;
use crate::target::{Kind, Target};
use crate::verify::verify;

/// How many copies that were cut short may lie beside the new one before this gives up.
const MOST_LEFT_OVER: u32 = 100;

/// Copies the database into a new file and returns the file's size. The copy is one state between
/// two commits; it is on disk, sound and free of breaches when this returns `Ok`.
///
/// Until then it has another name, which `growing` receives, so that a file with the requested name is always
/// whole. An existing file is never overwritten. With PostgreSQL this says how to use `pg_dump` instead.
pub fn backup(target: &Target, to: &Path, growing: impl FnOnce(&Path)) -> Result<u64, Fault> {
    let from = match &target.0 {
        Kind::Sqlite(from) => from,
        Kind::Postgres(_) => {
            return Err(Fault::Unavailable(
                "PostgreSQL has its own tool for this, which reads one state beside a live \
                 server: pg_dump --format=custom --file=billstack.dump \"$DATABASE_URL\"; restore \
                 with pg_restore --no-owner --exit-on-error --dbname=\"$NEW_DATABASE_URL\" billstack.dump"
                    .to_owned(),
            ));
        }
    };
    if version_of_file(from).map_err(|why| target.named(why))? == 0 {
        let why = format!("{} is empty; there is nothing to copy", from.display());
        return Err(Fault::Unavailable(why));
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(unusable(to, &ErrorKind::AlreadyExists.into()));
    }
    let source = open_existing(from)?;
    let partial = reserve(to)?;
    growing(&partial);
    copy(&source, &partial)?;
    let complaints = complaints(&partial).unwrap_or_else(|why| vec![why.to_string()]);
    if !complaints.is_empty() {
        return Err(damaged(partial, &complaints));
    }
    let size = fs::metadata(&partial).map_err(|error| unusable(&partial, &error))?;
    partial
        .persist_noclobber(to)
        .map_err(|error| unusable(to, &error.error))?;
    // A file that survives a power cut needs its directory entry on disk too.
    sync(directory_of(to))?;
    Ok(size.len())
}

/// Creates the file, empty and readable by its owner alone: it will hold password hashes and addresses.
/// Dropping it removes it. Files of an earlier run, or of one that is still writing, are left alone.
fn reserve(to: &Path) -> Result<TempPath, Fault> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for number in 0..MOST_LEFT_OVER {
        let partial = partial(to, number);
        match options.open(&partial) {
            Ok(_) => {
                return TempPath::try_from_path(&partial).map_err(|e| unusable(&partial, &e));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => tracing::warn!(
                file = %partial.display(),
                "another backup is writing this, or was ended early and has left it behind"
            ),
            Err(error) => return Err(unusable(&partial, &error)),
        }
    }
    Err(unusable(
        to,
        &std::io::Error::other("too many partial copies lie beside it"),
    ))
}

/// The name of a copy that is still being made.
fn partial(to: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(to);
    match number {
        0 => name.push(".partial"),
        number => name.push(format!(".{number}.partial")),
    }
    name.into()
}

fn copy(source: &Connection, to: &Path) -> Result<(), Fault> {
    let name = to
        .to_str()
        .ok_or_else(|| Fault::Unavailable(format!("{} is not UTF-8", to.display())))?;
    source
        .execute("VACUUM INTO ?1", [name])
        .map_err(|e| fault(&e))?;
    // SQLite does not sync this copy itself.
    sync(to)
}

fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn sync(path: &Path) -> Result<(), Fault> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| unusable(path, &error))
}

/// Reads the copy from end to end, and tells what is wrong with it.
fn complaints(copy: &Path) -> Result<Vec<String>, Fault> {
    let connection = open_existing(copy)?;
    let mut complaints = Vec::new();
    for pragma in ["integrity_check", "foreign_key_check"] {
        connection
            .pragma_query(None, pragma, |row| {
                let text = row.get_ref(0)?.as_str().unwrap_or("?").to_owned();
                if text != "ok" {
                    complaints.push(format!("{pragma}: {text}"));
                }
                Ok(())
            })
            .map_err(|e| fault(&e))?;
    }
    let breaches = verify(&mut SqliteTx::new(&connection))?;
    complaints.extend(breaches.iter().map(ToString::to_string));
    Ok(complaints)
}

/// Keeps an unsound copy, because it may be all that is left, but not under the name of a backup. The
/// database it came from has the same faults.
fn damaged(partial: TempPath, complaints: &[String]) -> Fault {
    let kept = match partial.keep() {
        Ok(kept) => kept,
        Err(error) => return unusable(&error.path, &error.error),
    };
    Fault::Defect(format!(
        "{} is a true copy, but the database is damaged: {}",
        kept.display(),
        complaints[..complaints.len().min(20)].join("; ")
    ))
}

fn unusable(path: &Path, error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let path = path.display();
        let why = format!("{path} is there already; name another file, or move it away first");
        return Fault::Unavailable(why);
    }
    Fault::Unavailable(format!("cannot use {}: {error}", path.display()))
}
