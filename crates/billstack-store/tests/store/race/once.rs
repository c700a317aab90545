//! Many at once where one may win.

use std::sync::Barrier;

use super::*;

#[test]
fn two_events_of_one_referee() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 1_000), Referee::Linked);
        apply_each(&db, &rounds);
        let session = |round: &Round| {
            event(db.node(), round, |start, round| {
                start.object_id = format!("cs_{}", round.number);
            })
        };
        let subscription = |round: &Round| event(db.node(), round, |_, _| {});
        let (left, right) = race(&rounds, session, subscription);
        for outcomes in left.into_iter().zip(right) {
            let one = (Some(Outcome::Converted), Some(Outcome::NoReferral));
            assert!(
                outcomes == one || outcomes == (one.1, one.0),
                "{outcomes:?}"
            );
        }
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn one_event_twice() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        apply_each(&db, &rounds);
        let event = |round: &Round| event(db.node(), round, |_, _| {});
        let (left, right) = race(&rounds, event, event);
        for outcomes in left.into_iter().zip(right) {
            let one = (Some(Outcome::Converted), None);
            assert!(
                outcomes == one || outcomes == (one.1, one.0),
                "{outcomes:?}"
            );
        }
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn apply_and_replay() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 200), Referee::Linked);
        let mut kept = deliver_each(&db, &rounds, |_, _| {});
        kept.dedup();
        assert_eq!(kept, [Outcome::NoReferral]);
        let replay = |round: &Round| {
            let done = run(db.node(), round, |tx, act, round| {
                let start = start(Some(&round.stripe));
                let id = format!("evt_{}_{}", round.number, start.object_id);
                intake::receive(
                    tx,
                    act,
                    &TEAM.into(),
                    &incoming(&id, start),
                    Delivery::Replayed,
                )
            });
            done.unwrap();
        };
        race(&rounds, |round| apply(db.node(), round).unwrap(), replay);
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn two_customers_of_one_stripe_customer_apply() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        let twins = each(&db, &rounds, |tx, act, round| {
            let name = format!("twin{}", round.number);
            let referee = make_customer(tx, act, &round.place, &name, Some(&round.stripe))?.id;
            Ok(Round {
                referee,
                ..round.clone()
            })
        });
        let other = |round: &Round| apply(db.node(), &twins[round.number]);
        let (left, right) = race(&rounds, |round| apply(db.node(), round), other);
        for (left, right) in left.into_iter().zip(right) {
            let (winner, loser) = one_won(left, right);
            assert_eq!(loser, Abort::Refused(Refusal::AlreadyReferred(winner)));
        }
        db.assert_sound();
    }
}

#[test]
fn fifty_applies_of_one_referee() {
    const CODES: usize = 50;
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, CODES, Referee::Linked);
        for chosen in &rounds[..count(engine, 20)] {
            let barrier = Barrier::new(CODES);
            let try_code = |round: &Round| {
                let round = Round {
                    referee: chosen.referee.clone(),
                    ..round.clone()
                };
                barrier.wait();
                apply(db.node(), &round)
            };
            // Its own code is one of them, so that one more kind of refusal is in the crowd.
            let done: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = rounds
                    .iter()
                    .map(|round| scope.spawn(|| try_code(round)))
                    .collect();
                threads.into_iter().map(|t| t.join().unwrap()).collect()
            });
            let (won, lost): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
            let winner = won.into_iter().map(Result::unwrap).collect::<Vec<_>>();
            assert_eq!((winner.len(), lost.len()), (1, CODES - 1));
            let winner = Box::new(winner[0].clone());
            let told = Err(Abort::Refused(Refusal::AlreadyReferred(winner)));
            assert!(lost.iter().all(|lost| *lost == told));
        }
        db.assert_sound();
    }
}

#[test]
fn two_customers_with_one_address() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 200), Referee::Linked);
        let create = |round: &Round| {
            run(db.node(), round, |tx, act, round| {
                make_customer(
                    tx,
                    act,
                    &round.place,
                    &format!("both{}", round.number),
                    None,
                )
            })
        };
        let (left, right) = race(&rounds, create, create);
        for (round, (left, right)) in rounds.iter().zip(left.into_iter().zip(right)) {
            let (winner, loser) = one_won(left, right);
            assert_eq!(
                loser,
                Abort::Refused(Refusal::CustomerExists(round.place.clone(), winner))
            );
        }
        db.assert_sound();
    }
}

#[test]
fn two_conversions_of_one_referrer_add_up() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, 2 * count(engine, 100), Referee::Linked);
        let (code, referrer) = (rounds[0].code.clone(), rounds[0].referrer.clone());
        each(&db, &rounds, move |tx, act, round| {
            apply_code(tx, act, &round.place, &code, &round.referee)
        });
        let (left, right) = rounds.split_at(rounds.len() / 2);
        let event = |round: &Round| event(db.node(), round, |_, _| {});
        let other = |round: &Round| event(&right[round.number]);
        race(left, event, other);
        assert_all(&db, &rounds, Status::Converted);
        let place = rounds[0].place.clone();
        let read = move |tx: &mut dyn Tx| Ok(credits::balances(tx, &place, &referrer)?);
        let balances = db.store.scan_blocking(read).unwrap();
        let sums: Vec<i64> = balances.iter().map(|balance| balance.amount).collect();
        assert_eq!(sums, [1_000 * rounds.len() as i64]);
    }
}
