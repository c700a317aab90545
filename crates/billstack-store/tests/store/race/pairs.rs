//! Pairs that each look for what the other is writing.

use postgres::{Client, NoTls};

use super::*;
use crate::support::postgres_database;

#[test]
fn apply_and_event() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 1_000), Referee::Linked);
        let event = |round: &Round| event(db.node(), round, |_, _| {});
        race(&rounds, |round| apply(db.node(), round).unwrap(), event);
        assert_all(&db, &rounds, Status::Converted);
    }
}

/// A transaction that reads one state throughout does not see what was committed while it waited for a lock.
/// Where the database or the role says that this is the usual isolation, ours must say that it is not.
#[test]
fn apply_and_event_where_another_isolation_is_the_default() {
    let url = postgres_database(Some("migrated"));
    let mut client = Client::connect(&url, NoTls).unwrap();
    let name = url.rsplit('/').next().unwrap();
    let isolation = "default_transaction_isolation = 'repeatable read'";
    let change = format!("ALTER DATABASE {name} SET {isolation}");
    client.batch_execute(&change).unwrap();
    let db = Db::crowded_at(url);
    let rounds = rounds(&db, 300, Referee::Linked);
    let event = |round: &Round| event(db.node(), round, |_, _| {});
    race(&rounds, |round| apply(db.node(), round).unwrap(), event);
    assert_all(&db, &rounds, Status::Converted);
}

#[test]
fn apply_and_an_event_that_names_the_customer() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 1_000), Referee::Unlinked);
        let event = |round: &Round| {
            event(db.node(), round, |start, round| {
                if round.number % 2 == 0 {
                    start.client_reference_id = Some(round.referee.clone());
                } else {
                    start.billstack_customer_id = Some(round.referee.clone());
                }
            })
        };
        race(&rounds, |round| apply(db.node(), round).unwrap(), event);
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn link_and_event() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 1_000), Referee::Unlinked);
        apply_each(&db, &rounds);
        let event = |round: &Round| event(db.node(), round, |_, _| {});
        race(&rounds, |round| link(db.node(), round), event);
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn creation_and_event() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 500), Referee::Unlinked);
        let create = |round: &Round| {
            let created = run(db.node(), round, |tx, act, round| {
                let name = format!("new{}", round.number);
                make_customer(tx, act, &round.place, &name, Some(&round.stripe))
            });
            created.unwrap();
        };
        race(&rounds, create, |round| event(db.node(), round, |_, _| {}));
        // Whichever came first, the event knows its customer.
        let outcomes = each(&db, &rounds, |tx, _, round| {
            let event = event_of(round, |_, _| {});
            Ok(intake::outcome(tx, &TEAM.into(), &event.id)?)
        });
        assert!(outcomes.iter().all(|one| *one == Some(Outcome::NoReferral)));
        db.assert_sound();
    }
}

#[test]
fn apply_and_link() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 200), Referee::Unlinked);
        let mut kept = deliver_each(&db, &rounds, |_, _| {});
        kept.dedup();
        assert_eq!(kept, [Outcome::NoCustomer]);
        let link = |round: &Round| link(db.node(), round);
        race(&rounds, |round| apply(db.node(), round).unwrap(), link);
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn apply_and_an_event_of_the_customer_an_older_event_links() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let mut rounds = rounds(&db, count(engine, 300), Referee::Unlinked);
        // The incomplete subscription names a customer who is made only after it came in.
        for round in &mut rounds {
            round.referee = format!("pc_late_{}", round.number);
        }
        let mut early = deliver_each(&db, &rounds, |start, round| {
            start.client_reference_id = Some(round.referee.clone());
            start.eligibility = Eligibility::Waits;
            start.reason = Some("subscription incomplete".to_owned());
            start.object_id.push_str("_early");
        });
        early.dedup();
        assert_eq!(early, [Outcome::NoCustomer]);
        each(&db, &rounds, |tx, act, round| {
            let new = NewCustomer {
                id: Some(round.referee.clone()),
                ..new_customer(&format!("late{}@example.com", round.number), None)
            };
            customers::create(tx, act, &round.place, &new)
        });
        let event = |round: &Round| event(db.node(), round, |_, _| {});
        race(&rounds, |round| apply(db.node(), round).unwrap(), event);
        assert_all(&db, &rounds, Status::Converted);
    }
}

#[test]
fn applies_of_two_customers_whom_one_event_may_mean() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 300), Referee::Linked);
        let others = each(&db, &rounds, |tx, act, round| {
            let name = format!("other{}", round.number);
            let referee = make_customer(tx, act, &round.place, &name, None)?.id;
            Ok(Round {
                referee,
                ..round.clone()
            })
        });
        // Stripe's customer is the first one; the reference, which anybody can set, another.
        let mut kept = deliver_each(&db, &others, |start, round| {
            start.client_reference_id = Some(round.referee.clone());
        });
        kept.dedup();
        assert_eq!(kept, [Outcome::NoReferral]);
        let other = |round: &Round| apply(db.node(), &others[round.number]).unwrap();
        race(&rounds, |round| apply(db.node(), round).unwrap(), other);
        assert_all(&db, &rounds, Status::Converted);
        assert_all(&db, &others, Status::Pending);
    }
}

