//! Development only: a disk that fails.
//!
//! A process that is started with [`Disk::watch`] runs as always, but each of its writes to one directory is
//! recorded, and syncs can fail. From the record, [`Files`] tells what a power cut at any
//! moment may have left on the disk: everything that was synced, and of the rest any part, in any order.
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
        Ok(Disk {
            directory: directory.canonicalize()?,
            own: tempfile::tempdir_in(directory.parent().unwrap_or(directory))?,
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
