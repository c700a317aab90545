//! What a program gives at most, however many referrals convert at once.

use std::sync::Barrier;

use billstack_core::credit::{CreditStatus, Side};
use billstack_core::money::Amount;
use billstack_core::time::Micros;
use billstack_store::codes;
use billstack_store::credit_moves::{self, Asked};
use billstack_store::credits::{self, Credit, CreditFilter};
use billstack_store::programs;
use billstack_store::seam::list::Page;
use billstack_store::store::Store;
use billstack_store::{Abort, Place};

use crate::support::{
    Db, ENGINES, apply_code, deliver, incoming, make_customer, make_project, make_team, origin,
    program, start, write,
};

const TEAM: &str = "team_1";

/// How many referrals convert at the same moment.
const AT_ONCE: usize = 200;

/// A program with limits, and referrals of one referrer by customers `cus_0` and so on.
fn referrals(
    store: &Store,
    number: usize,
    total: Option<i64>,
    per_month: Option<i64>,
    budget: Option<i64>,
) -> Place {
    write(store, move |tx, act| {
        make_team(tx, TEAM)?;
        let place = make_project(tx, act, TEAM)?;
        let mut program = program();
        program.caps.total = total;
        program.caps.per_month = per_month;
        program.budget = budget;
        programs::put(tx, act, &place, &program)?;
        let referrer = make_customer(tx, act, &place, "ann", None)?.id;
        let code = codes::create(tx, act, &place, &referrer)?.code;
        for n in 0..number {
            let stripe = format!("cus_{n}");
            let referee = make_customer(tx, act, &place, &format!("bob{n}"), Some(&stripe))?.id;
            apply_code(tx, act, &place, &code, &referee)?;
        }
        Ok(place)
    })
}

/// Lets a referral convert.
fn convert(store: &Store, n: usize, at: Option<Micros>) {
    let done = store.write_blocking(origin(), move |tx, act| {
        let stripe = format!("cus_{n}");
        let mut start = start(Some(&stripe));
        start.object_id = format!("sub_{n}");
        start.subscription_id = Some(start.object_id.clone());
        if let Some(at) = at {
            start.occurred_at = at;
            start.began_at = at;
        }
        deliver(tx, act, TEAM, &incoming(&format!("evt_{n}"), start))
    });
    done.unwrap();
}

fn all(store: &Store, place: &Place) -> Vec<Credit> {
    let place = place.clone();
    let page = Page {
        limit: 1_000,
        offset: 0,
        after: None,
    };
    let read = store
        .scan_blocking(move |tx| Ok(credits::list(tx, &place, &CreditFilter::default(), &page)?));
    read.unwrap().rows
}

/// How many credits the referrer and the referees have.
fn sides(credits: &[Credit]) -> (usize, usize) {
    let of = |side| credits.iter().filter(|c| c.side == Some(side)).count();
    (of(Side::Referrer), of(Side::Referee))
}

/// Lets all referrals convert at once, on every node.
fn all_at_once(db: &Db, number: usize) {
    let threads = 8;
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (barrier, db) = (&barrier, &db);
            scope.spawn(move || {
                barrier.wait();
                for n in (thread..number).step_by(threads) {
                    convert(db.node(), n, None);
                }
            });
        }
    });
}

#[test]
fn a_cap_and_a_budget_are_exact_however_many_convert_at_once() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        // 7 times 1000 for the referrer, and as many times 500 for referees as fit besides.
        let place = referrals(&db.store, AT_ONCE, Some(7), None, Some(40_300));
        all_at_once(&db, AT_ONCE);
        let credits = all(&db.store, &place);
        let (referrers, referees) = sides(&credits);
        assert!(referrers <= 7, "{engine:?}: {referrers}");
        let out: i64 = credits.iter().map(|credit| credit.amount.get()).sum();
        assert_eq!(out, 1000 * referrers as i64 + 500 * referees as i64);
        assert!((39_801..=40_300).contains(&out), "{engine:?}: {out} is out");
        db.assert_sound();
    }
}

#[test]
fn a_cap_alone_withholds_only_the_referrers_credit() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let place = referrals(&db.store, 40, Some(7), None, None);
        all_at_once(&db, 40);
        assert_eq!(sides(&all(&db.store, &place)), (7, 40), "{engine:?}");
        db.assert_sound();
    }
}

#[test]
fn a_month_ends_at_midnight_utc() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let place = referrals(&db.store, 4, None, Some(1), None);
        let at = |text| Micros::from_rfc3339(text);
        let times = [
            "2031-01-31T23:59:58Z",
            "2031-01-31T23:59:59Z",
            "2031-02-01T00:00:00Z",
            "2031-02-28T23:59:59Z",
        ];
        for (n, time) in times.into_iter().enumerate() {
            convert(&db.store, n, at(time));
        }
        assert_eq!(sides(&all(&db.store, &place)), (2, 4), "{engine:?}");
        db.assert_sound();
    }
}

#[test]
fn what_is_taken_back_is_free_again() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let place = referrals(&db.store, 3, None, None, Some(1_500));
        convert(&db.store, 0, None);
        convert(&db.store, 1, None);
        let credits = all(&db.store, &place);
        assert_eq!(sides(&credits), (1, 1), "{engine:?}");
        let referee = credits.iter().find(|c| c.side == Some(Side::Referee));
        let asked = Asked {
            credit_id: referee.unwrap().id.clone(),
            amount: Some(Amount::new(500).unwrap()),
            reason: "left".to_owned(),
            reference: None,
        };
        let at = place.clone();
        let done = db.store.write_blocking(origin(), move |tx, act| {
            let credit = credit_moves::reverse(tx, act, &at, &asked)?;
            assert_eq!(credit.status, CreditStatus::Reversed);
            Ok::<_, Abort>(())
        });
        done.unwrap();
        convert(&db.store, 2, None);
        assert_eq!(sides(&all(&db.store, &place)), (1, 2), "{engine:?}");
        db.assert_sound();
    }
}

/// A conversion that saw no budget and one that sets it cannot miss each other.
#[test]
fn a_budget_that_is_set_meanwhile_counts_what_was_out() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let place = referrals(&db.store, 60, None, None, None);
        std::thread::scope(|scope| {
            scope.spawn(|| all_at_once(&db, 60));
            let at = place.clone();
            let put = db.node().write_blocking(origin(), move |tx, act| {
                let mut program = program();
                program.budget = Some(45_000);
                programs::put(tx, act, &at, &program).map(drop)
            });
            put.unwrap();
        });
        db.assert_sound();
    }
}
