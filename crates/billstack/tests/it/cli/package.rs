//! The Debian package, on a Debian that it has for itself and that systemd has booted.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Ran, finish};

const ADVICE: &str = "This test needs the Debian packages mmdebstrap, lintian, iproute2 and procps, root, and on its \
    first run access to a mirror of Debian.";

/// What a small Debian has besides the essential packages, so that systemd can boot it and the package be installed.
const INCLUDED: &str = "adduser,ca-certificates,dbus,systemd,systemd-sysv";

fn script(name: &str) -> Command {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/deb");
    Command::new(scripts.join(name))
}

/// Builds the package of the program under test as this version.
fn package(directory: &TempDir, version: &str) -> PathBuf {
    let mut build = script("build");
    build.arg(env!("CARGO_BIN_EXE_billstack"));
    build.arg(directory.path()).arg(version);
    // Nobody downloads it, so it need not be small.
    build.env("DPKG_DEB_OPTIONS", "-Zgzip -z1");
    finish(build, "").ok();
    let made = directory.path().read_dir().expect("a listing");
    let mut made = made.map(|entry| entry.expect("an entry").path());
    let name = format!("billstack_{version}_");
    let is_it = |path: &PathBuf| path.to_string_lossy().contains(&name);
    made.find(is_it).expect("a package")
}

/// A small Debian of the release of this machine, made once and kept under the target directory.
fn debian() -> PathBuf {
    let release = std::fs::read_to_string("/etc/os-release").expect("a release");
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename = codename.expect("a release with a name");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let tree = place.join(format!("debian-{codename}.tar"));
    if !tree.exists() {
        let making = tempfile::tempdir_in(place).expect("a directory");
        let new = making.path().join("debian.tar");
        let mut make = Command::new("mmdebstrap");
        make.args(["--variant=essential", "--include", INCLUDED, codename]);
        make.arg(&new);
        run(make);
        std::fs::rename(&new, &tree).expect("a tree in its place");
    }
    tree
}

fn run(command: Command) -> Ran {
    let what = format!("{command:?}");
    let found = Command::new("which").arg(command.get_program()).output();
    let is_there = found.is_ok_and(|found| found.status.success());
    assert!(is_there, "{what} cannot be run. {ADVICE}");
    let ran = finish(command, "");
    assert_eq!(ran.code(), Some(0), "{}{}\n{ADVICE}", ran.out(), ran.err());
    ran
}

#[test]
fn a_package_is_installed_used_upgraded_removed_and_purged() {
    let directory = tempfile::tempdir().expect("a directory");
    let old = package(&directory, "0.1.0");
    let new = package(&directory, "0.1.0+next");
    let mut can = script("try");
    can.arg("--can");
    let can = finish(can, "");
    if can.code() != Some(0) {
        println!(
            "Not installed: this machine allows no namespaces. {}",
            can.err()
        );
        return unpacked(&directory, &old);
    }
    let mut trial = script("try");
    trial.arg(debian()).args([old, new]);
    let ran = run(trial);
    assert!(ran.out().contains("all of it works"), "{}", ran.out());
}

/// What can be seen of a package where it cannot be installed.
fn unpacked(directory: &TempDir, package: &Path) {
    let place = directory.path().join("unpacked");
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("--raw-extract").arg(package).arg(&place);
    run(unpack);
    let mut program = Command::new(place.join("usr/bin/billstack"));
    program.arg("--version");
    assert!(run(program).out().starts_with("billstack "));
    for script in ["postinst", "prerm", "postrm"] {
        let mut reads = Command::new("sh");
        reads.arg("-n").arg(place.join("DEBIAN").join(script));
        run(reads);
    }
    assert!(
        place
            .join("usr/lib/systemd/system/billstack.service")
            .exists()
    );
}

#[test]
fn a_package_is_as_debian_wants_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]);
    lintian.arg(package(&directory, "0.1.0"));
    run(lintian);
}