#[test]
fn two_people_who_apply_each_others_codes() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 1_000), Referee::Linked);
        let back = each(&db, &rounds, |tx, act, round| {
            let code = codes::create(tx, act, &round.place, &round.referee)?.code;
            Ok(Round {
                code,
                referrer: round.referee.clone(),
                referee: round.referrer.clone(),
                ..round.clone()
            })
        });
        let there = |round: &Round| apply(db.node(), round);
        let (left, right) = race(&rounds, there, |round| {
            apply(db.node(), &back[round.number])
        });
        for (left, right) in left.into_iter().zip(right) {
            let (_, loser) = one_won(left, right);
            let refusal = Refusal::Apply(ApplyRefusal::ReciprocalReferral);
            assert_eq!(loser, refusal.into());
        }
        db.assert_sound();
    }
}

#[test]
fn apply_and_deactivate() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 1_000), Referee::Linked);
        let deactivate = |round: &Round| {
            let done = run(db.node(), round, |tx, act, round| {
                codes::deactivate(tx, act, &round.place, &round.code)
            });
            assert!(!done.unwrap().is_active);
            referrals_of_code(db.node(), round)
        };
        let (applied, counted) = race(&rounds, |round| apply(db.node(), round), deactivate);
        let statuses = statuses(&db, &rounds);
        for ((applied, counted), status) in applied.iter().zip(counted).zip(statuses) {
            let refused = is_apply_refusal(applied, ApplyRefusal::CodeInactive);
            assert!(applied.is_ok() || refused, "{applied:?}");
            // Whatever was there when the switch-off had been answered is all there will ever be.
            assert_eq!(counted, usize::from(applied.is_ok()));
            assert_eq!(usize::from(status.is_some()), counted);
        }
        db.assert_sound();
    }
}

#[test]
fn apply_and_disable() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        write(db.node(), |tx, _| Ok(make_team(tx, TEAM)?));
        let rounds = rounds_in(&db, count(engine, 1_000), Referee::Linked, project);
        let disable = |round: &Round| {
            let done = run(db.node(), round, |tx, act, round| {
                let off = Program {
                    enabled: false,
                    ..program()
                };
                programs::put(tx, act, &round.place, &off).map(drop)
            });
            done.unwrap();
            referrals_of_code(db.node(), round)
        };
        let (applied, counted) = race(&rounds, |round| apply(db.node(), round), disable);
        for (applied, counted) in applied.iter().zip(counted) {
            let refused = is_apply_refusal(applied, ApplyRefusal::ReferralsDisabled);
            assert!(applied.is_ok() || refused, "{applied:?}");
            assert_eq!(counted, usize::from(applied.is_ok()));
        }
        db.assert_sound();
    }
}

#[test]
fn create_code_and_erase() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = rounds(&db, count(engine, 1_000), Referee::Linked);
        let create = |round: &Round| {
            run(db.node(), round, |tx, act, round| {
                codes::create(tx, act, &round.place, &round.referee)
            })
        };
        let erase = |round: &Round| erase(db.node(), round, |round| &round.referee);
        let (created, _) = race(&rounds, create, erase);
        let no_customer = Err(Abort::Refused(Refusal::NotFound(Thing::Customer)));
        assert!(
            created
                .iter()
                .all(|done| done.is_ok() || *done == no_customer)
        );
        db.assert_sound();
    }
}

#[test]
fn apply_and_erase() {
    type Whom = fn(&Round) -> &str;
    let gone = Abort::Refused(Refusal::NotFound(Thing::Customer));
    let inactive = Abort::Refused(Refusal::Apply(ApplyRefusal::CodeInactive));
    let cases: [(Whom, Abort); 2] = [
        (|round| &round.referee, gone),
        (|round| &round.referrer, inactive),
    ];
    for engine in ENGINES {
        for (whom, refusal) in &cases {
            let db = Db::crowded(engine);
            let rounds = rounds(&db, count(engine, 500), Referee::Linked);
            let erase = |round: &Round| erase(db.node(), round, *whom);
            let (applied, _) = race(&rounds, |round| apply(db.node(), round), erase);
            for (applied, status) in applied.iter().zip(statuses(&db, &rounds)) {
                match applied {
                    Ok(_) => assert_eq!(status, Some(Status::Expired)),
                    Err(why) => assert_eq!((why, status), (refusal, None)),
                }
            }
            db.assert_sound();
        }
    }
}

#[test]
fn event_and_erase() {
    type Whom = fn(&Round) -> &str;
    let cases: [Whom; 2] = [|round| &round.referee, |round| &round.referrer];
    for engine in ENGINES {
        for whom in cases {
            let db = Db::crowded(engine);
            let rounds = rounds(&db, count(engine, 200), Referee::Linked);
            apply_each(&db, &rounds);
            let erase = |round: &Round| erase(db.node(), round, whom);
            let event = |round: &Round| event(db.node(), round, |_, _| {});
            let (outcomes, _) = race(&rounds, event, erase);
            for (outcome, status) in outcomes.iter().zip(statuses(&db, &rounds)) {
                let converted = *outcome == Some(Outcome::Converted);
                let wanted = if converted {
                    Status::Converted
                } else {
                    Status::Expired
                };
                assert_eq!(status, Some(wanted));
            }
            db.assert_sound();
        }
    }
}
