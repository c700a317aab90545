//! Two at once, a thousand times: whoever comes first, nothing is lost and nothing happens twice.
//!
//! Each test makes all of its rounds beforehand, then lets two threads meet for each of them, one a
//! little ahead of the other by turns. Every round has customers and ids of its own.

mod deliveries;
mod once;
mod pairs;
mod payments;
mod questions;
mod strangers;
mod turns;

use std::time::{Duration, Instant};

use billstack_core::attribution::Outcome;
use billstack_core::program::Program;
use billstack_core::referral::{ApplyRefusal, Referral, Status};
use billstack_core::stripe_event::{Eligibility, Start};
use billstack_store::customers::{self, CustomerPatch, NewCustomer};
use billstack_store::intake::{self, Delivery, Incoming};
use billstack_store::list::Page;
use billstack_store::referrals::{self, ReferralFilter};
use billstack_store::store::Store;
use billstack_store::{Abort, Tx};
use billstack_store::{Act, Place};
use billstack_store::{Refusal, Thing};
use billstack_store::{codes, credits, erase, programs};

use crate::support::{
    Db, ENGINES, Engine, Side, apply_code, deliver, incoming, make_customer, make_project,
    make_team, new_customer, origin, program, start, two_sides, write,
};

const TEAM: &str = "team_race";

/// Who meets in one round.
#[derive(Clone, Debug)]
struct Round {
    number: usize,
    place: Place,
    referrer: String,
    code: String,
    referee: String,
    stripe: String,
}

/// How the referee of each round begins.
#[derive(Clone, Copy, PartialEq)]
enum Referee {
    Linked,
    Unlinked,
}

/// Only the most important engine gets the full number: SQLite has one writer, so there it is the
/// order alone that varies.
fn count(engine: Engine, on_postgres: usize) -> usize {
    match engine {
        Engine::Sqlite => on_postgres / 5,
        Engine::Postgres => on_postgres,
    }
}

fn rounds(db: &Db, count: usize, referee: Referee) -> Vec<Round> {
    let shared = write(&db.store, |tx, act| {
        make_team(tx, TEAM)?;
        project(tx, act)
    });
    rounds_in(db, count, referee, move |_, _| Ok(shared.clone()))
}

fn project(tx: &mut dyn Tx, act: &mut Act) -> Result<Place, Abort> {
    let place = make_project(tx, act, TEAM)?;
    programs::put(tx, act, &place, &program())?;
    Ok(place)
}

fn rounds_in(
    db: &Db,
    count: usize,
    referee: Referee,
    place: impl Fn(&mut dyn Tx, &mut Act) -> Result<Place, Abort> + Clone + Send + 'static,
) -> Vec<Round> {
    let mut rounds = Vec::new();
    for first in (0..count).step_by(50) {
        let place = place.clone();
        rounds.extend(write::<Vec<_>>(&db.store, move |tx, act| {
            (first..count.min(first + 50))
                .map(|number| {
                    let place = place(tx, act)?;
                    let stripe = format!("cus_{number}");
                    let link = (referee == Referee::Linked).then_some(&*stripe);
                    let referrer = make_customer(tx, act, &place, &format!("r{number}"), None)?.id;
                    let code = codes::create(tx, act, &place, &referrer)?.code;
                    let referee = make_customer(tx, act, &place, &format!("e{number}"), link)?.id;
                    Ok(Round {
                        number,
                        place,
                        referrer,
                        code,
                        referee,
                        stripe,
                    })
                })
                .collect()
        }));
    }
    rounds
}

/// Lets `left` and `right` meet in every round.
fn race<L: Send, R: Send>(
    rounds: &[Round],
    left: impl Fn(&Round) -> L + Send,
    right: impl Fn(&Round) -> R + Send,
) -> (Vec<L>, Vec<R>) {
    fn run<T>(rounds: &[Round], side: &Side, first: usize, each: impl Fn(&Round) -> T) -> Vec<T> {
        let run = |round: &Round| {
            side.meet();
            wait(round.number, first);
            each(round)
        };
        rounds.iter().map(run).collect()
    }
    let (left_side, right_side) = two_sides();
    std::thread::scope(move |scope| {
        let left = scope.spawn(move || run(rounds, &left_side, 0, left));
        let right = run(rounds, &right_side, 1, right);
        // Gone before the other is waited for, so that it does not wait in its turn.
        drop(right_side);
        (left.join().unwrap(), right)
    })
}

/// Lets the other side be a little ahead, by turns.
fn wait(number: usize, first: usize) {
    let late = if number % 2 == first { 0 } else { number % 16 };
    let began = Instant::now();
    while began.elapsed() < Duration::from_micros(50 * late as u64) {
        std::hint::spin_loop();
    }
}

