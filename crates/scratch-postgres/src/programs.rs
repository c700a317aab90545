//! Where the PostgreSQL programs are, and which user may run them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// Where Debian's packages put each major version, outside `PATH`.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";

/// The user that Debian's packages create, for a server that refuses to run as root.
pub(crate) const SYSTEM_USER: &str = "postgres";

/// Finds the directory that holds both `initdb` and `postgres`.
///
/// `PATH` comes first so that a developer can choose a version, then the newest Debian package,
/// then whatever `pg_config` knows.
pub(crate) fn find() -> Result<PathBuf, Error> {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths)
        .find_map(|dir| complete(&dir))
        .or_else(|| newest_in(Path::new(DEBIAN_VERSIONS)))
        .or_else(from_pg_config)
        .ok_or_else(|| {
            Error::new(format!(
                "no PostgreSQL server found: looked for `initdb` and `postgres` in PATH, \
                 {DEBIAN_VERSIONS}/*/bin and `pg_config --bindir`; \
                 install it with `apt-get install postgresql`"
            ))
        })
}

/// Follows links first: `PATH` often holds links into a directory where the rest lives.
fn complete(dir: &Path) -> Option<PathBuf> {
    let server = dir.join("postgres").canonicalize().ok()?;
    let real = server.parent()?;
    real.join("initdb").is_file().then(|| real.to_path_buf())
}

fn newest_in(versions: &Path) -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(versions)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, complete(&entry.path().join("bin"))?))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

fn from_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    complete(Path::new(text.trim()))
}

/// The numbers of the user and group that the server runs as when we are root.
pub(crate) fn system_user() -> Result<(u32, u32), Error> {
    let users = fs::read_to_string("/etc/passwd")
        .map_err(|error| Error::new(format!("cannot read /etc/passwd: {error}")))?;
    ids_of(SYSTEM_USER, &users).ok_or_else(|| {
        Error::new(format!(
            "PostgreSQL refuses to run as root and there is no `{SYSTEM_USER}` user to run it as; \
             create it with `apt-get install postgresql`, or run the tests as another user"
        ))
    })
}

fn ids_of(user: &str, users: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != user {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{ids_of, newest_in};

    #[test]
    fn the_newest_version_is_by_number_and_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        for (version, programs) in [
            ("9", ["initdb", "postgres"].as_slice()),
            ("15", &["initdb", "postgres"]),
            ("17", &["initdb"]),
        ] {
            let bin = dir.path().join(version).join("bin");
            fs::create_dir_all(&bin).expect("a bin directory");
            for program in programs {
                fs::write(bin.join(program), "").expect("a program");
            }
        }
        let found = newest_in(dir.path()).expect("a version");
        assert!(found.ends_with("15/bin"), "{found:?}");
        assert_eq!(newest_in(&dir.path().join("nowhere")), None);
    }

    #[test]
    fn a_user_is_read_by_its_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgres2:x:7:7::/:\npostgres:x:101:104::/:\n";
        assert_eq!(ids_of("postgres", users), Some((101, 104)));
        assert_eq!(ids_of("post", users), None);
    }
}
