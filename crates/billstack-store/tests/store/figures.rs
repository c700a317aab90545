//! The figures of a project: the same, however far its log has been added up.

use std::sync::Arc;

use billstack_core::money::Currency;
use billstack_core::period::Days;
use billstack_core::time::{DAY, HOUR, Micros};
use billstack_store::codes::{CodeFilter, CodeSort, CodeTotal};
use billstack_store::counting::{self, LATEST, SETTLED};
use billstack_store::links::{self, Counted};
use billstack_store::list::Page;
use billstack_store::options::Options;
use billstack_store::overview::{self, Overview, Totals};
use billstack_store::stats::{Stats, stats};
use billstack_store::store::Store;
use billstack_store::{Abort, Act, Fault, Place, Tx};
use billstack_store::{codes, erase, params, programs};

use crate::reports::told;
use crate::support::{
    Db, ENGINES, Engine, START, apply_code, deliver, incoming, make_customer, make_project,
    make_team, origin_at, program, start, wait_for, write,
};

/// Adds up everything there is, so many events at a time.
pub(crate) fn add_up(store: &Store, at_once: i64) {
    while add_up_some(store, Micros(i64::MAX), at_once) {}
}

/// Adds up one batch of each team, and tells whether there was anything.
fn add_up_some(store: &Store, before: Micros, at_once: i64) -> bool {
    let mut from = Some(i64::MIN);
    let mut any = false;
    while let Some(team) = from {
        let read = move |tx: &mut dyn Tx| Ok(counting::read(tx, team, before, at_once)?);
        let round = store.scan_blocking(read).unwrap();
        from = round.next.filter(|next| *next != team);
        any |= !round.is_empty();
        write(store, move |tx, _| Ok(counting::keep(tx, &round)?));
    }
    any
}

fn figures(store: &Store, place: &Place) -> Stats {
    let place = place.clone();
    let read = move |tx: &mut dyn Tx| Ok(stats(tx, &place, START.plus(-DAY))?);
    store.scan_blocking(read).unwrap()
}

/// What the calls tell that read what is added up: the overview, and each code with what it has brought.
fn told_of(store: &Store, place: &Place) -> (Overview, Vec<(String, CodeTotal)>) {
    let place = place.clone();
    let day = START.0 / DAY;
    let days = Days {
        first: day - 1,
        last: day + 2,
    };
    let read = move |tx: &mut dyn Tx| {
        let overview = overview::overview(tx, &place, days)?;
        Ok((overview, totals(tx, &place, CodeSort::Newest)?))
    };
    store.scan_blocking(read).unwrap()
}

fn totals(
    tx: &mut dyn Tx,
    place: &Place,
    sort: CodeSort,
) -> Result<Vec<(String, CodeTotal)>, Fault> {
    let filter = CodeFilter {
        sort,
        ..CodeFilter::default()
    };
    let page = Page {
        limit: 100,
        offset: 0,
        after: None,
    };
    let mut codes = Vec::new();
    codes::list(tx, place, &filter, &page, |(code, total)| {
        codes.push((code.code.to_owned(), *total));
    })?;
    Ok(codes)
}

/// Everything that counts, also in another team and another project.
fn much(db: &Db) -> Place {
    let place = db.store.write_blocking(origin_at(START, 1), told).unwrap();
    let at = place.clone();
    let late = START.plus(2 * DAY);
    let more = move |tx: &mut dyn Tx, act: &mut Act| {
        let mut began = start(Some("cus_cem"));
        began.occurred_at = late.plus(-HOUR);
        deliver(tx, act, "team_1", &incoming("evt_cem", began))?;
        let eve = make_customer(tx, act, &at, "eve", None)?.id;
        let code = codes::create(tx, act, &at, &eve)?.code;
        let gone = make_customer(tx, act, &at, "fay", None)?.id;
        apply_code(tx, act, &at, &code, &gone)?;
        erase::erase(tx, act, &at, &gone)?;
        let guy = make_customer(tx, act, &at, "guy", None)?.id;
        apply_code(tx, act, &at, &code, &guy)?;
        let counted = |day, channel: &str| Counted {
            code: code.clone(),
            day,
            channel: channel.to_owned(),
        };
        let today = late.0 / DAY;
        let clicks = [
            (at.clone(), counted(today, "mail"), 2),
            (at.clone(), counted(today, "qr"), 3),
            (at.clone(), counted(today - 5, "qr"), 4),
        ];
        links::count(tx, &clicks)?;
        make_team(tx, "team_2")?;
        for team in ["team_1", "team_2"] {
            let other = make_project(tx, act, team)?;
            programs::put(tx, act, &other, &program())?;
            let owner = make_customer(tx, act, &other, "ann", None)?.id;
            codes::create(tx, act, &other, &owner)?;
        }
        Ok(())
    };
    db.store.write_blocking(origin_at(late, 2), more).unwrap();
    place
}

