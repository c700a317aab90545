//! A copy of a SQLite database, made beside a live server.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use rusqlite::Connection;

use crate::migrate::version_of_file;
use crate::sqlite::{SqliteTx, fault, open_existing};
use crate::store::{Kind, Target};
use crate::tx::Fault;
use crate::verify::verify;

/// Copies the database into a new file and returns the file's size. The copy is one state between
/// two commits; it is on disk, sound and free of breaches when this returns `Ok`.
///
/// An existing file is never overwritten. With PostgreSQL this says how to use `pg_dump` instead.
pub fn backup(target: &Target, to: &Path) -> Result<u64, Fault> {
    let from = match &target.0 {
        Kind::Sqlite(from) => from,
        Kind::Postgres(_) => {
            return Err(Fault::Unavailable(
                "PostgreSQL has its own tool for this, which reads one state beside a live \
                 server: pg_dump --format=custom --file=billstack.dump \"$DATABASE_URL\"; restore \
                 with pg_restore --dbname=\"$NEW_DATABASE_URL\" billstack.dump"
                    .to_owned(),
            ));
        }
    };
    if version_of_file(from)? == 0 {
        let why = format!("{} is empty; there is nothing to copy", from.display());
        return Err(Fault::Unavailable(why));
    }
    let source = open_existing(from)?;
    reserve(to)?;
    if let Err(why) = copy(&source, to) {
        // What is there now is only a part. The name is ours: it was made just above.
        let _ = fs::remove_file(to);
        return Err(why);
    }
    check(to)?;
    let size = fs::metadata(to)
        .map_err(|error| unusable(to, &error))?
        .len();
    Ok(size)
}

/// Makes the file, empty, readable by nobody else: it will hold password hashes and addresses.
fn reserve(to: &Path) -> Result<(), Fault> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(to).map_err(|error| unusable(to, &error))?;
    Ok(())
}

fn copy(source: &Connection, to: &Path) -> Result<(), Fault> {
    let name = to
        .to_str()
        .ok_or_else(|| Fault::Unavailable(format!("{} is not UTF-8", to.display())))?;
    source
        .execute("VACUUM INTO ?1", [name])
        .map_err(|e| fault(&e))?;
    // SQLite does not sync this copy itself. A file that survives a power cut needs its directory
    // entry on disk too.
    let directory = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    for path in [to, directory] {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|error| unusable(path, &error))?;
    }
    Ok(())
}

/// Reads the copy from end to end. One that fails is kept, because it may be all that is left; the
/// fault tells what is wrong with it, and so with the database it came from.
fn check(copy: &Path) -> Result<(), Fault> {
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
    if complaints.is_empty() {
        return Ok(());
    }
    complaints.truncate(20);
    Err(Fault::Defect(format!(
        "{} is a true copy, but the database is damaged: {}",
        copy.display(),
        complaints.join("; ")
    )))
}

fn unusable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::Unavailable(format!("cannot use {}: {error}", path.display()))
}