/// Does something for every round beforehand, many rounds to a transaction.
fn each<T: Send + 'static>(
    db: &Db,
    rounds: &[Round],
    op: impl Fn(&mut dyn Tx, &mut Act, &Round) -> Result<T, Abort> + Clone + Send + 'static,
) -> Vec<T> {
    let mut done = Vec::new();
    for some in rounds.chunks(50) {
        let (op, some) = (op.clone(), some.to_vec());
        done.extend(write::<Vec<T>>(&db.store, move |tx, act| {
            some.iter().map(|round| op(tx, act, round)).collect()
        }));
    }
    done
}

fn apply_each(db: &Db, rounds: &[Round]) {
    each(db, rounds, |tx, act, round| {
        apply_code(tx, act, &round.place, &round.code, &round.referee)
    });
}

/// Delivers the event of [`event`] to every round.
fn deliver_each(db: &Db, rounds: &[Round], change: fn(&mut Start, &Round)) -> Vec<Outcome> {
    each(db, rounds, move |tx, act, round| {
        let settled = deliver(tx, act, TEAM, &event_of(round, change))?;
        Ok(settled.unwrap().outcome)
    })
}

fn event_of(round: &Round, change: fn(&mut Start, &Round)) -> Incoming {
    let mut start = start(Some(&round.stripe));
    change(&mut start, round);
    let id = format!("evt_{}_{}", round.number, start.object_id);
    incoming(&id, start)
}

/// One operation of a round, run to its end.
fn run<T: Send + 'static>(
    store: &Store,
    round: &Round,
    mut op: impl FnMut(&mut dyn Tx, &mut Act, &Round) -> Result<T, Abort> + Send + 'static,
) -> Result<T, Abort> {
    let round = round.clone();
    store.write_blocking(origin(), move |tx, act| op(tx, act, &round))
}

fn apply(store: &Store, round: &Round) -> Result<Referral, Abort> {
    run(store, round, |tx, act, round| {
        apply_code(tx, act, &round.place, &round.code, &round.referee)
    })
}

/// Delivers an event of the round's Stripe customer, changed as the test needs it.
fn event(store: &Store, round: &Round, change: fn(&mut Start, &Round)) -> Option<Outcome> {
    let done = run(store, round, move |tx, act, round| {
        deliver(tx, act, TEAM, &event_of(round, change))
    });
    done.unwrap().map(|settled| settled.outcome)
}

fn link(store: &Store, round: &Round) {
    let linked = run(store, round, |tx, act, round| {
        let patch = CustomerPatch {
            stripe_customer_id: Some(Some(round.stripe.clone())),
            ..CustomerPatch::default()
        };
        customers::update(tx, act, &round.place, &round.referee, &patch)
    });
    assert_eq!(
        linked.unwrap().stripe_customer_id.as_ref(),
        Some(&round.stripe)
    );
}

fn erase(store: &Store, round: &Round, whom: fn(&Round) -> &str) {
    run(store, round, move |tx, act, round| {
        erase::erase(tx, act, &round.place, whom(round))
    })
    .unwrap();
}

/// The state of each referee's referral, `None` where there is none.
fn statuses(db: &Db, rounds: &[Round]) -> Vec<Option<Status>> {
    let rounds = rounds.to_vec();
    let read = move |tx: &mut dyn Tx| {
        let of = |round: &Round| {
            let referral = referrals::of_referee(tx, &round.place, &round.referee)?;
            Ok(referral.map(|referral| referral.status))
        };
        rounds.iter().map(of).collect()
    };
    db.store.scan_blocking(read).unwrap()
}

fn assert_all(db: &Db, rounds: &[Round], wanted: Status) {
    let mut found = statuses(db, rounds);
    found.dedup();
    assert_eq!(found, [Some(wanted)]);
    db.assert_sound();
}

fn referrals_of_code(store: &Store, round: &Round) -> usize {
    let round = round.clone();
    let read = move |tx: &mut dyn Tx| {
        let filter = ReferralFilter {
            code: Some(round.code.clone()),
            ..ReferralFilter::default()
        };
        let page = Page {
            limit: 10,
            offset: 0,
            after: None,
        };
        Ok(referrals::list(tx, &round.place, &filter, &page)?
            .rows
            .len())
    };
    store.scan_blocking(read).unwrap()
}

fn is_apply_refusal(done: &Result<Referral, Abort>, wanted: ApplyRefusal) -> bool {
    *done == Err(Abort::Refused(Refusal::Apply(wanted)))
}

/// The winner of a round in which exactly one may win, and what the other was told.
fn one_won<T>(left: Result<T, Abort>, right: Result<T, Abort>) -> (Box<T>, Abort) {
    match (left, right) {
        (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (Box::new(winner), loser),
        (Ok(_), Ok(_)) => panic!("both won"),
        (Err(left), Err(right)) => panic!("nobody won: {left:?} {right:?}"),
    }
}