#[test]
fn they_do_not_depend_on_what_is_added_up_already() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let place = much(&db);
        let told = figures(&db.store, &place);
        assert_eq!((told.codes, told.active_codes), (3, 2), "{engine:?}");
        let by_status = (told.pending, told.converted, told.expired);
        assert_eq!(by_status, (1, 2, 1), "{engine:?}");
        let both = told_of(&db.store, &place);
        let (overview, totals) = &both;
        let sum = [(Currency::USD, 3_000)].into();
        let expected = Totals {
            clicks: 5,
            applied: 4,
            converted: 2,
            converted_of_applied: 2,
            granted: [(Currency::USD, 4)].into(),
            credited: sum,
        };
        assert_eq!(overview.totals, expected, "{engine:?}");
        assert_eq!(
            (overview.before.clicks, overview.before.applied),
            (4, 0),
            "{engine:?}"
        );
        assert_eq!(overview.changes.len(), 1, "{engine:?}");
        let of = |clicks, applied, converted| CodeTotal {
            clicks,
            applied,
            converted,
        };
        let shown: Vec<_> = totals.iter().map(|(_, total)| *total).collect();
        let both_older = [of(0, 0, 0), of(0, 2, 2)];
        assert_eq!((shown.len(), shown[0]), (3, of(9, 2, 0)), "{engine:?}");
        assert!(
            both_older.iter().all(|total| shown.contains(total)),
            "{engine:?}: {shown:?}"
        );
        let mut steps = 0;
        while add_up_some(&db.store, Micros(i64::MAX), 1) {
            steps += 1;
            assert_eq!(figures(&db.store, &place), told, "{engine:?} after {steps}");
            assert_eq!(told_of(&db.store, &place), both, "{engine:?} after {steps}");
            db.assert_sound();
        }
        assert!(steps > 10, "{engine:?}: {steps}");
        for (sort, first) in [
            (CodeSort::Clicks, of(9, 2, 0)),
            (CodeSort::Converted, of(0, 2, 2)),
        ] {
            let at = place.clone();
            let read = move |tx: &mut dyn Tx| Ok(self::totals(tx, &at, sort)?);
            let sorted = db.store.scan_blocking(read).unwrap();
            assert_eq!(
                (sorted.len(), sorted[0].1),
                (3, first),
                "{engine:?}: {sort:?}"
            );
        }
        // Only what comes after the mark is read from the log.
        write(&db.store, |tx, _| {
            Ok(tx.execute("UPDATE program_days SET number = number + 100", params![])?)
        });
        let more = figures(&db.store, &place);
        assert_eq!(more.pending, told.pending + 100, "{engine:?}");
    }
}

#[test]
fn of_two_who_add_up_the_same_events_one_succeeds() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let place = much(&db);
        let told = figures(&db.store, &place);
        let read = || {
            let read = |tx: &mut dyn Tx| Ok(counting::read(tx, i64::MIN, Micros(i64::MAX), 7)?);
            db.store.scan_blocking(read).unwrap()
        };
        for round in [read(), read()] {
            write(&db.store, move |tx, _| Ok(counting::keep(tx, &round)?));
        }
        assert_eq!(figures(&db.store, &place), told, "{engine:?}");
        db.assert_sound();
        for round in [read(), read()] {
            write(&db.store, move |tx, _| Ok(counting::keep(tx, &round)?));
        }
        assert_eq!(figures(&db.store, &place), told, "{engine:?}");
        db.assert_sound();
    }
}

#[test]
fn what_is_not_settled_yet_is_left_to_the_reader() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let place = much(&db);
        let told = figures(&db.store, &place);
        let now = START.plus(DAY);
        let before = wait_for(db.store.settled_before(now)).unwrap();
        assert!(before <= now.plus(-SETTLED), "{engine:?}");
        while add_up_some(&db.store, before, 100) {}
        assert_eq!(figures(&db.store, &place), told, "{engine:?}");
        let late = "SELECT COUNT(*) FROM program_marks WHERE created_at >= $1";
        let late = db
            .store
            .scan_blocking(move |tx| Ok(tx.one(late, params![before], |row| row.int(0))?));
        assert_eq!(late, Ok(Some(0)), "{engine:?}");
    }
}

#[test]
fn an_operation_that_is_late_is_not_kept() {
    for engine in ENGINES {
        let options = Options {
            is_late: Arc::new(|at| START.plus(DAY).0 - at.0 > LATEST),
            ..Options::default()
        };
        let db = Db::with(engine, &options);
        let make = |at: Micros, team: &'static str| {
            let make = move |tx: &mut dyn Tx, _: &mut Act| Ok(make_team(tx, team)?);
            db.store.write_blocking(origin_at(at, 1), make)
        };
        let late = make(START.plus(DAY - LATEST - 1), "team_1");
        assert_eq!(late, Err(Abort::Fault(Fault::Overloaded)), "{engine:?}");
        assert_eq!(make(START.plus(DAY - LATEST), "team_2"), Ok(()));
        let teams = db.store.scan_blocking(|tx| {
            Ok(tx.all("SELECT id FROM teams", params![], |row| row.string(0))?)
        });
        assert_eq!(teams, Ok(vec!["team_2".to_owned()]), "{engine:?}");
    }
}

/// Such a transaction may have begun before everything that the mark has passed, and commits after it.
#[test]
fn a_transaction_that_runs_holds_the_mark_back() {
    let db = Db::new(Engine::Postgres);
    write(&db.store, |tx, _| Ok(make_team(tx, "team_1")?));
    let mut other = postgres::Client::connect(&db.url, postgres::NoTls).unwrap();
    let mut running = other.transaction().unwrap();
    let slow = "UPDATE teams SET name = name; SELECT pg_sleep(0.3)";
    running.batch_execute(slow).unwrap();
    let held = wait_for(db.store.settled_before(START)).unwrap();
    assert!(held <= START.plus(-SETTLED - 300_000), "{held:?}");
    running.commit().unwrap();
    let free = wait_for(db.store.settled_before(START)).unwrap();
    assert!(free > held, "{free:?}");
}
