//! SQLite's write-ahead log: it is copied in time and stays short, a read that needs it whole stops nobody,
//! and what cannot be copied is not lost.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use billstack_store::intake::{self, Content, Incoming};
use billstack_store::migrate::migrate;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use tempfile::TempDir;

use crate::support::{
    Db, Engine, START, assert_sound, deliver, directory, incoming, make_team, start, write,
};

const MIB: u64 = 1 << 20;

/// From here on the log starts over after the next pass, if nothing reads an old state.
const CAP: u64 = 64 * MIB;

/// What the last commits add.
const MARGIN: u64 = 16 * MIB;

/// Writes so many MiB, a quarter in each commit, and tells how long the slowest took.
fn fill(store: &Store, name: &str, mib: usize) -> Duration {
    let write_one = |number| {
        let id = format!("evt_{name}_{number}");
        let event = Incoming {
            payload: format!("{{\"id\":\"{id}\",\"x\":\"{}\"}}", "x".repeat(1 << 18)),
            content: Content::Failed("not read".to_owned()),
            ..incoming(&id, start(None))
        };
        let began = Instant::now();
        write(store, move |tx, act| deliver(tx, act, "team_0", &event));
        began.elapsed()
    };
    (0..mib * 4).map(write_one).max().unwrap()
}

fn length(db: &Db) -> u64 {
    let file = db.target.sqlite_file().unwrap();
    length_of(&file.with_extension("db-wal"))
}

fn length_of(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}

fn database() -> Db {
    let db = Db::new(Engine::Sqlite);
    write(&db.store, |tx, _| Ok(make_team(tx, "team_0")?));
    db
}

#[test]
fn it_is_copied_long_before_it_is_begun_anew() {
    let db = database();
    fill(&db.store, "a", 32);
    let long_enough = Instant::now() + Duration::from_secs(20);
    while length_of(db.target.sqlite_file().unwrap()) < 12 * MIB {
        assert!(Instant::now() < long_enough, "nothing was copied");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(length(&db) < CAP, "{}", length(&db));
}

#[test]
fn it_is_begun_anew() {
    let db = database();
    fill(&db.store, "a", 4 * 128);
    assert!(length(&db) < 2 * CAP + MARGIN, "{}", length(&db));
}

#[test]
fn a_long_read_does_not_stall_the_writer_and_is_caught_up_with() {
    let db = database();
    let (reading, is_reading) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let store = &db.store;
        scope.spawn(move || {
            store.scan_blocking(move |tx| {
                assert!(tx.exists("SELECT id FROM teams", &[])?);
                reading.send(()).unwrap();
                // Until then the log cannot be emptied: this snapshot still needs it.
                released.recv().unwrap();
                Ok(())
            })
        });
        is_reading.recv().unwrap();
        // More than the log may hold otherwise.
        let slowest = fill(store, "a", 128 + 32);
        release.send(()).unwrap();
        // Waiting for readers takes five seconds, each time.
        assert!(slowest < Duration::from_secs(4), "{slowest:?}");
    });
    let long = length(&db);
    assert!(long > 2 * CAP, "{long}");
    let slowest = fill(&db.store, "b", 4 * 128);
    assert!(slowest < Duration::from_secs(4), "{slowest:?}");
    // The pass that catches up is overrun by no more than the cap, and then the log is begun anew.
    assert!(length(&db) < long + CAP + MARGIN, "{long} {}", length(&db));
}

/// A database with so many MiB in it, whose store has been dropped.
fn closed(directory: &TempDir, mib: usize) -> Target {
    let file = directory.path().join("test.db");
    let target = Target::from_url(&format!("sqlite://{}", file.display())).unwrap();
    migrate(&target, START).unwrap();
    let store = open(&target);
    write(&store, |tx, _| Ok(make_team(tx, "team_0")?));
    fill(&store, "a", mib);
    target
}

fn open(target: &Target) -> Store {
    Store::open(target, &Options::default()).unwrap()
}

#[test]
fn it_is_gone_when_the_store_is() {
    for _ in 0..5 {
        let directory = directory();
        let target = closed(&directory, 8);
        let log = target.sqlite_file().unwrap().with_extension("db-wal");
        assert!(!log.exists());
    }
}

/// Names the database for the other half of the next test.
const CHILD: &str = "BILLSTACK_STORE_LOG_CHILD";

/// What the child writes, in MiB: more than a pass of the checkpointer waits for.
const BY_CHILD: usize = 24;

/// The other half of the next test: does nothing unless that started it.
#[test]
fn child() {
    let Ok(file) = std::env::var(CHILD) else {
        return;
    };
    let options = Options {
        on_fatal: Arc::new(|why| panic!("{why}")),
        ..Options::default()
    };
    let target = Target::from_url(&format!("sqlite://{file}")).unwrap();
    let store = Store::open(&target, &options).unwrap();
    fill(&store, "b", BY_CHILD);
}

/// The child may not write beyond 36 MiB of any file: its commits, which stay below that in the log, succeed,
/// and copying them behind the 40 MiB of the database does not.
#[test]
fn what_cannot_be_copied_stays_in_it() {
    let directory = directory();
    let target = closed(&directory, 40);
    let file = target.sqlite_file().unwrap();
    // In units of 512 bytes. Without the trap the process would be killed at the first write beyond.
    let limited = "trap '' XFSZ; ulimit -f 73728; exec \"$0\" \"$@\"";
    let ended = Command::new("/bin/sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .args(["log::child", "--exact"])
        .env(CHILD, file)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success(), "{ended}");
    let log = length_of(&file.with_extension("db-wal"));
    assert!(log > BY_CHILD as u64 * MIB, "{log}");
    let store = open(&target);
    let kept = store.scan_blocking(|tx| {
        for number in 0..BY_CHILD * 4 {
            intake::get(tx, &"team_0".into(), &format!("evt_b_{number}"))?;
        }
        Ok(())
    });
    kept.unwrap();
    assert_sound(&store);
}

/// Whatever else is run beside a server looks whether the last process has left a log behind. That of a server
/// that runs must stay the file which it writes to.
#[test]
fn that_of_a_server_that_runs_is_left_alone() {
    use std::os::unix::fs::MetadataExt;
    let db = database();
    let log = db.target.sqlite_file().unwrap().with_extension("db-wal");
    let which = || std::fs::metadata(&log).unwrap().ino();
    let before = (which(), length_of(&log));
    assert_ne!(before.1, 0);
    let beside = db.target.sqlite_file().unwrap().with_extension("copy");
    billstack_store::backup::backup(&db.target, &beside, |_| ()).unwrap();
    assert_eq!(migrate(&db.target, START), Ok(Vec::new()));
    assert_eq!((which(), length_of(&log)), before);
    write(&db.store, |tx, _| Ok(make_team(tx, "team_1")?));
    assert_eq!(which(), before.0);
    assert_sound(&Store::open(&db.target, &Options::default()).unwrap());
}
