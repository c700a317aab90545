//! Work that one may do at a time.

use billstack_store::customer_creation::{self, NextTry, Reservation};
use billstack_store::idempotency::{self, Answer, Claim, Keyed};
use billstack_store::work::{self, Key};

use super::*;

fn reserve(store: &Store, round: &Round) -> Result<Reservation, Abort> {
    run(store, round, |tx, act, round| {
        customer_creation::reserve(tx, act, &round.place, &address(round))
    })
}

fn address(round: &Round) -> String {
    format!("turn{}@example.com", round.number)
}

fn keyed(round: &Round) -> Keyed {
    Keyed {
        team_id: TEAM.into(),
        caller: "api_key:key_1".to_owned(),
        key: format!("key {}", round.number),
        request_hash: "hash".to_owned(),
    }
}

#[test]
fn two_reservations_of_one_address() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        let reserve = |round: &Round| reserve(db.node(), round);
        let (left, right) = race(&rounds, reserve, reserve);
        for (left, right) in left.into_iter().zip(right) {
            let (_, loser) = one_won(left, right);
            assert_eq!(loser, Refusal::CustomerBeingCreated.into());
        }
        db.assert_sound();
    }
}

#[test]
fn a_reservation_and_the_end_of_the_one_before() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        each(&db, &rounds, |tx, act, round| {
            customer_creation::reserve(tx, act, &round.place, &address(round))
        });
        let end = |round: &Round| {
            let ended = run(db.node(), round, |tx, act, round| {
                if round.number % 3 == 0 {
                    let email = address(round);
                    customer_creation::release(tx, act, &round.place, &email, NextTry::Same)?;
                    return Ok(());
                }
                customer_creation::finish(tx, &round.place, &address(round))?;
                let new = new_customer(&address(round), None);
                customers::create(tx, act, &round.place, &new).map(|_| ())
            });
            ended.unwrap();
        };
        let (reserved, _) = race(&rounds, |round| reserve(db.node(), round), end);
        for (round, reserved) in rounds.iter().zip(reserved) {
            match reserved {
                Ok(_) => assert_eq!(round.number % 3, 0),
                Err(Abort::Refused(
                    Refusal::CustomerBeingCreated | Refusal::CustomerExists(..),
                )) => {}
                Err(why) => panic!("{why:?}"),
            }
        }
        db.assert_sound();
    }
}

#[test]
fn two_claims_of_one_key() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        let claim = |round: &Round| {
            run(db.node(), round, |tx, act, round| {
                idempotency::claim(tx, act, &keyed(round))
            })
        };
        let (left, right) = race(&rounds, claim, claim);
        for (left, right) in left.into_iter().zip(right) {
            let (won, loser) = one_won(left, right);
            assert_eq!((*won, loser), (Claim::Ours, Refusal::KeyInUse.into()));
        }
    }
}

#[test]
fn a_claim_and_the_answer_to_the_one_before() {
    let answer = || Answer {
        status: 201,
        body: "{}".to_owned(),
        customer_id: None,
    };
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        each(&db, &rounds, |tx, act, round| {
            idempotency::claim(tx, act, &keyed(round))
        });
        let end = |round: &Round| {
            let ended = run(db.node(), round, move |tx, _, round| {
                match round.number % 2 {
                    0 => idempotency::keep(tx, &keyed(round), &answer())?,
                    _ => idempotency::release(tx, &keyed(round))?,
                }
                Ok(())
            });
            ended.unwrap();
        };
        let claim = |round: &Round| {
            run(db.node(), round, |tx, act, round| {
                idempotency::claim(tx, act, &keyed(round))
            })
        };
        let (claimed, _) = race(&rounds, claim, end);
        for (round, claimed) in rounds.iter().zip(claimed) {
            match claimed {
                Err(Abort::Refused(Refusal::KeyInUse)) => {}
                Ok(Claim::Answered(kept)) => assert_eq!((kept, round.number % 2), (answer(), 0)),
                Ok(Claim::Ours) => assert_eq!(round.number % 2, 1),
                Err(why) => panic!("{why:?}"),
            }
        }
    }
}

#[test]
fn two_workers_and_one_piece_of_work() {
    const KIND: &str = "test";
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        each(&db, &rounds, |tx, act, round| {
            let key = Key::of_server(KIND, &round.number.to_string());
            let at = act.at;
            Ok(work::enqueue(tx, act, &key, "{}", at)?)
        });
        let take = |round: &Round| {
            let leased = run(db.node(), round, |tx, act, _| {
                let until = act.at.plus(60_000_000);
                Ok(work::claim(tx, act, KIND, 2, until)?)
            });
            let subjects = leased.unwrap().into_iter();
            subjects
                .map(|leased| leased.key.subject)
                .collect::<Vec<_>>()
        };
        let (left, right) = race(&rounds, take, take);
        let mut taken = [left, right].concat().concat();
        let all = taken.len();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), all, "none is leased twice");
    }
}
