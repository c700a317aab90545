//! The disk of an SQLite database, and the backups.

use std::ffi::OsStr;
use std::path::Path;
use std::time::SystemTime;

use billstack_core::attention::OLDEST_BACKUP;
use billstack_core::time::{Micros, span};
use rustix::fs::{statfs, statvfs};

use super::Finding;
use crate::bytes::size;
use crate::clock::Clock;
use crate::commands::backup_into;

/// Less room than this, and a write-ahead log that grows under load may not find any.
const LITTLE: u64 = 256 << 20;

/// Below this it is time to look.
const ENOUGH: u64 = 1 << 30;

/// What to do where there is no copy in a folder, or none that is new.
pub(super) fn nightly(folder: &Path) -> String {
    let run = backup_into(folder);
    format!("Run `{run}`, and see why it did not run at night")
}

/// File systems that are on another machine, by their numbers in Linux (`statfs(2)`): locks and syncs of SQLite cannot
/// be relied on there (<https://www.sqlite.org/lockingv3.html>).
const REMOTE: [(u64, &str); 5] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0102_1997, "9p"),
];

/// What the database stands on.
pub(super) fn look(file: &Path) -> Vec<Finding> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    vec![room(folder, file), kind(folder)]
}

fn room(folder: &Path, file: &Path) -> Finding {
    let Ok(stat) = statvfs(folder) else {
        return unread(folder);
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let taken = file.metadata().map_or(0, |file| file.len());
    let said = format!(
        "{} are free beside a database of {}",
        size(free),
        size(taken)
    );
    match free {
        _ if free < LITTLE => Finding::wrong("disk", said, "Make room: writes fail on a full disk"),
        _ if free < ENOUGH.max(taken) => Finding::look(
            "disk",
            said,
            "Make room: a backup needs as much as the database, and its log some 100 MiB",
        ),
        _ => Finding::ok("disk", said),
    }
}

fn kind(folder: &Path) -> Finding {
    let Ok(stat) = statfs(folder) else {
        return unread(folder);
    };
    // The kernel gives numbers of 32 bits in a wider type, whose sign is of no meaning.
    let number = u64::from(stat.f_type as u32);
    let remote = REMOTE.iter().find(|(remote, _)| *remote == number);
    match remote {
        Some((_, name)) => Finding::wrong(
            "disk",
            format!("{} is on another machine ({name})", folder.display()),
            "Move the database to a local disk, or use PostgreSQL: SQLite cannot rely on locks and syncs there",
        ),
        None => Finding::ok("disk", "the file system is one of this machine"),
    }
}

fn unread(folder: &Path) -> Finding {
    Finding::wrong(
        "disk",
        format!("{} cannot be looked at", folder.display()),
        "Run this as the user of the server",
    )
}

/// How old the newest backup in a folder is.
pub(super) fn backups(folder: &Path) -> Finding {
    let Some(newest) = newest(folder) else {
        let none = format!("there is none in {}", folder.display());
        return Finding::wrong("backups", none, nightly(folder));
    };
    let age = Micros(Clock::System.now_micros()).since(newest);
    let said = format!("the newest is {} old", span(age));
    match age > OLDEST_BACKUP {
        true => Finding::wrong("backups", said, nightly(folder)),
        false => Finding::ok("backups", said),
    }
}

/// When the newest whole copy was made.
fn newest(folder: &Path) -> Option<Micros> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let whole = files.filter(|file| file.path().extension() == Some(OsStr::new("db")));
    let times = whole.filter_map(|file| {
        let file = file.metadata().ok().filter(|file| file.len() > 0)?;
        let since = file.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH);
        i64::try_from(since.ok()?.as_micros()).ok()
    });
    times.max().map(Micros)
}
