//! Development only: a disk that fails.
//!
//! A process that is started with [`Disk::watch`] runs as always, but each of its writes to one directory is
//! recorded, syncs can fail, and for a while the disk can be full or broken. From the record, [`Files`] tells what
//! a power cut at any moment may have left on the disk: everything that was synced, and of the rest any part, in any
//! order.
//!
//! What stands between is a small library in C ([`shim.c`](../src/shim.c)), which the system's compiler makes when
//! it is first needed: it works with any program, and SQLite's own code stays as it is delivered.

mod files;
mod record;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

pub use files::{Files, LOSSES, Loss};
pub use record::{Event, read};

/// Which sync goes wrong, and how.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: FailureKind,
    /// How the names of the files end whose syncs are counted.
    pub suffix: &'static str,
    /// Which of them it is; the first is 1.
    pub number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// An I/O error. What was to be synced is lost at the next power cut, whatever is synced later.
    Error,
    /// The process is killed just before it.
    Kill,
}

/// What is wrong with a disk until it is mended, for the processes that run on it. Where there is a text, it is a part
/// of the names of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Syncs are I/O errors.
    Syncs(&'static str),
    /// Writes are.
    Writes(&'static str),
    /// Files can be overwritten and do not grow.
    Full,
    /// The same, but it is their owner who may not have more.
    OverQuota,
}

/// The disk of one directory.
#[derive(Debug)]
pub struct Disk {
    directory: PathBuf,
    own: TempDir,
    failure: Option<Failure>,
    is_recorded: bool,
}

impl Disk {
    /// Only what is written directly in or below this directory is looked at.
    ///
    /// # Errors
    ///
    /// When the directory is not there.
    pub fn of(directory: &Path) -> io::Result<Disk> {
        let own = tempfile::tempdir_in(directory.parent().unwrap_or(directory))?;
        open_to_all(own.path())?;
        Ok(Disk {
            directory: directory.canonicalize()?,
            own,
            failure: None,
            is_recorded: false,
        })
    }

    /// Records what is written from now on.
    #[must_use]
    pub fn recorded(self) -> Disk {
        Disk {
            is_recorded: true,
            ..self
        }
    }

    /// What the next process meets.
    pub fn fail_next(&mut self, failure: Option<Failure>) {
        self.failure = failure;
    }

    /// From now on this is wrong, also for the processes that run already.
    ///
    /// # Errors
    ///
    /// When it cannot be told to them.
    pub fn break_down(&self, fault: Fault) -> io::Result<()> {
        let text = match fault {
            Fault::Syncs(files) => format!("sync {files}"),
            Fault::Writes(files) => format!("write {files}"),
            Fault::Full => "full *".to_owned(),
            Fault::OverQuota => "quota *".to_owned(),
        };
        // At once, so that nobody reads a part.
        let new = self.own.path().join("new");
        fs::write(&new, text)?;
        fs::rename(new, self.fault())
    }

    /// From now on nothing is wrong.
    ///
    /// # Errors
    ///
    /// When nothing was.
    pub fn mend(&self) -> io::Result<()> {
        fs::remove_file(self.fault())
    }

    /// Lets a process that is about to start run on this disk.
    pub fn watch(&self, command: &mut Command) {
        command.envs(self.environment());
    }

    /// The variables that do so.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let mut all = vec![
            ("LD_PRELOAD".to_owned(), shim().into()),
            (
                "FAULTY_DISK_DIRECTORY".to_owned(),
                self.directory.clone().into(),
            ),
            ("FAULTY_DISK_FAULT".to_owned(), self.fault().into()),
        ];
        if self.is_recorded {
            all.push(("FAULTY_DISK_LOG".to_owned(), self.log().into()));
        }
        if let Some(failure) = &self.failure {
            let how = match failure.kind {
                FailureKind::Error => "eio",
                FailureKind::Kill => "kill",
            };
            let text = format!("{how} {} {}", failure.suffix, failure.number);
            all.push(("FAULTY_DISK_FAIL".to_owned(), text.into()));
        }
        all
    }

    /// What has been written so far.
    ///
    /// # Errors
    ///
    /// When nothing was recorded, or not by us.
    pub fn events(&self) -> io::Result<Vec<Event>> {
        read(&self.log())
    }

    fn fault(&self) -> PathBuf {
        self.own.path().join("fault")
    }

    fn log(&self) -> PathBuf {
        self.own.path().join("log")
    }
}

/// The library, compiled once for this process.
///
/// # Panics
///
/// When there is no C compiler, which building SQLite needs too.
fn shim() -> &'static Path {
    static SHIM: OnceLock<(PathBuf, TempDir)> = OnceLock::new();
    let (library, _directory) = SHIM.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory");
        // Servers under test may run as another user.
        open_to_all(directory.path()).expect("a directory of ours");
        let source = directory.path().join("shim.c");
        let library = directory.path().join("shim.so");
        fs::write(&source, include_str!("shim.c")).expect("the source");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([&library, &source])
            .output()
            .expect("a C compiler");
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{said}");
        (library, directory)
    });
    library
}

fn open_to_all(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether 10,000 bytes can be written to a file and synced.
    fn writes(disk: &Disk, file: &str) -> bool {
        let mut command = Command::new("dd");
        let path = disk.directory.join(file);
        command
            .args(["if=/dev/zero", "bs=1000", "count=10", "conv=notrunc,fsync"])
            .arg(format!("of={}", path.display()));
        disk.watch(&mut command);
        command.output().expect("dd").status.success()
    }

    #[test]
    fn a_fault_lasts_until_it_is_mended() {
        let directory = tempfile::tempdir().expect("a directory");
        let disk = Disk::of(directory.path()).expect("a disk");
        assert!(writes(&disk, "a"));
        for fault in [Fault::Writes("b"), Fault::Syncs("b")] {
            disk.break_down(fault).expect("a fault");
            assert!(writes(&disk, "a"));
            assert!(!writes(&disk, "b"), "{fault:?}");
            disk.mend().expect("an end of it");
            assert!(writes(&disk, "b"));
        }
    }

    #[test]
    fn on_a_full_disk_only_the_blocks_that_are_there_can_be_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let disk = Disk::of(directory.path()).expect("a disk");
        assert!(writes(&disk, "whole"));
        for fault in [Fault::Full, Fault::OverQuota] {
            let part = directory.path().join("part");
            fs::write(&part, "a").expect("a file");
            disk.break_down(fault).expect("a fault");
            assert!(writes(&disk, "whole"));
            assert!(!writes(&disk, "part"), "{fault:?}");
            assert_eq!(fs::metadata(&part).expect("a file").len(), 4096);
            disk.mend().expect("an end of it");
            assert!(writes(&disk, "part"));
        }
    }
}
