//! SQLite's write-ahead log: it stays short, and a read that needs it whole stops nobody.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use billstack_store::store::Store;
use billstack_store::stripe_events::{Content, Incoming};

use crate::support::{Db, Engine, deliver, incoming, make_team, start, write};

const MIB: u64 = 1 << 20;

/// From here on the writer begins the log anew by itself, if nothing reads an old state.
const LARGEST: u64 = 128 * MIB;

/// What one pass of the checkpointer may let it grow by on top, and then some.
const MARGIN: u64 = 48 * MIB;

/// Writes so many MiB, a quarter in each commit, and tells how long the slowest took.
fn fill(store: &Store, name: &str, mib: usize) -> Duration {
    let write_one = |number| {
        let event = Incoming {
            payload: "x".repeat(1 << 18),
            content: Content::Failed("not read".to_owned()),
            ..incoming(&format!("evt_{name}_{number}"), start(None))
        };
        let began = Instant::now();
        write(store, move |tx, act| deliver(tx, act, "team_0", &event));
        began.elapsed()
    };
    (0..mib * 4).map(write_one).max().unwrap()
}

fn length(db: &Db) -> u64 {
    let file = db.target.sqlite_file().unwrap();
    std::fs::metadata(file.with_extension("db-wal"))
        .unwrap()
        .len()
}

fn database() -> Db {
    let db = Db::new(Engine::Sqlite);
    write(&db.store, |tx, _| Ok(make_team(tx, "team_0")?));
    db
}

#[test]
fn it_is_begun_anew() {
    let db = database();
    fill(&db.store, "a", 2 * 128);
    assert!(length(&db) < LARGEST + MARGIN, "{}", length(&db));
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
        // More than the log may hold before the writer itself tries to empty it.
        let slowest = fill(store, "a", 128 + 32);
        release.send(()).unwrap();
        // Waiting for readers takes five seconds, each time.
        assert!(slowest < Duration::from_secs(4), "{slowest:?}");
    });
    let long = length(&db);
    assert!(long > LARGEST, "{long}");
    fill(&db.store, "b", 128);
    assert!(length(&db) < long + MARGIN, "{long} {}", length(&db));
}
