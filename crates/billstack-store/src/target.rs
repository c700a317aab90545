//! Which database is meant: what an address names.

use std::path::{Path, PathBuf};

use crate::engines::postgres::Settings;
use crate::seam::Fault;

/// The database an address names.
#[derive(Clone)]
pub struct Target(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<Settings>),
}

impl Target {
    /// Reads `sqlite://FILE` or `postgres://…`.
    pub fn from_url(url: &str) -> Result<Target, Fault> {
        if let Some(path) = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
        {
            if path.is_empty() || path.starts_with(":memory:") {
                return Err(Fault::Unavailable(
                    "the SQLite address names no file".to_owned(),
                ));
            }
            return Ok(Target(Kind::Sqlite(real_path(Path::new(path)))));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Target(Kind::Postgres(Box::new(Settings::from_url(url)?))));
        }
        let wanted = "the database address must begin with sqlite:// or postgres://";
        Err(Fault::Unavailable(wanted.to_owned()))
    }

    /// The file, when the database is SQLite.
    pub fn sqlite_file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }

    /// Refuses a SQLite file in a missing directory. Otherwise the first file made there would fail, and its error
    /// would name that file instead.
    pub(crate) fn directory_must_exist(&self) -> Result<(), Fault> {
        let directory = self.sqlite_file().and_then(Path::parent);
        match directory.filter(|directory| !directory.as_os_str().is_empty()) {
            Some(directory) if !directory.exists() => Err(Fault::Unavailable(format!(
                "there is no directory {} for the database; make it first",
                directory.display()
            ))),
            _ => Ok(()),
        }
    }
}

/// The canonical name of a file: the lock and the key beside it go by that name.
fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    // The file does not exist yet. If its directory does not either, creating the file reports it.
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new(".")).canonicalize();
    match (directory, path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}
