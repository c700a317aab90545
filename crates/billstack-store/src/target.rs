//! Which database is meant: what an address names.

use std::path::{Path, PathBuf};

use crate::engines::postgres::{PostgresTx, Settings};
use crate::seam::Fault;

/// How every [`Settings::place`] begins.
const SERVER: &str = "PostgreSQL at ";

/// What the system and SQLite say of a file that may not be used.
const DENIED: [&str; 4] = [
    "unable to open database file",
    "readonly database",
    "ermission denied",
    "may not be written by this user",
];

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

    /// Whether the database can be reached, whatever its schema is.
    pub fn reach(&self) -> Result<(), Fault> {
        match &self.0 {
            Kind::Sqlite(_) => self.directory_must_exist(),
            Kind::Postgres(settings) => PostgresTx::open(settings).map(drop),
        }
    }

    /// A fault that says which database it is about.
    pub(crate) fn named(&self, fault: Fault) -> Fault {
        match (fault, &self.0) {
            (Fault::Unavailable(why), Kind::Sqlite(path)) => Fault::Unavailable(of_file(path, why)),
            (Fault::Unavailable(why), Kind::Postgres(settings)) if !why.contains(SERVER) => {
                Fault::Unavailable(format!("{why} ({})", settings.place()))
            }
            (Fault::Defect(why), _) => Fault::Defect(format!("{why} ({})", self.place())),
            (other, _) => other,
        }
    }

    /// The kind of the database.
    pub fn engine(&self) -> &'static str {
        match &self.0 {
            Kind::Sqlite(_) => "sqlite",
            Kind::Postgres(_) => "postgresql",
        }
    }

    /// The database in words, without any password.
    pub fn place(&self) -> String {
        match &self.0 {
            Kind::Sqlite(path) => format!("SQLite at {}", path.display()),
            Kind::Postgres(settings) => settings.place(),
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

/// What is said of a file: its name, and whose it is where it may not be used.
fn of_file(path: &Path, why: String) -> String {
    let name = path.display().to_string();
    let mut text = match why.contains(&name) {
        true => why,
        false => format!("{name}: {why}"),
    };
    if DENIED.iter().any(|denied| text.contains(denied)) {
        text.push_str(&owners(path));
    }
    text
}

#[cfg(unix)]
fn owners(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;

    let of = |what: &str, path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        let (owner, mode) = (found.uid(), found.mode() & 0o7777);
        Some(format!(
            "; {what} belongs to user {owner} with mode {mode:o}"
        ))
    };
    let directory = path
        .parent()
        .and_then(|directory| of("its directory", directory));
    let [file, directory] = [of("the file", path), directory].map(Option::unwrap_or_default);
    let user = rustix::process::geteuid().as_raw();
    format!("{file}{directory}; this process runs as user {user}")
}

#[cfg(not(unix))]
fn owners(_: &Path) -> String {
    String::new()
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
