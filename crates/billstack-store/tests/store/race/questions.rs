//! Referrals about which Stripe is still to be asked: what meets the answer.

use billstack_core::stripe_event::Subscriptions;
use billstack_core::time::Micros;
use billstack_store::newness::{self, Answer, Answered};
use billstack_store::verify::verify;
use billstack_store::{params, work};

use super::*;
use crate::support::apply_unanswered;

fn unanswered(store: &Store, round: &Round) {
    let applied = run(store, round, |tx, act, round| {
        apply_unanswered(tx, act, &round.place, &round.code, &round.referee)
    });
    assert_eq!(applied.unwrap().status, Status::Pending);
}

/// What a worker does: it asks, outside of a transaction, and brings the answer.
fn answer(store: &Store, round: &Round, earliest: Option<Micros>) {
    let told = Subscriptions {
        earliest,
        counting: None,
    };
    loop {
        let (place, referee) = (round.place.clone(), round.referee.clone());
        let ask = move |tx: &mut dyn Tx| {
            let referral = referrals::of_referee(tx, &place, &referee)?.unwrap();
            let asked = newness::question(tx, &place, &referral.id)?;
            Ok((referral.id, asked))
        };
        let (id, asked) = store.scan_blocking(ask).unwrap();
        let answer = match asked {
            Some(asked) => Answer::Told(asked, told.clone()),
            None => Answer::NobodyToAsk,
        };
        let taken = run(store, round, move |tx, act, round| {
            newness::answer(tx, act, &round.place, &id, &answer)
        });
        // Linked in between: the answer was about somebody else.
        if taken.unwrap() == Answered::Closed {
            return;
        }
    }
}

fn questions(db: &Db) -> usize {
    let due = |tx: &mut dyn Tx| Ok(work::due(tx, newness::KIND, Micros(i64::MAX), 10_000)?.len());
    db.store.scan_blocking(due).unwrap()
}

#[test]
fn an_answer_and_an_event() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 500), Referee::Linked);
        rounds.iter().for_each(|round| unanswered(db.node(), round));
        let event = |round: &Round| event(db.node(), round, |_, _| {});
        race(&rounds, |round| answer(db.node(), round, None), event);
        assert_all(&db, &rounds, Status::Converted);
        assert_eq!(questions(&db), 0);
    }
}

#[test]
fn an_apply_without_an_answer_and_an_event() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 500), Referee::Linked);
        let event = |round: &Round| event(db.node(), round, |_, _| {});
        race(&rounds, |round| unanswered(db.node(), round), event);
        assert_all(&db, &rounds, Status::Pending);
        assert_eq!(questions(&db), rounds.len());
        for round in &rounds {
            answer(db.node(), round, None);
        }
        assert_all(&db, &rounds, Status::Converted);
        assert_eq!(questions(&db), 0);
    }
}

#[test]
fn an_answer_and_a_link() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        rounds.iter().for_each(|round| unanswered(db.node(), round));
        deliver_each(&db, &rounds, |_, _| {});
        let ask = |round: &Round| answer(db.node(), round, None);
        race(&rounds, ask, |round| link(db.node(), round));
        assert_all(&db, &rounds, Status::Converted);
        assert_eq!(questions(&db), 0);
    }
}

/// Two workers, of which one was taken for dead.
#[test]
fn two_answers() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        rounds.iter().for_each(|round| unanswered(db.node(), round));
        deliver_each(&db, &rounds, |_, _| {});
        let old = Some(Micros(0));
        let ask = |round: &Round| answer(db.node(), round, old);
        race(&rounds, ask, ask);
        assert_all(&db, &rounds, Status::Expired);
        assert_eq!(questions(&db), 0);
    }
}

#[test]
fn an_answer_and_an_erasure() {
    for engine in ENGINES {
        let sides: [fn(&Round) -> &str; 2] = [|round| &round.referee, |round| &round.referrer];
        for whom in sides {
            let db = Db::crowded(engine);
            let rounds = rounds(&db, count(engine, 200), Referee::Linked);
            rounds.iter().for_each(|round| unanswered(db.node(), round));
            deliver_each(&db, &rounds, |_, _| {});
            let erase = |round: &Round| erase(db.node(), round, whom);
            race(&rounds, |round| answer(db.node(), round, None), erase);
            for status in statuses(&db, &rounds) {
                assert_ne!(status, Some(Status::Pending));
            }
            // The work of a referrer who was erased first is over with the answer.
            assert_eq!(questions(&db), 0);
            db.assert_sound();
        }
    }
}

/// Nobody would ever look again at what waits for an answer that was there.
#[test]
fn a_question_that_was_taken_away_by_hand_is_noticed() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, 1, Referee::Linked);
        unanswered(db.node(), &rounds[0]);
        deliver_each(&db, &rounds, |_, _| {});
        db.assert_sound();
        let broken: Result<Vec<_>, Abort> = db.store.write_blocking(origin(), |tx, _| {
            tx.execute("UPDATE referrals SET question_since = NULL", params![])?;
            Ok(verify(tx)?.iter().map(|breach| breach.rule).collect())
        });
        assert_eq!(broken.unwrap(), ["missed_conversion"]);
    }
}
