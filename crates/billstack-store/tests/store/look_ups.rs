//! Look-ups on the calling thread: each sees every commit there was, and leaves nothing behind.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use billstack_core::access::{Scope, Scopes};
use billstack_core::ids::TeamId;
use billstack_store::api_keys::{self, NewApiKey};
use billstack_store::callers::{Credential, Denial, Guard, Right};
use billstack_store::params;
use billstack_store::store::Store;
use billstack_store::{Abort, Fault, Place, Tx};
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

#[test]
fn a_look_up_sees_what_another_process_has_committed() {
    let (db, elsewhere) = database();
    assert_eq!(look_up(&db.store), 0);
    add_one_elsewhere(&elsewhere);
    assert_eq!(look_up(&db.store), 1);
}

#[test]
fn a_look_up_outlives_neither_a_fault_nor_a_panic_of_the_one_before() {
    let (db, elsewhere) = database();
    let failed = db.store.point(|tx| {
        tx.exists("SELECT no such thing", params![])?;
        Ok(())
    });
    let failed = failed.now_or_never().unwrap();
    assert!(
        matches!(failed, Err(Abort::Fault(Fault::Defect(_)))),
        "{failed:?}"
    );
    add_one_elsewhere(&elsewhere);
    assert_eq!(look_up(&db.store), 1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let read = |tx: &mut dyn Tx| -> Result<(), Abort> { panic!("{:?}", number(tx)) };
        db.store.point(read).now_or_never()
    }));
    assert!(panicked.is_err());
    add_one_elsewhere(&elsewhere);
    assert_eq!(look_up(&db.store), 2);
}

#[test]
fn a_key_that_is_revoked_is_not_valid_at_the_next_look() {
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
        let guard = Guard {
            right: Right::Project(Scope::CustomersRead),
            credential: Credential::ApiKey(hash.to_owned()),
            place: Arc::new(Place::new(TEAM, "proj_none")),
        };
        let found = store.point(move |tx| Ok(guard.admit(tx, now)?));
        // That a key has ended comes before everything else.
        found.now_or_never().unwrap().unwrap() == Err(Denial::NoSuchProject)
    };
    assert!(is_valid("one", START));
    assert!(!is_valid("one", START.plus(1)));
    assert!(is_valid("two", START.plus(1)));
    assert!(!is_valid("three", START));
    let [_, two] = ids;
    write(store, move |tx, act| {
        api_keys::revoke(tx, act, &TeamId::from(TEAM), &two)
    });
    assert!(!is_valid("two", START.plus(1)));
    assert!(is_valid("one", START));
}

#[test]
fn a_look_up_that_has_ended_does_not_keep_the_log() {
    let (db, elsewhere) = database();
    assert_eq!(look_up(&db.store), 0);
    add_one_elsewhere(&elsewhere);
    elsewhere.busy_timeout(std::time::Duration::ZERO).unwrap();
    let restarted = elsewhere.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0));
    assert_eq!(restarted, Ok(0), "somebody still reads");
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
