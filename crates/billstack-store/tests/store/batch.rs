//! Several operations in one commit: what becomes of one is nothing to the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use billstack_core::ids::TeamId;
use billstack_store::Refusal;
use billstack_store::options::Options;
use billstack_store::params;
use billstack_store::seam::tx::Query;
use billstack_store::store::Store;
use billstack_store::{Abort, Fault, Tx};
use billstack_store::{Act, Origin};

use crate::support::{
    Db, ENGINES, Engine, START, Side, make_team, origin, origin_at, two_sides, write,
};

type Op = Box<dyn FnMut(&mut dyn Tx, &mut Act) -> Result<(), Abort> + Send>;
type Outcome = Result<(), Abort>;

fn op(op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<(), Abort> + Send + 'static) -> Op {
    Box::new(op)
}

/// Makes a team.
fn make(name: &'static str) -> Op {
    op(move |tx, _| Ok(make_team(tx, name)?))
}

/// Runs operations so that they are all queued, in this order, before the first of them begins.
fn together(store: &Store, ops: Vec<Op>) -> Vec<Outcome> {
    let now = ops.into_iter().map(|op| (origin(), op));
    together_at(store, now.collect())
}

/// The same, each from an origin of its own.
fn together_at(store: &Store, ops: Vec<(Origin, Op)>) -> Vec<Outcome> {
    let (running, is_running) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            write(store, move |_, _| {
                running.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            });
        });
        is_running.recv().unwrap();
        let mut threads = Vec::new();
        for (number, (origin, mut op)) in ops.into_iter().enumerate() {
            let run = move || store.write_blocking(origin, move |tx, act| op(tx, act));
            threads.push(scope.spawn(run));
            while store.queued_writes() <= number {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        release.send(()).unwrap();
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
        outcomes.collect()
    })
}

fn teams(db: &Db) -> Vec<String> {
    let sql = "SELECT id FROM teams ORDER BY id";
    let read = move |tx: &mut dyn Tx| Ok(tx.all(sql, &[], |row| row.string(0))?);
    db.store.scan_blocking(read).unwrap()
}

fn is_defect(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Abort::Fault(Fault::Defect(_))))
}

const RENAME: &str = "UPDATE teams SET name = 'renamed' WHERE id = $1";

#[test]
fn what_one_does_is_nothing_to_the_others() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let outcomes = together(
            &db.store,
            vec![
                make("team_1"),
                op(|tx, _| {
                    make_team(tx, "team_refused")?;
                    Err(Refusal::LastOwner.into())
                }),
                op(|tx, _| {
                    make_team(tx, "team_panicked")?;
                    panic!("on purpose");
                }),
                make("team_2"),
                op(|tx, _| {
                    make_team(tx, "team_failed")?;
                    tx.execute("SELECT no such thing", &[])?;
                    Ok(())
                }),
                op(|tx, _| {
                    make_team(tx, "team_wrong")?;
                    Ok(tx.must(RENAME, params!["team_nowhere"])?)
                }),
                make("team_3"),
            ],
        );
        let panicked = Fault::Panicked("on purpose".to_owned());
        assert_eq!(outcomes[1], Err(Abort::Refused(Refusal::LastOwner)));
        assert_eq!(outcomes[2], Err(Abort::Fault(panicked)), "{engine:?}");
        assert!(is_defect(&outcomes[4]), "{engine:?}: {:?}", outcomes[4]);
        assert!(is_defect(&outcomes[5]), "{engine:?}: {:?}", outcomes[5]);
        for kept in [0, 3, 6] {
            assert_eq!(outcomes[kept], Ok(()), "{engine:?} {kept}");
        }
        assert_eq!(teams(&db), ["team_1", "team_2", "team_3"], "{engine:?}");
    }
}

/// As when the machine stood still, or its clock was put forward.
#[test]
fn an_operation_that_is_late_takes_no_other_with_it() {
    for engine in ENGINES {
        let late = Options {
            is_late: Arc::new(|at| at == START),
            ..Options::default()
        };
        let db = Db::with(engine, &late);
        let outcomes = together_at(
            &db.store,
            vec![
                (origin(), make("team_1")),
                (origin_at(START, 1), make("team_late")),
                (origin(), make("team_2")),
            ],
        );
        let overloaded = Err(Abort::Fault(Fault::Overloaded));
        assert_eq!(outcomes, [Ok(()), overloaded, Ok(())], "{engine:?}");
        assert_eq!(teams(&db), ["team_1", "team_2"], "{engine:?}");
        assert!(!db.store.is_failing(), "{engine:?}");
    }
}

