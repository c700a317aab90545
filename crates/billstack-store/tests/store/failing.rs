//! Whether a store knows that writes fail while the database answers.

use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault};
use postgres::{Client, NoTls};

use crate::support::{Db, Engine, make_team, origin, wait_for};

fn prove(store: &Store) -> Result<(), Abort> {
    wait_for(store.prove_writes(origin()))
}

fn make(store: &Store, team: &'static str) -> Result<(), Abort> {
    store.write_blocking(origin(), move |tx, _| Ok(make_team(tx, team)?))
}

#[track_caller]
fn assert_unavailable(done: &Result<(), Abort>) {
    let unavailable = matches!(done, Err(Abort::Fault(Fault::Unavailable(_))));
    assert!(unavailable, "{done:?}");
}

/// As a server is that was a primary: every new session is read only, and the old ones are gone.
fn let_read_only(db: &Db, flag: &str) {
    let mut client = Client::connect(&db.url, NoTls).unwrap();
    let name = db.url.rsplit('/').next().unwrap();
    let change = format!(
        "BEGIN READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = {flag}; COMMIT"
    );
    client.batch_execute(&change).unwrap();
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.batch_execute(end).unwrap();
}

#[test]
fn a_postgresql_that_takes_no_writes_is_failing_until_it_does() {
    let db = Db::new(Engine::Postgres);
    assert_eq!(make(&db.store, "team_1"), Ok(()));
    assert!(!db.store.is_failing());
    let_read_only(&db, "on");
    assert_unavailable(&make(&db.store, "team_2"));
    assert!(db.store.is_failing());
    assert_unavailable(&prove(&db.store));
    assert!(db.store.is_failing());
    let_read_only(&db, "off");
    assert_eq!(prove(&db.store), Ok(()));
    assert!(!db.store.is_failing());
    assert_eq!(make(&db.store, "team_2"), Ok(()));
    db.assert_sound();
}

#[test]
fn a_user_who_may_only_read_is_failing() {
    let db = Db::new(Engine::Postgres);
    let mut owner = Client::connect(&db.url, NoTls).unwrap();
    let rights = "CREATE ROLE only_reads LOGIN; \
                  GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_reads";
    owner.batch_execute(rights).unwrap();
    let url = db.url.replace("postgres@", "only_reads@");
    let store = Store::open(&Target::from_url(&url).unwrap(), &Options::default()).unwrap();
    assert_unavailable(&make(&store, "team_1"));
    assert!(store.is_failing());
    assert_unavailable(&prove(&store));
    let rights = "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO only_reads";
    owner.batch_execute(rights).unwrap();
    assert_eq!(prove(&store), Ok(()));
    assert!(!store.is_failing());
}

#[test]
fn only_the_probe_proves_that_sqlite_takes_writes_again() {
    let db = Db::new(Engine::Sqlite);
    let other = rusqlite::Connection::open(db.target.sqlite_file().unwrap()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_unavailable(&make(&db.store, "team_1"));
    assert!(db.store.is_failing());
    assert_unavailable(&prove(&db.store));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(make(&db.store, "team_1"), Ok(()));
    assert!(db.store.is_failing());
    assert_eq!(prove(&db.store), Ok(()));
    assert!(!db.store.is_failing());
    db.assert_sound();
}

/// A row or two would fit into what a full disk has left.
#[test]
fn the_probe_needs_as_much_of_the_disk_as_many_writes() {
    let db = Db::new(Engine::Sqlite);
    let log = db.target.sqlite_file().unwrap().with_extension("db-wal");
    let size = || std::fs::metadata(&log).map_or(0, |file| file.len());
    for _ in 0..2 {
        let before = size();
        assert_eq!(prove(&db.store), Ok(()));
        let grown = size() - before;
        assert!(grown >= 64 * 1024, "{grown}");
    }
    let left = "SELECT COUNT(*) FROM locks";
    let left = db
        .store
        .scan_blocking(move |tx| Ok(tx.one(left, &[], |row| row.int(0))?));
    assert_eq!(left, Ok(Some(0)));
}
