//! A Python with the libraries that a test needs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const ADVICE: &str = "This test needs Python 3.10 or later with its venv and pip modules and, on its \
    first run, access to PyPI. PYTHON names another interpreter than python3.";

/// The interpreter of an environment with what `requirements.txt` of a directory names, made once and kept under the
/// target directory.
pub(crate) fn with(name: &str, directory: &Path) -> PathBuf {
    with_options(name, directory, &[])
}

/// The same with options of pip.
pub(crate) fn with_options(name: &str, directory: &Path, options: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let requirements = directory.join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).expect("the requirements");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let (python, installed) = (place.join("bin/python"), place.join("installed.txt"));
    if std::fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return python;
    }
    let venv = ["-m", "venv", "--clear"];
    run(Command::new(interpreter()).args(venv).arg(&place));
    let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
    run(Command::new(&python)
        .args(pip)
        .arg(&requirements)
        .args(options));
    std::fs::write(&installed, wanted).expect("a note of what is installed");
    python
}

/// The Python of this machine.
pub(crate) fn interpreter() -> PathBuf {
    let named = std::env::var_os("PYTHON");
    named.unwrap_or_else(|| "python3".into()).into()
}

fn run(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{error}. {ADVICE}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}\n{ADVICE}");
}
