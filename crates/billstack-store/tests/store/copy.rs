//! Copies from one engine to the other and back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use billstack_store::copy::{Batch, Copied, Stage, Step, copy};
use billstack_store::dump::{Dumped, dump};
use billstack_store::migrate::migrate;
use billstack_store::options::Options;
use billstack_store::params;
use billstack_store::store::{Store, Target};
use billstack_store::upkeep::{self, Kind, Run};
use billstack_store::{Fault, Tx};
use tempfile::TempDir;

use crate::damage::everything;
use crate::figures::add_up;
use crate::support::{
    Db, ENGINES, Engine, START, assert_sound, directory, origin, postgres_database, write,
};

/// What the text format of PostgreSQL's COPY would read as something else.
const AWKWARD: &str = "a\tb\\N\\.\r\n'\"\\\\ grüße 日本 \u{1f980}";

/// Commits after each row, so that it can be interrupted anywhere.
const SINGLY: Batch = Batch { rows: 1 };

/// A database that nobody has open.
struct Closed {
    target: Target,
    rows: Vec<Dumped>,
    _directory: Option<TempDir>,
}

/// One with something in almost every table.
fn filled(engine: Engine) -> Closed {
    let db = Db::new(engine);
    write(&db.store, everything);
    add_up(&db.store, 1_000);
    write(&db.store, |tx, _| {
        tx.execute("UPDATE teams SET name = $1", params![AWKWARD])?;
        Ok(())
    });
    db.assert_sound();
    let (rows, target) = (dumped(&db.store), db.target.clone());
    Closed {
        target,
        rows,
        _directory: db.close(),
    }
}

fn empty(engine: Engine) -> (Target, Option<TempDir>) {
    let (url, directory) = match engine {
        Engine::Sqlite => {
            let directory = directory();
            let url = format!("sqlite://{}", directory.path().join("copy.db").display());
            (url, Some(directory))
        }
        Engine::Postgres => (postgres_database(None), None),
    };
    (Target::from_url(&url).unwrap(), directory)
}

fn other(engine: Engine) -> Engine {
    match engine {
        Engine::Sqlite => Engine::Postgres,
        Engine::Postgres => Engine::Sqlite,
    }
}

fn dumped(store: &Store) -> Vec<Dumped> {
    let rows = store.scan_blocking(|tx: &mut dyn Tx| Ok(dump(tx)?));
    rows.unwrap()
}

fn rows_of(target: &Target) -> Vec<Dumped> {
    let store = Store::open(target, &Options::default()).unwrap();
    assert_sound(&store);
    dumped(&store)
}

