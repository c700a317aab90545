//! Pairs in which an event names somebody else than the one who pays, or several change one referral.

use billstack_core::money::Amount;
use billstack_store::story;

use super::*;

/// A session that refers to the referee, as a payment link does.
fn refers(start: &mut Start, round: &Round) {
    start.client_reference_id = Some(round.referee.clone());
}

/// The same of another Stripe customer.
fn refers_as_another(start: &mut Start, round: &Round) {
    start.stripe_customer_id = Some(format!("cus_more{}", round.number));
    start.object_id = format!("sub_more{}", round.number);
    refers(start, round);
}

/// Not yet a subscription: it is told in the story, and converts nothing.
fn unpaid(start: &mut Start) {
    start.eligibility = Eligibility::Waits;
    start.reason = Some("subscription incomplete".to_owned());
}

/// How many events the story of each round's referral has. That they are in order is an invariant.
fn story_lengths(db: &Db, rounds: &[Round]) -> Vec<usize> {
    each(db, rounds, |tx, _, round| {
        let referral = referrals::of_referee(tx, &round.place, &round.referee)?;
        let page = Page {
            limit: 100,
            offset: 0,
            after: None,
        };
        let story = story::story(tx, &TEAM.into(), &referral.unwrap().id, &page)?;
        Ok(story.rows.len())
    })
}

#[test]
fn apply_and_a_session_that_names_a_customer_who_pays_as_another() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        let others = each(&db, &rounds, |tx, act, round| {
            let (name, pays) = (
                format!("other{}", round.number),
                format!("cus_other{}", round.number),
            );
            let referee = make_customer(tx, act, &round.place, &name, Some(&pays))?.id;
            apply_code(tx, act, &round.place, &round.code, &referee)?;
            Ok(Round {
                referee,
                ..round.clone()
            })
        });
        let session = |round: &Round| event(db.node(), &others[round.number], refers);
        race(&rounds, |round| apply(db.node(), round).unwrap(), session);
        assert_all(&db, &rounds, Status::Converted);
        assert_all(&db, &others, Status::Pending);
    }
}

#[test]
fn a_session_that_links_and_an_apply_of_whoever_pays_already() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        apply_each(&db, &rounds);
        let twins = each(&db, &rounds, |tx, act, round| {
            let name = format!("twin{}", round.number);
            let referee = make_customer(tx, act, &round.place, &name, Some(&round.stripe))?.id;
            Ok(Round {
                referee,
                ..round.clone()
            })
        });
        let session = |round: &Round| event(db.node(), round, refers);
        let twin = |round: &Round| apply(db.node(), &twins[round.number]).unwrap();
        race(&rounds, twin, session);
        // Who is known by the Stripe id is meant, and a reference does not say otherwise.
        assert_all(&db, &twins, Status::Converted);
        assert_all(&db, &rounds, Status::Pending);
    }
}

#[test]
fn two_sessions_that_link_one_customer() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        apply_each(&db, &rounds);
        let one = |round: &Round| event(db.node(), round, refers);
        let other = |round: &Round| {
            event(db.node(), round, |start, round| {
                start.stripe_customer_id = Some(format!("cus_more{}", round.number));
                start.object_id = format!("sub_more{}", round.number);
                start.billstack_customer_id = Some(round.referee.clone());
            })
        };
        let (left, right) = race(&rounds, one, other);
        for pair in left.into_iter().zip(right) {
            let converted = Some(Outcome::Converted);
            assert!((pair.0 == converted) != (pair.1 == converted), "{pair:?}");
        }
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn a_link_and_a_session_that_links_to_another() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        apply_each(&db, &rounds);
        let mut kept = deliver_each(&db, &rounds, |_, _| {});
        kept.dedup();
        assert_eq!(kept, [Outcome::NoCustomer]);
        let session = |round: &Round| event(db.node(), round, refers_as_another);
        race(&rounds, |round| link(db.node(), round), session);
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn two_events_that_only_tell() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        apply_each(&db, &rounds);
        let of_payer = |round: &Round| event(db.node(), round, |start, _| unpaid(start));
        let by_name = |round: &Round| {
            event(db.node(), round, |start, round| {
                start.stripe_customer_id = Some(format!("cus_more{}", round.number));
                start.object_id = format!("sub_more{}", round.number);
                start.billstack_customer_id = Some(round.referee.clone());
                unpaid(start);
            })
        };
        race(&rounds, of_payer, by_name);
        assert_all(&db, &rounds, Status::Pending);
        // The one that names its customer has the others decided anew, and so told again.
        for length in story_lengths(&db, &rounds) {
            assert!((3..=4).contains(&length), "{length}");
        }
    }
}

#[test]
fn an_event_that_only_tells_and_the_end_of_the_referrer() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        apply_each(&db, &rounds);
        let tells = |round: &Round| event(db.node(), round, |start, _| unpaid(start));
        race(&rounds, tells, |round| {
            erase(db.node(), round, |round| &round.referrer);
        });
        assert_all(&db, &rounds, Status::Expired);
        let mut lengths = story_lengths(&db, &rounds);
        lengths.dedup();
        assert_eq!(lengths, [3]);
    }
}

#[test]
fn apply_and_two_changes_of_the_program() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        let put = |round: &Round| {
            for step in 1..=2 {
                let amount = Amount::new(2 * round.number as i64 + step).unwrap();
                let changed = run(db.node(), round, move |tx, act, round| {
                    let mut promised = program();
                    promised.terms.referrer_credit_amount = amount;
                    promised.terms.referee_credit_amount = amount;
                    programs::put(tx, act, &round.place, &promised).map(drop)
                });
                changed.unwrap();
            }
        };
        let apply = |round: &Round| apply(db.node(), round).unwrap();
        let (applied, _) = race(&rounds, apply, put);
        for (round, referral) in rounds.iter().zip(applied) {
            let terms = referral.terms;
            // Both amounts are of one promise, which was in force at that moment.
            if terms != program().terms {
                assert_eq!(terms.referrer_credit_amount, terms.referee_credit_amount);
                let amount = terms.referrer_credit_amount.get();
                let number = 2 * round.number as i64;
                assert!((number - 1..=number + 2).contains(&amount), "{amount}");
            }
        }
        db.assert_sound();
    }
}
