//! What is noted of checks and backups: the latest of each kind, in each database its own.

use billstack_core::time::Micros;
use billstack_store::upkeep::{self, Kind, Last, Run};

use crate::damage::found_after;
use crate::support::{Db, ENGINES, write};

/// Damage, and the rules that must notice it, perhaps among others.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    ("UPDATE upkeep SET kind = 'x'", &["upkeep_values"]),
    (
        "UPDATE upkeep SET ended_at = began_at - 1",
        &["upkeep_values"],
    ),
    ("UPDATE upkeep SET result = -1", &["upkeep_values"]),
    ("UPDATE upkeep SET version = ''", &["upkeep_values"]),
];

fn run(began_at: i64, ended_at: i64, result: i64) -> Run {
    Run {
        began_at: Micros(began_at),
        ended_at: Micros(ended_at),
        result,
        version: "0.1.0".to_owned(),
    }
}

fn note(db: &Db, kind: Kind, run: Run) {
    write(&db.store, move |tx, _| Ok(upkeep::note(tx, kind, &run)?));
}

fn last(db: &Db) -> Last {
    db.store.scan_blocking(|tx| Ok(upkeep::last(tx)?)).unwrap()
}

#[test]
fn the_latest_run_of_each_kind_is_kept_whichever_ends_first() {
    for engine in ENGINES {
        let db = Db::new(engine);
        assert_eq!(last(&db), Last::default(), "{engine:?}");
        note(&db, Kind::Verify, run(20, 30, 0));
        // It began earlier and took longer: the state that it saw is older.
        note(&db, Kind::Verify, run(10, 90, 2));
        assert_eq!(last(&db).verify, Some(run(20, 30, 0)), "{engine:?}");
        assert_eq!(last(&db).backup, None, "{engine:?}");
        note(&db, Kind::Backup, run(5, 6, 4_096));
        note(&db, Kind::Verify, run(40, 50, 3));
        let both = Last {
            verify: Some(run(40, 50, 3)),
            backup: Some(run(5, 6, 4_096)),
        };
        assert_eq!(last(&db), both, "{engine:?}");
        db.assert_sound();
    }
}

#[test]
fn a_clock_that_is_set_back_during_a_run_breaks_no_rule() {
    for engine in ENGINES {
        let db = Db::new(engine);
        note(&db, Kind::Verify, run(20, 10, 0));
        assert_eq!(last(&db).verify, Some(run(20, 20, 0)), "{engine:?}");
        db.assert_sound();
    }
}

#[test]
fn damage_to_what_is_noted_is_noticed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        note(&db, Kind::Verify, run(20, 30, 0));
        db.assert_sound();
        for (sql, wanted) in DAMAGES {
            let found = found_after(&db, sql);
            let is_noticed = wanted.iter().all(|rule| found.contains(*rule));
            assert!(
                is_noticed,
                "{engine:?}: {sql}: {wanted:?} not all among {found:?}"
            );
        }
    }
}