#[test]
fn a_failure_told_late_undoes_its_operation() {
    type Late = fn(&mut dyn Tx) -> Result<(), Fault>;
    let late: [Late; 2] = [
        |tx| tx.must_later(RENAME, params!["team_nowhere"]),
        |tx| {
            let sql = "INSERT INTO teams (team_id, id, name, created_at) VALUES (1, $1, NULL, 1)";
            tx.must_later(sql, params!["team_nameless"])
        },
    ];
    for engine in ENGINES {
        for late in late {
            let failing = || {
                op(move |tx, _| {
                    make_team(tx, "team_late")?;
                    Ok(late(tx)?)
                })
            };
            let db = Db::new(engine);
            // By itself, as the last of a batch, and with others after it.
            let alone = db.store.write_blocking(origin(), failing());
            assert!(is_defect(&alone), "{engine:?}: {alone:?}");
            let last = together(&db.store, vec![make("team_1"), failing()]);
            assert_eq!(last[0], Ok(()), "{engine:?}");
            assert!(is_defect(&last[1]), "{engine:?}: {:?}", last[1]);
            let ops = vec![make("team_2"), failing(), make("team_3"), make("team_4")];
            let among = together(&db.store, ops);
            assert!(is_defect(&among[1]), "{engine:?}: {:?}", among[1]);
            for kept in [0, 2, 3] {
                assert_eq!(among[kept], Ok(()), "{engine:?} {kept}");
            }
            let kept = ["team_1", "team_2", "team_3", "team_4"];
            assert_eq!(teams(&db), kept, "{engine:?}");
        }
    }
}

#[test]
fn writes_told_late_are_seen_by_what_comes_after_them() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, |tx, _| {
            let sql = "INSERT INTO teams (team_id, id, name, created_at) VALUES (1, $1, 'old', 1)";
            tx.must_later(sql, params!["team_1"])?;
            tx.must_later(RENAME, params!["team_1"])?;
            let name = "SELECT name FROM teams WHERE id = $1";
            let found = tx.one(name, params!["team_1"], |row| row.string(0))?;
            assert_eq!(found.as_deref(), Some("renamed"));
            Ok(())
        });
        assert_eq!(teams(&db), ["team_1"], "{engine:?}");
    }
}

#[test]
fn queries_asked_together_are_answered_in_their_order() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let found = db.store.write_blocking(origin(), |tx, _| {
            make_team(tx, "team_1")?;
            make_team(tx, "team_2")?;
            tx.must_later(RENAME, params!["team_2"])?;
            let sql = "SELECT id, name FROM teams WHERE id = $1";
            let all = "SELECT id, name FROM teams WHERE created_at >= $1 ORDER BY id";
            let queries: [Query<'_>; 3] = [
                (all, params![0_i64]),
                (sql, params!["team_nowhere"]),
                (sql, params!["team_2"]),
            ];
            let mut found = Vec::new();
            tx.query_together(&queries, &mut |number, row| {
                found.push(format!("{number} {} {}", row.text(0)?, row.text(1)?));
                Ok(())
            })?;
            Ok(found)
        });
        let wanted = ["0 team_1 team_1", "0 team_2 renamed", "2 team_2 renamed"];
        assert_eq!(found.unwrap(), wanted, "{engine:?}");
        let failed = db.store.write_blocking(origin(), |tx, _| {
            make_team(tx, "team_3")?;
            let wrong = "SELECT no such thing";
            let queries: [Query<'_>; 2] = [("SELECT id FROM teams", &[]), (wrong, &[])];
            Ok(tx.query_together(&queries, &mut |_, row| row.text(0).map(|_| ()))?)
        });
        assert!(is_defect(&failed), "{engine:?}: {failed:?}");
        assert_eq!(teams(&db), ["team_1", "team_2"], "{engine:?}");
    }
}

#[test]
fn a_query_asked_ahead_finds_what_it_would_find_later() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, |tx, _| {
            make_team(tx, "team_1")?;
            Ok(make_team(tx, "team_2")?)
        });
        let names = |tx: &mut dyn Tx, id: &str| {
            let sql = "SELECT name FROM teams WHERE id = $1";
            tx.all(sql, params![id], |row| row.string(0))
        };
        let found = db.store.scan_blocking(move |tx| {
            let sql = "SELECT name FROM teams WHERE id = $1";
            let on_postgres = tx.ask_ahead(sql, params!["team_1"])?;
            assert_eq!(on_postgres, engine == Engine::Postgres);
            // Another value, another text, the same twice, and with no statement in between.
            assert_eq!(names(tx, "team_2")?, ["team_2"]);
            assert!(tx.exists("SELECT 1 FROM teams", params![])?);
            assert_eq!(names(tx, "team_1")?, ["team_1"]);
            assert_eq!(names(tx, "team_1")?, ["team_1"]);
            tx.ask_ahead(sql, params!["team_2"])?;
            assert_eq!(names(tx, "team_2")?, ["team_2"]);
            tx.ask_ahead(sql, params!["team_2"])?;
            assert_eq!(names(tx, "team_2")?, ["team_2"]);
            // Nobody takes this one.
            tx.ask_ahead(sql, params!["team_1"])?;
            Ok(())
        });
        assert_eq!(found, Ok(()), "{engine:?}");
        write(&db.store, |tx, _| Ok(tx.must(RENAME, params!["team_1"])?));
        let renamed = db.store.scan_blocking(move |tx| Ok(names(tx, "team_1")?));
        assert_eq!(renamed.unwrap(), ["renamed"], "{engine:?}");
        let failed = db.store.scan_blocking(|tx| {
            tx.ask_ahead("SELECT 1 / CAST($1 AS BIGINT)", params![0_i64])?;
            tx.exists("SELECT 1 FROM teams", params![])?;
            Ok(())
        });
        assert_eq!(is_defect(&failed), engine == Engine::Postgres, "{failed:?}");
        assert_eq!(teams(&db), ["team_1", "team_2"], "{engine:?}");
    }
}

