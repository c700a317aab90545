//! Look-ups on the threads of a server, which share what they see of an SQLite database.

use std::sync::atomic::{AtomicI64, Ordering};

use billstack_core::access::Scopes;
use billstack_core::ids::TeamId;
use billstack_store::api_keys::{self, NewApiKey};
use billstack_store::params;
use billstack_store::store::{Store, rest};
use billstack_store::{Abort, Fault, Tx};
use futures_util::FutureExt;

use crate::support::{Db, Engine, START, make_team, write};

const TEAM: &str = "team_keys";

/// A table with the number 0 in it, of which nothing but this test knows.
fn database() -> (Db, rusqlite::Connection) {
    let db = Db::new(Engine::Sqlite);
    let elsewhere = rusqlite::Connection::open(db.target.sqlite_file().unwrap()).unwrap();
    elsewhere
        .execute_batch(
            "CREATE TABLE numbers (number INTEGER NOT NULL); INSERT INTO numbers VALUES (0)",
        )
        .unwrap();
    (db, elsewhere)
}

fn number(tx: &mut dyn Tx) -> Result<i64, Abort> {
    let number = tx.one("SELECT number FROM numbers", params![], |row| row.int(0))?;
    Ok(number.unwrap_or(-1))
}

fn add_one(store: &Store) -> i64 {
    write(store, |tx, _| {
        tx.must("UPDATE numbers SET number = number + 1", params![])?;
        number(tx)
    })
}

fn look_up(store: &Store) -> i64 {
    let found = store.point(number).now_or_never();
    found.expect("it waits for nothing").unwrap()
}

/// Adds one as another process does, of which the store does not know.
fn add_one_elsewhere(elsewhere: &rusqlite::Connection) {
    let changed = elsewhere.execute("UPDATE numbers SET number = number + 1", []);
    assert_eq!(changed, Ok(1));
}

/// A database where the number is 1, and a transaction that look-ups of this thread share and that sees 0.
fn shared() -> (Db, rusqlite::Connection) {
    let (db, elsewhere) = database();
    rest();
    assert_eq!(look_up(&db.store), 0);
    add_one_elsewhere(&elsewhere);
    (db, elsewhere)
}

#[test]
fn a_thread_that_does_not_rest_shares_nothing() {
    let (db, elsewhere) = database();
    let store = &db.store;
    // A thread of its own: that of the test may have run another test before.
    std::thread::scope(|scope| {
        scope.spawn(move || {
            assert_eq!(look_up(store), 0);
            add_one_elsewhere(&elsewhere);
            assert_eq!(look_up(store), 1);
        });
    });
}

#[test]
fn what_look_ups_share_ends_with_the_next_rest() {
    let (db, _elsewhere) = shared();
    assert_eq!(look_up(&db.store), 0, "it was not shared");
    rest();
    assert_eq!(look_up(&db.store), 1);
}

#[test]
fn what_look_ups_share_ends_with_the_next_commit() {
    let (db, _elsewhere) = shared();
    // On another thread, so that nothing of this one ends by it.
    let added = std::thread::scope(|scope| scope.spawn(|| add_one(&db.store)).join().unwrap());
    assert_eq!(added, 2);
    assert_eq!(look_up(&db.store), 2);
}

#[test]
fn what_look_ups_share_ends_after_some_of_them() {
    let (db, _elsewhere) = shared();
    let stale = (0..1000).take_while(|_| look_up(&db.store) == 0).count();
    assert_eq!(stale, 63);
}

#[test]
fn what_look_ups_share_does_not_outlive_a_fault() {
    let (db, _elsewhere) = shared();
    let failed = db.store.point(|tx| {
        tx.exists("SELECT no such thing", params![])?;
        Ok(())
    });
    let failed = failed.now_or_never().unwrap();
    assert!(
        matches!(failed, Err(Abort::Fault(Fault::Defect(_)))),
        "{failed:?}"
    );
    assert_eq!(look_up(&db.store), 1);
}

/// What one look-up has found out about a key holds for the others only as long as they share what they see.
#[test]
fn a_key_is_as_sound_as_what_look_ups_share_says() {
    let (db, _elsewhere) = database();
    let store = &db.store;
    write(store, |tx, _| Ok(make_team(tx, TEAM)?));
    let ids = ["one", "two"].map(|hash| {
        write(store, move |tx, act| {
            let key = NewApiKey {
                key_hash: hash.to_owned(),
                name: "Backend".to_owned(),
                prefix: "bs_0000".to_owned(),
                project_id: None,
                scopes: Scopes::all(),
                expires_at: (hash == "one").then_some(START.plus(1)),
            };
            Ok(api_keys::create(tx, act, &TeamId::from(TEAM), &key)?.id)
        })
    });
    let is_valid = |hash: &'static str, now| {
        let found = store.point(move |tx| Ok(api_keys::is_valid(tx, hash, now)?));
        found.now_or_never().unwrap().unwrap()
    };
    rest();
    for _ in 0..2 {
        assert!(is_valid("one", START));
        assert!(!is_valid("one", START.plus(1)));
        assert!(is_valid("two", START.plus(1)));
        assert!(!is_valid("three", START));
    }
    let [_, two] = ids;
    write(store, move |tx, act| {
        api_keys::revoke(tx, act, &TeamId::from(TEAM), &two)
    });
    for _ in 0..2 {
        assert!(!is_valid("two", START.plus(1)));
        assert!(is_valid("one", START));
    }
}

#[test]
fn a_thread_at_rest_does_not_keep_the_log() {
    let (db, elsewhere) = shared();
    let busy = |elsewhere: &rusqlite::Connection| {
        let sql = "PRAGMA wal_checkpoint(RESTART)";
        elsewhere
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    elsewhere.busy_timeout(std::time::Duration::ZERO).unwrap();
    assert_eq!(busy(&elsewhere), 1);
    rest();
    assert_eq!(busy(&elsewhere), 0);
    // Nor does one that writes.
    assert_eq!(look_up(&db.store), 1);
    add_one_elsewhere(&elsewhere);
    assert_eq!(busy(&elsewhere), 1);
    assert_eq!(add_one(&db.store), 3);
    assert_eq!(busy(&elsewhere), 0);
}

/// Whoever looks up after an answer sees at least what was answered, whoever got the answer.
#[test]
fn nobody_sees_an_older_state_than_somebody_before_them() {
    let (db, _elsewhere) = database();
    let (seen, wanted) = (&AtomicI64::new(0), 1_000);
    let store = &db.store;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(move || {
                rest();
                loop {
                    let before = seen.load(Ordering::SeqCst);
                    let number = look_up(store);
                    assert!(number >= before, "{number} after {before}");
                    seen.fetch_max(number, Ordering::SeqCst);
                    if number == wanted {
                        return;
                    }
                }
            });
        }
        for number in 1..=wanted {
            assert_eq!(add_one(store), number);
            seen.fetch_max(number, Ordering::SeqCst);
        }
    });
}
