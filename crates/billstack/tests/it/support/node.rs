//! Libraries of Node that a test needs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A directory with what `package-lock.json` of another names, but for what is optional, fetched once and kept under the
/// target directory.
pub(crate) fn modules(name: &str, directory: &Path) -> PathBuf {
    modules_with(name, directory, &["--omit=optional"])
}

/// The same with options of npm.
pub(crate) fn modules_with(name: &str, directory: &Path, options: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&place).expect("a directory");
    let lock = directory.join("package-lock.json");
    let installed = place.join("installed");
    let wanted = std::fs::read_to_string(&lock).expect("what is wanted");
    if std::fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return place;
    }
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(directory.join(name), place.join(name)).expect("a copy");
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    npm.args(options);
    let output = npm.current_dir(&place).output();
    let output = output.unwrap_or_else(|error| panic!("{error}. This test needs npm."));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "npm ci: {said}\nOn its first run this test needs access to the npm registry."
    );
    std::fs::write(&installed, wanted).expect("a note of what is installed");
    place
}