fn run(from: &Target, to: &Target) -> Result<Copied, Fault> {
    copy(from, to, START, Batch::default(), &mut |_| ())
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(done: Result<T, Fault>, why: &str) {
    match done {
        Err(Fault::Unavailable(text)) => assert!(text.contains(why), "{text}"),
        other => panic!("{other:?} where it says: {why}"),
    }
}

/// Every row of every table but the list of migrations.
fn count(rows: &[Dumped]) -> u64 {
    let tables = rows.iter().filter(|(name, _)| name != "schema_migrations");
    tables.map(|(_, rows)| rows.len() as u64).sum()
}

#[test]
fn a_copy_has_every_row_there_and_back() {
    for engine in ENGINES {
        let from = filled(engine);
        let (there, _directory) = empty(other(engine));
        let copied = run(&from.target, &there).unwrap();
        assert_eq!((copied.rows, copied.rows_before), (count(&from.rows), 0));
        assert_eq!(rows_of(&there), from.rows, "from {engine:?}");
        assert_eq!(rows_of(&from.target), from.rows, "the source is as it was");
        let (back, _directory) = empty(engine);
        run(&there, &back).unwrap();
        assert_eq!(rows_of(&back), from.rows, "back to {engine:?}");
    }
}

/// What is noted of a database is about its file or its server: a backup of the one is none of the other. A check beside
/// a copy does not spoil it either.
#[test]
fn what_is_noted_of_a_database_stays_with_it() {
    for engine in ENGINES {
        let from = filled(engine);
        let noted = Run {
            began_at: START,
            ended_at: START,
            result: 0,
            version: "0.1.0".to_owned(),
        };
        let store = Store::open(&from.target, &Options::default()).unwrap();
        write(&store, move |tx, _| {
            Ok(upkeep::note(tx, Kind::Verify, &noted)?)
        });
        drop(store);
        let (there, _directory) = empty(other(engine));
        run(&from.target, &there).unwrap();
        assert_eq!(rows_of(&there), from.rows, "from {engine:?}");
    }
}

/// Runs a copy until it has taken so many steps, or to its end.
fn interrupted(from: &Target, to: &Target, steps: usize) -> Option<Copied> {
    let mut left = steps;
    let mut told = |_: Step| {
        assert!(left > 0, "interrupted on purpose");
        left -= 1;
    };
    let run = || copy(from, to, START, SINGLY, &mut told);
    catch_unwind(AssertUnwindSafe(run)).ok().map(Result::unwrap)
}

#[test]
fn an_interrupted_copy_lets_no_server_start_and_goes_on() {
    for engine in ENGINES {
        let from = filled(engine);
        let (to, _directory) = empty(other(engine));
        let mut before_copy = 0;
        copy(
            &from.target,
            &empty(other(engine)).0,
            START,
            SINGLY,
            &mut |step| {
                before_copy += usize::from(step.stage == Stage::Source);
            },
        )
        .ok();
        // Each run adds some rows to those of the runs before, and the last have them all.
        let mut runs = 0;
        let copied = loop {
            runs += 1;
            match interrupted(&from.target, &to, before_copy + 20 + runs * 60) {
                Some(copied) => break copied,
                None => assert_refused(
                    Store::open(&to, &Options::default()).map(drop),
                    "is a copy that is not whole",
                ),
            }
            assert_refused(migrate(&to, START), "is a copy that is not whole");
        };
        assert!(runs > 3, "{runs} runs");
        assert!(copied.rows_before > 0);
        assert_eq!(rows_of(&to), from.rows, "from {engine:?}");
    }
}

#[test]
fn a_copy_of_something_else_is_not_gone_on_with() {
    let (from, other) = (filled(Engine::Sqlite), directory());
    let (to, _directory) = empty(Engine::Postgres);
    assert!(interrupted(&from.target, &to, 90).is_none());
    let url = format!("sqlite://{}", other.path().join("other.db").display());
    let other = Target::from_url(&url).unwrap();
    migrate(&other, START.plus(1)).unwrap();
    assert_refused(run(&other, &to), "a copy of another database");
    run(&from.target, &to).unwrap();
}

#[test]
fn a_source_that_changed_meanwhile_is_noticed() {
    let from = filled(Engine::Sqlite);
    let (to, _directory) = empty(Engine::Postgres);
    let steps = 400;
    assert!(interrupted(&from.target, &to, steps).is_none());
    let store = Store::open(&from.target, &Options::default()).unwrap();
    write(&store, |tx, _| {
        tx.execute("UPDATE teams SET name = 'Later'", params![])?;
        Ok(())
    });
    drop(store);
    assert_refused(run(&from.target, &to), "not what the source is, in teams (");
    assert_refused(
        Store::open(&to, &Options::default()).map(drop),
        "is a copy that is not whole",
    );
}

#[test]
fn a_target_with_anything_in_it_is_refused() {
    for engine in ENGINES {
        let (from, to) = (filled(engine), filled(other(engine)));
        assert_refused(run(&from.target, &to.target), "is not empty: there are");
        assert_eq!(rows_of(&to.target), to.rows);
        // One that has been migrated holds nothing yet.
        let (to, _directory) = empty(other(engine));
        migrate(&to, START).unwrap();
        run(&from.target, &to).unwrap();
        assert_refused(run(&from.target, &to), "is not empty");
    }
}

#[test]
fn a_database_in_use_is_neither_source_nor_target() {
    for engine in ENGINES {
        let from = filled(engine);
        let (to, _directory) = empty(other(engine));
        let exclusive = Options {
            exclusive: true,
            ..Options::default()
        };
        let server = Store::open(&from.target, &exclusive).unwrap();
        assert_refused(run(&from.target, &to), "stop");
        drop(server);
        migrate(&to, START).unwrap();
        let server = Store::open(&to, &exclusive).unwrap();
        assert_refused(run(&from.target, &to), "stop");
        drop(server);
        run(&from.target, &to).unwrap();
    }
}

#[test]
fn nobody_changes_a_source_meanwhile() {
    let from = filled(Engine::Sqlite);
    let (to, _directory) = empty(Engine::Postgres);
    let mut refused = 0;
    let mut told = |step: Step| {
        if step.stage == Stage::Compare && refused == 0 {
            let beside = Store::open(&from.target, &Options::default()).unwrap();
            let renamed = beside.write_blocking(origin(), |tx, _| {
                tx.execute("UPDATE teams SET name = 'Later'", params![])?;
                Ok(())
            });
            refused += usize::from(renamed.is_err());
        }
    };
    copy(&from.target, &to, START, Batch::default(), &mut told).unwrap();
    assert_eq!(refused, 1);
    assert_eq!(rows_of(&to), from.rows);
}

#[test]
fn a_damaged_source_is_not_copied() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, everything);
        write(&db.store, |tx, _| {
            tx.execute("UPDATE entry_lines SET amount = amount + 1", params![])?;
            Ok(())
        });
        let from = db.target.clone();
        let _kept = db.close();
        let (to, _directory) = empty(other(engine));
        assert_refused(run(&from, &to), "rules are broken");
        assert_refused(
            Store::open(&to, &Options::default()).map(drop),
            "is a copy that is not whole",
        );
    }
}

#[test]
fn one_engine_is_not_copied_to_itself() {
    let (a, _one) = empty(Engine::Sqlite);
    let (b, _other) = empty(Engine::Sqlite);
    assert_refused(run(&a, &b), "billstack backup");
}
