//! A call that ends, or lines that are read, while something is told of the payment behind the credit.

use std::collections::BTreeMap;

use billstack_core::balance::Line;
use billstack_core::delivery::{Kind, State};
use billstack_core::program::{Clawback, CreditDelivery};
use billstack_core::time::{HOUR, Micros};
use billstack_store::credits::delivery::{KIND, operations_of};
use billstack_store::credits::{Credit, CreditFilter};
use billstack_store::stripe_connection;
use billstack_store::stripe_lane::balance::{self, BalanceLine, Kept, Reading};
use billstack_store::stripe_lane::{self as lane, Job, Lane, Outcome, Told, Turn, Written};
use billstack_store::work::{self, Leased};

use super::payments::{lost, paid, tell, tell_each};
use super::*;
use crate::delivery::connect;

const LEASE: i64 = 10 * HOUR;

/// Rounds whose referee is about to get 500 in Stripe, and may lose them.
fn delivering(db: &Db, count: usize) -> Vec<Round> {
    let shared = write(&db.store, |tx, act| {
        make_team(tx, TEAM)?;
        let place = make_project(tx, act, TEAM)?;
        connect(tx, act, &place)?;
        let mut program = program();
        program.terms.clawback = Clawback::Always;
        program.terms.credit_delivery = CreditDelivery::StripeBalance;
        programs::put(tx, act, &place, &program)?;
        // With a key Stripe would be asked whether a customer is new.
        stripe_connection::disconnect(tx, act, &place.team_id)?;
        Ok(place)
    });
    let place = shared.clone();
    let rounds = rounds_in(db, count, Referee::Linked, move |_, _| Ok(shared.clone()));
    apply_each(db, &rounds);
    write(&db.store, move |tx, act| connect(tx, act, &place));
    tell_each(db, &rounds, paid);
    deliver_each(db, &rounds, |_, _| {});
    rounds
}

/// The calls of all of them, by customer of Stripe, each of them under way.
fn begun(db: &Db) -> BTreeMap<String, Job> {
    let of = |lane: Lane| {
        let Some(Turn::Step(job)) = turn(db, &lane) else {
            panic!("an operation is due");
        };
        let begun = db
            .store
            .write_blocking(origin(), move |tx, act| Ok(lane::begin(tx, act, &job)?));
        (lane.stripe_customer_id, begun.unwrap().unwrap())
    };
    lanes(db).into_iter().map(of).collect()
}

fn lanes(db: &Db) -> Vec<Lane> {
    let claimed = write(&db.store, |tx, act| {
        let until = act.at.plus(LEASE);
        Ok(work::claim(tx, act, KIND, 10_000, until)?)
    });
    let lane = |leased: &Leased| Lane::of(leased, LEASE).unwrap();
    claimed.iter().map(lane).collect()
}

fn turn(db: &Db, lane: &Lane) -> Option<Turn> {
    let lane = lane.clone();
    let turn = db
        .store
        .write_blocking(origin(), move |tx, act| Ok(lane::next(tx, act, &lane)?));
    turn.unwrap()
}

/// Stripe has written the line.
fn answered(store: &Store, round: &Round, jobs: &BTreeMap<String, Job>) -> Job {
    let job = jobs[&round.stripe].clone();
    let told = Told {
        outcome: Outcome::Written(Written {
            id: format!("cbtxn_{}", round.number),
            created: Micros::from_secs(1_774_872_000),
            ending_balance: -500,
        }),
        refusal: None,
        lacks: None,
        chance: 0,
        unknown_wait: 0,
    };
    let concluded = run(store, round, move |tx, act, _| {
        Ok(lane::conclude(tx, act, &job, &told)?.0)
    });
    concluded.unwrap().expect("nobody else has the lane")
}

fn credit_of(tx: &mut dyn Tx, round: &Round) -> Result<Credit, Abort> {
    let filter = CreditFilter {
        customer_id: Some(round.referee.clone()),
        ..CreditFilter::default()
    };
    let page = Page {
        limit: 2,
        offset: 0,
        after: None,
    };
    Ok(credits::list(tx, &round.place, &filter, &page)?
        .rows
        .remove(0))
}

/// Of every referee: used, short, and about to be taken back.
fn assert_each(db: &Db, rounds: &[Round], expected: (i64, i64, i64)) {
    for round in rounds {
        let round = round.clone();
        let found = db.store.scan_blocking(move |tx| {
            let credit = credit_of(tx, &round)?;
            let all = operations_of(tx, &round.place, &credit.id)?;
            let pending = all
                .iter()
                .filter(|one| one.kind == Kind::Reverse && one.progress.state != State::Delivered);
            let pending = pending.map(|one| one.amount.get()).sum::<i64>();
            Ok((credit.parts.applied, credit.parts.shortfall, pending))
        });
        assert_eq!(found, Ok(expected));
    }
    db.assert_sound();
}

#[test]
fn a_refund_and_the_end_of_a_call() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = delivering(&db, count(engine, 80));
        let jobs = begun(&db);
        race(
            &rounds,
            |round| answered(db.node(), round, &jobs),
            |round| tell(db.node(), round, |round| lost(round, "re", 600)),
        );
        assert_each(&db, &rounds, (0, 0, 150));
    }
}

fn read(db: &Db, round: &Round, reading: &Reading) -> Kept {
    let line = |id: &str, amount, ending_balance, credit: Option<String>| BalanceLine {
        currency: "usd".to_owned(),
        line: Line {
            id: format!("{id}_{}", round.number),
            amount,
            ending_balance,
            kind: "adjustment".to_owned(),
            invoice: None,
            credit,
            created: Micros::from_secs(1_774_872_000),
        },
    };
    let listed = [
        line("used", 200, -300, None),
        line("cbtxn", -500, -500, None),
    ];
    let reading = reading.clone();
    let kept = run(db.node(), round, move |tx, act, _| {
        Ok(balance::keep(tx, act, &reading, &listed)?)
    });
    kept.unwrap()
}

#[test]
fn a_refund_and_the_lines_that_used_the_credit() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = delivering(&db, count(engine, 80));
        let jobs = begun(&db);
        let mut readings = BTreeMap::new();
        for round in &rounds {
            let job = answered(&db.store, round, &jobs);
            deliver_changed(&db, round);
            let Some(Turn::Read(reading)) = turn(&db, &job.lane) else {
                panic!("its lines are to be read");
            };
            readings.insert(round.number, reading);
        }
        race(
            &rounds,
            |round| read(&db, round, &readings[&round.number]),
            |round| tell(db.node(), round, |round| lost(round, "re", 2_000)),
        );
        assert_each(&db, &rounds, (200, 200, 300));
    }
}

/// Stripe tells that the balance of the referee has changed.
fn deliver_changed(db: &Db, round: &Round) {
    let event =
        crate::delivery::balance::changed(&format!("evt_changed_{}", round.number), &round.stripe);
    run(&db.store, round, move |tx, act, _| {
        deliver(tx, act, TEAM, &event).map(drop)
    })
    .unwrap();
}
