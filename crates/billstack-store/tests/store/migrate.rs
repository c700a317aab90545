//! Migrations: run once, whoever runs them, and never backwards.

use std::time::Duration;

use billstack_store::backup::backup;
use billstack_store::migrate::{migrate, newest_version};
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use postgres::NoTls;

use crate::support::{
    ENGINES, Engine, START, directory, make_team, origin, postgres_database, refusal,
};

/// A database without any table, and whatever keeps it alive.
fn empty(engine: Engine) -> (String, Option<tempfile::TempDir>) {
    match engine {
        Engine::Sqlite => {
            let directory = directory();
            let url = format!("sqlite://{}", directory.path().join("new.db").display());
            (url, Some(directory))
        }
        Engine::Postgres => (postgres_database(None), None),
    }
}

fn every_version() -> Vec<i64> {
    (1..=newest_version()).collect()
}

/// Why neither a migration nor a server can use a database.
#[track_caller]
fn refusals(target: &Target) -> [String; 2] {
    let opened = Store::open(target, &Options::default());
    [refusal(migrate(target, START)), refusal(opened)]
}

#[test]
fn twice_is_once() {
    for engine in ENGINES {
        let (url, _kept) = empty(engine);
        let target = Target::from_url(&url).unwrap();
        assert_eq!(migrate(&target, START), Ok(every_version()), "{engine:?}");
        assert_eq!(migrate(&target, START), Ok(Vec::new()), "{engine:?}");
    }
}

#[test]
fn many_at_once_is_once() {
    for engine in ENGINES {
        for _ in 0..8 {
            let (url, _kept) = empty(engine);
            let target = Target::from_url(&url).unwrap();
            let barrier = std::sync::Barrier::new(4);
            let run = || {
                barrier.wait();
                migrate(&target, START)
            };
            let applied: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
                threads.into_iter().map(|t| t.join().unwrap()).collect()
            });
            let mut applied: Vec<_> = applied.into_iter().map(Result::unwrap).collect();
            applied.sort();
            assert_eq!(applied.pop(), Some(every_version()), "{engine:?}");
            assert!(applied.iter().all(Vec::is_empty), "{engine:?}");
        }
    }
}

/// The limits of the session are for requests; here they are shorter, so that the test is.
#[test]
fn who_waits_for_a_migration_waits_as_long_as_it_takes() {
    let url = postgres_database(None);
    let mut other = postgres::Client::connect(&url, NoTls).unwrap();
    let migrating = "BEGIN; SELECT pg_advisory_xact_lock(7091318301320831851)";
    other.batch_execute(migrating).unwrap();
    let limits = "options=-c%20lock_timeout%3D100%20-c%20statement_timeout%3D200";
    let target = Target::from_url(&format!("{url}?{limits}")).unwrap();
    let applied = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| migrate(&target, START));
        let asks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while other.query(asks, &[]).unwrap().is_empty() && !waiting.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(600));
        other.batch_execute("COMMIT").unwrap();
        waiting.join().unwrap()
    });
    assert_eq!(applied, Ok(every_version()));
}

#[test]
fn a_database_that_was_never_migrated_is_refused() {
    for engine in ENGINES {
        let (url, _kept) = empty(engine);
        let target = Target::from_url(&url).unwrap();
        let why = refusal(Store::open(&target, &Options::default()));
        assert!(why.contains("billstack migrate"), "{why}");
    }
}

fn by_hand(engine: Engine, url: &str, sql: &str) {
    match engine {
        Engine::Sqlite => {
            let target = Target::from_url(url).unwrap();
            let file = rusqlite::Connection::open(target.sqlite_file().unwrap()).unwrap();
            file.execute_batch(sql).unwrap();
        }
        Engine::Postgres => {
            let mut client = postgres::Client::connect(url, NoTls).unwrap();
            client.batch_execute(sql).unwrap();
        }
    }
}

#[test]
fn a_schema_that_is_not_what_its_version_says_is_refused() {
    let changes = [
        "UPDATE schema_migrations SET fingerprint = fingerprint + 1",
        // As builds wrote the list before it kept fingerprints.
        "ALTER TABLE schema_migrations DROP COLUMN fingerprint",
    ];
    for engine in ENGINES {
        for change in changes {
            let (url, _kept) = empty(engine);
            let target = Target::from_url(&url).unwrap();
            migrate(&target, START).unwrap();
            by_hand(engine, &url, change);
            for why in refusals(&target) {
                assert!(why.contains("version 1 of another build"), "{why}");
            }
        }
    }
}

#[test]
fn a_newer_schema_is_refused() {
    for engine in ENGINES {
        let (url, _kept) = empty(engine);
        let target = Target::from_url(&url).unwrap();
        migrate(&target, START).unwrap();
        let newer = "INSERT INTO schema_migrations (version, name, applied_at, fingerprint) \
                     VALUES (1000, 'from the future', 0, 0)";
        by_hand(engine, &url, newer);
        for why in refusals(&target) {
            assert!(why.contains("1000"), "{why}");
        }
    }
}

