//! What the engines owe to any operation, whatever it does.

use std::sync::mpsc;
use std::time::Duration;

use billstack_store::Refusal;
use billstack_store::options::Options;
use billstack_store::params;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx};

use crate::support::{Db, ENGINES, Engine, make_team, origin, write};

fn teams(db: &Db) -> Vec<String> {
    let sql = "SELECT id FROM teams ORDER BY id";
    let read = move |tx: &mut dyn Tx| Ok(tx.all(sql, &[], |row| row.string(0))?);
    db.store.scan_blocking(read).unwrap()
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let refused = db.store.write_blocking(origin(), |tx, _| {
            make_team(tx, "team_1")?;
            Err::<(), _>(Refusal::LastOwner.into())
        });
        assert_eq!(refused, Err(Abort::Refused(Refusal::LastOwner)));
        assert!(teams(&db).is_empty(), "{engine:?}");
    }
}

#[test]
fn a_panic_is_rolled_back_and_the_next_operation_works() {
    for engine in ENGINES {
        let db = Db::new(engine);
        for round in 0..20 {
            let panicked = db.store.write_blocking(origin(), move |tx, _| {
                make_team(tx, &format!("team_lost_{round}"))?;
                if round >= 0 {
                    panic!("on purpose");
                }
                Ok(())
            });
            let wanted = Fault::Panicked("on purpose".to_owned());
            assert_eq!(panicked, Err(Abort::Fault(wanted)), "{engine:?}");
        }
        write(&db.store, |tx, _| Ok(make_team(tx, "team_kept")?));
        assert_eq!(teams(&db), ["team_kept"], "{engine:?}");
    }
}

#[test]
fn an_operation_that_ignores_a_fault_is_not_kept() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let ignored = db.store.write_blocking(origin(), |tx, _| {
            make_team(tx, "team_1")?;
            let _ = tx.execute("SELECT no such thing", &[]);
            Ok(())
        });
        // PostgreSQL has given the transaction up by then: keeping it would lose the write and say
        // that all is well. SQLite could go on, and must not differ.
        let defect = matches!(ignored, Err(Abort::Fault(Fault::Defect(_))));
        assert!(defect, "{engine:?}: {ignored:?}");
        assert!(teams(&db).is_empty(), "{engine:?}");
    }
}

#[test]
fn defects_have_their_own_kind() {
    for engine in ENGINES {
        let db = Db::new(engine);
        type Bad = fn(&mut dyn Tx) -> Result<u64, Fault>;
        let bad: [Bad; 5] = [
            |tx| tx.execute("SELECT no such thing", &[]),
            |tx| tx.execute("DELETE FROM teams WHERE id = $1", &[]),
            |tx| tx.execute("DELETE FROM teams WHERE id = $1", params!["a", "b"]),
            |tx| {
                let sql = "SELECT id FROM teams WHERE created_at >= $1";
                make_team(tx, "team_1")?;
                tx.one(sql, params![0_i64], |row| row.int(0)).map(|_| 0)
            },
            |tx| {
                tx.must("DELETE FROM teams WHERE id = $1", params!["none"])
                    .map(|()| 1)
            },
        ];
        for (number, bad) in bad.into_iter().enumerate() {
            let done = db.store.write_blocking(origin(), move |tx, _| Ok(bad(tx)?));
            let defect = matches!(done, Err(Abort::Fault(Fault::Defect(_))));
            assert!(defect, "{engine:?} {number}: {done:?}");
        }
        assert!(teams(&db).is_empty(), "{engine:?}");
        db.assert_sound();
    }
}

#[test]
fn a_read_cannot_write() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let done = db.store.scan_blocking(|tx| Ok(make_team(tx, "team_1")?));
        assert!(matches!(done, Err(Abort::Fault(_))), "{engine:?}: {done:?}");
        assert!(teams(&db).is_empty(), "{engine:?}");
    }
}

#[test]
fn a_full_queue_refuses_at_once() {
    for engine in ENGINES {
        let options = Options {
            queue_capacity: 2,
            ..Options::default()
        };
        let db = Db::with(engine, &options);
        let (running, is_running) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let store = &db.store;
            scope.spawn(move || {
                store.write_blocking(origin(), move |tx, _| {
                    running.send(()).unwrap();
                    released.recv().unwrap();
                    Ok(make_team(tx, "team_first")?)
                })
            });
            is_running.recv().unwrap();
            for n in 0..2 {
                let name = format!("team_waits_{n}");
                scope.spawn(move || write(store, move |tx, _| Ok(make_team(tx, &name)?)));
            }
            while store.queued_writes() < 2 {
                std::thread::sleep(Duration::from_millis(1));
            }
            let refused = store.write_blocking(origin(), |tx, _| Ok(make_team(tx, "team_late")?));
            assert_eq!(refused, Err(Abort::Fault(Fault::Overloaded)), "{engine:?}");
            release.send(()).unwrap();
        });
        assert_eq!(teams(&db).len(), 3, "{engine:?}");
    }
}

#[test]
fn what_is_queued_is_answered_before_the_store_closes() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let store = std::sync::Arc::new(Store::open(&db.target, &Options::default()).unwrap());
        std::thread::scope(|scope| {
            for n in 0..50 {
                let (store, name) = (store.clone(), format!("team_{n:02}"));
                scope.spawn(move || write(&store, move |tx, _| Ok(make_team(tx, &name)?)));
            }
        });
        drop(store);
        assert_eq!(teams(&db).len(), 50, "{engine:?}");
    }
}

#[test]
fn one_server_per_sqlite_file() {
    let db = Db::new(Engine::Sqlite);
    let exclusive = Options {
        exclusive: true,
        ..Options::default()
    };
    let first = Store::open(&db.target, &exclusive).unwrap();
    let second = Store::open(&db.target, &exclusive).map(|_| ());
    let Err(Fault::Unavailable(why)) = second else {
        panic!("{second:?}");
    };
    assert!(why.contains("another server"), "{why}");
    // Another name of the same file is the same file.
    let file = db.target.sqlite_file().unwrap();
    let link = file.with_extension("link");
    std::os::unix::fs::symlink(file, &link).unwrap();
    let linked = Target::from_url(&format!("sqlite://{}", link.display())).unwrap();
    assert_eq!(linked.sqlite_file(), Some(file));
    assert!(Store::open(&linked, &exclusive).is_err());
    drop(first);
    drop(Store::open(&linked, &exclusive).unwrap());
    // With two real names SQLite would keep two logs.
    std::fs::hard_link(file, file.with_extension("hard")).unwrap();
    let Err(Fault::Unavailable(why)) = Store::open(&db.target, &exclusive).map(|_| ()) else {
        panic!("a file with two names was opened");
    };
    assert!(why.contains("hard link"), "{why}");
}

#[test]
fn an_address_that_leads_nowhere_is_unavailable() {
    for bad in [
        "",
        "mysql://x",
        "sqlite://",
        "sqlite::memory:",
        "postgres://h:port/x",
    ] {
        let read = Target::from_url(bad).map(|_| ());
        assert!(
            matches!(read, Err(Fault::Unavailable(_))),
            "{bad}: {read:?}"
        );
    }
    for nowhere in [
        "sqlite:///no/such/directory/x.db",
        "postgres://a@127.0.0.1:1/x",
    ] {
        let target = Target::from_url(nowhere).unwrap();
        let opened = Store::open(&target, &Options::default()).map(|_| ());
        assert!(
            matches!(opened, Err(Fault::Unavailable(_))),
            "{nowhere}: {opened:?}"
        );
    }
}
