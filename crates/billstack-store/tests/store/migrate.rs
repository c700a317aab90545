//! Migrations: run once, whoever runs them, and never backwards.

use billstack_store::migrate::{migrate, newest_version};
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::tx::Fault;
use postgres::NoTls;

use crate::support::{ENGINES, Engine, START, directory, postgres_database};

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

#[test]
fn a_database_that_was_never_migrated_is_refused() {
    for engine in ENGINES {
        let (url, _kept) = empty(engine);
        let opened = Store::open(&Target::from_url(&url).unwrap(), &Options::default());
        let Err(Fault::Unavailable(why)) = opened.map(|_| ()) else {
            panic!("{engine:?}: opened");
        };
        assert!(why.contains("billstack migrate"), "{why}");
    }
}

#[test]
fn a_newer_schema_is_refused() {
    for engine in ENGINES {
        let (url, _kept) = empty(engine);
        let target = Target::from_url(&url).unwrap();
        migrate(&target, START).unwrap();
        let newer = "INSERT INTO schema_migrations (version, name, applied_at) \
                     VALUES (1000, 'from the future', 0)";
        match engine {
            Engine::Sqlite => rusqlite::Connection::open(target.sqlite_file().unwrap())
                .unwrap()
                .execute_batch(newer)
                .unwrap(),
            Engine::Postgres => postgres::Client::connect(&url, NoTls)
                .unwrap()
                .batch_execute(newer)
                .unwrap(),
        }
        for refused in [
            migrate(&target, START).map(|_| ()),
            Store::open(&target, &Options::default()).map(|_| ()),
        ] {
            let Err(Fault::Unavailable(why)) = refused else {
                panic!("{engine:?}: {refused:?}");
            };
            assert!(why.contains("1000"), "{why}");
        }
    }
}