/// A database of the migrated schema, and its address for a user who has no more than these rights in it.
fn database_of_a_user(name: &str, rights: &str) -> (String, String) {
    let url = postgres_database(Some("migrated"));
    let mut owner = postgres::Client::connect(&url, NoTls).unwrap();
    owner
        .batch_execute(&format!(
            "CREATE ROLE {name} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; {rights}"
        ))
        .unwrap();
    let of_user = url.replace("postgres@", &format!("{name}@"));
    (url, of_user)
}

#[test]
fn a_user_who_may_only_use_the_schema_finds_nothing_to_do() {
    let rights = "GRANT USAGE ON SCHEMA public TO only_uses; \
                  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO only_uses";
    let (owner, url) = database_of_a_user("only_uses", rights);
    let target = Target::from_url(&url).unwrap();
    assert_eq!(migrate(&target, START), Ok(Vec::new()));
    let store = Store::open(&target, &Options::default()).unwrap();
    let done = store.write_blocking(origin(), |tx, _| Ok(make_team(tx, "team_1")?));
    assert_eq!(done, Ok(()));
    drop(store);
    // With something to do, it says who may not do it.
    let mut owner = postgres::Client::connect(&owner, NoTls).unwrap();
    owner
        .batch_execute("DELETE FROM schema_migrations")
        .unwrap();
    let why = refusal(migrate(&target, START));
    let wanted = "cannot bring the schema from version 0 to 1: 42501: permission denied";
    assert!(why.starts_with(wanted), "{why}");
}

#[test]
fn a_user_without_any_right_is_not_told_to_migrate() {
    for (name, rights, wanted) in [
        (
            "sees_the_schema",
            "",
            "42501: permission denied for table schema_migrations",
        ),
        (
            "sees_nothing",
            "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
            "the database user may use no schema on its search path; grant it USAGE on the one with \
             the tables",
        ),
    ] {
        let (_, url) = database_of_a_user(name, rights);
        let target = Target::from_url(&url).unwrap();
        for why in refusals(&target) {
            assert_names_it(&why, wanted, name);
        }
    }
}

/// The sentence, and which database it is about.
fn assert_names_it(why: &str, wanted: &str, user: &str) {
    assert!(why.starts_with(wanted), "{why}");
    assert!(why.contains("(PostgreSQL at 127.0.0.1:"), "{why}");
    assert!(why.ends_with(&format!(", user {user})")), "{why}");
}

#[test]
fn a_schema_of_another_program_is_refused_and_left_alone() {
    // The second keeps a list of its migrations under the name of ours, and has a name of our own.
    for tables in [
        "CREATE TABLE users (id INT)",
        "CREATE TABLE schema_migrations (version TEXT PRIMARY KEY); \
         INSERT INTO schema_migrations VALUES ('20240101000000')",
        "CREATE TABLE parted (id INT) PARTITION BY RANGE (id)",
    ] {
        let url = postgres_database(None);
        let mut other = postgres::Client::connect(&url, NoTls).unwrap();
        other.batch_execute(tables).unwrap();
        let count = "SELECT COUNT(*) FROM pg_class";
        let mut objects = || other.query_one(count, &[]).unwrap().get::<_, i64>(0);
        let before = objects();
        let target = Target::from_url(&url).unwrap();
        for why in refusals(&target) {
            let wanted = "the schema public holds tables of another program; BillStack needs a \
                          database, or a schema, of its own";
            assert_names_it(&why, wanted, "postgres");
        }
        assert_eq!(objects(), before);
        // A schema of our own beside the other program's is as good as a database.
        other.batch_execute("CREATE SCHEMA ours").unwrap();
        let beside = format!("{url}?options=-c%20search_path%3Dours,public");
        let beside = Target::from_url(&beside).unwrap();
        assert_eq!(migrate(&beside, START), Ok(every_version()), "{tables}");
        drop(Store::open(&beside, &Options::default()).unwrap());
    }
}

/// Those of PostGIS lie beside ours without any harm.
#[test]
fn tables_of_an_extension_are_nobody_elses_program() {
    let url = postgres_database(None);
    let mut owner = postgres::Client::connect(&url, NoTls).unwrap();
    let belongs = "CREATE TABLE spatial (id INT); \
                   ALTER EXTENSION plpgsql ADD TABLE spatial";
    owner.batch_execute(belongs).unwrap();
    let target = Target::from_url(&url).unwrap();
    assert_eq!(migrate(&target, START), Ok(every_version()));
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    // The second keeps a list of its migrations under the name of ours.
    for tables in [
        "CREATE TABLE notes (text TEXT)",
        "CREATE TABLE schema_migrations (version TEXT PRIMARY KEY); \
         INSERT INTO schema_migrations VALUES ('20240101000000')",
    ] {
        let directory = directory();
        let file = directory.path().join("other.db");
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.execute_batch(tables).unwrap();
        drop(connection);
        let before = std::fs::read(&file).unwrap();
        let target = Target::from_url(&format!("sqlite://{}", file.display())).unwrap();
        let copied = backup(&target, &directory.path().join("copy.db"), |_| ());
        for why in [&refusals(&target)[..], &[refusal(copied)]].concat() {
            assert!(
                why.contains("other.db holds tables of another program"),
                "{why}"
            );
        }
        assert_eq!(std::fs::read(&file).unwrap(), before);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