#[test]
fn an_operation_in_conflict_is_run_again_without_the_others() {
    let db = Db::new(Engine::Postgres);
    let runs: Vec<_> = (0..3).map(|_| Arc::new(AtomicUsize::new(0))).collect();
    let counted = |number: usize, name: &'static str| {
        let runs = runs[number].clone();
        op(move |tx, _| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            make_team(tx, name)?;
            if number == 1 && run < 2 {
                return Err(Fault::Conflict("on purpose".to_owned()).into());
            }
            Ok(())
        })
    };
    let ops = vec![
        counted(0, "team_0"),
        counted(1, "team_1"),
        counted(2, "team_2"),
    ];
    assert_eq!(together(&db.store, ops), [Ok(()), Ok(()), Ok(())]);
    assert_eq!(teams(&db), ["team_0", "team_1", "team_2"]);
    let runs: Vec<_> = runs
        .iter()
        .map(|runs| runs.load(Ordering::Relaxed))
        .collect();
    assert_eq!(runs, [1, 3, 1]);
}

#[test]
fn somebody_else_in_the_way_holds_up_nobody_but_whom_they_are_in_the_way_of() {
    let db = Db::new(Engine::Postgres);
    let other = Store::open(&db.target, &Default::default()).unwrap();
    let (holding, is_holding) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write(&other, move |tx, _| {
                make_team(tx, "team_same")?;
                tx.lock(&TeamId::from("team_same"), &["name"])?;
                assert!(tx.exists("SELECT id FROM teams", &[])?);
                holding.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            });
        });
        is_holding.recv().unwrap();
        let same = scope.spawn(|| {
            let op = move |tx: &mut dyn Tx, _: &mut Act| {
                let sql = "SELECT id FROM teams WHERE id = $1";
                if tx.exists(sql, params!["team_same"])? {
                    return Err(Refusal::LastOwner.into());
                }
                Ok(make_team(tx, "team_same")?)
            };
            db.store.write_blocking(origin(), op)
        });
        let named = scope.spawn(|| {
            write(&db.store, move |tx, _| {
                tx.lock(&TeamId::from("team_same"), &["name"])?;
                Ok(make_team(tx, "team_named")?)
            });
        });
        // They wait for each other's end, but nothing else waits with them.
        std::thread::sleep(Duration::from_millis(200));
        let began = Instant::now();
        write(&db.store, |tx, _| Ok(make_team(tx, "team_free")?));
        assert!(began.elapsed() < Duration::from_secs(2));
        assert!(!same.is_finished() && !named.is_finished());
        assert_eq!(teams(&db), ["team_free"]);
        release.send(()).unwrap();
        let refused = Err(Abort::Refused(Refusal::LastOwner));
        assert_eq!(same.join().unwrap(), refused);
        named.join().unwrap();
    });
    assert_eq!(teams(&db), ["team_free", "team_named", "team_same"]);
}

#[test]
fn batches_of_two_servers_that_cross_neither_stall_nor_lose_anything() {
    const NAMES: i64 = 8;
    const ROUNDS: i64 = 25;
    let db = Db::new(Engine::Postgres);
    let other = Store::open(&db.target, &Default::default()).unwrap();
    write(&db.store, |tx, _| Ok(make_team(tx, "team_count")?));
    let add = |name: i64| {
        op(move |tx, _| {
            // Each takes one name, so that it is the batch that holds several, in its own order.
            tx.lock(&TeamId::from("team_count"), &[&format!("name {name}")])?;
            let sql = "SELECT COUNT(*) FROM teams WHERE name = $1";
            let count = tx.one(sql, params![&name.to_string()], |row| row.int(0))?;
            let sql = "INSERT INTO teams (team_id, id, name, created_at) VALUES ($1, $2, $3, 1)";
            let id = TeamId::from(format!("team_{name}_{}", count.unwrap_or(0)));
            Ok(tx.must_later(sql, params![&id, id.as_str(), &name.to_string()])?)
        })
    };
    let (left, right) = two_sides();
    let began = Instant::now();
    let run = |store: &Store, forwards: bool, side: Side| {
        for _ in 0..ROUNDS {
            let mut ops: Vec<_> = (0..NAMES).map(add).collect();
            if !forwards {
                ops.reverse();
            }
            side.meet();
            let outcomes = together(store, ops);
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(&db.store, true, left));
        run(&other, false, right);
    });
    let took = began.elapsed();
    assert_eq!(teams(&db).len() as i64, 1 + 2 * NAMES * ROUNDS);
    // PostgreSQL looks for circles after a second; with half of the rounds in one it would take longer.
    assert!(took < Duration::from_secs(12), "{took:?}");
}
