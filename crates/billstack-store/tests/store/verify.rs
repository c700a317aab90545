//! Changes by hand that no constraint refuses: the rules find them on both engines.

use std::collections::BTreeSet;

use billstack_core::ids::TeamId;
use billstack_core::money::{Amount, Currency};
use billstack_store::credit_moves::{self, Gift};
use billstack_store::verify::{Breach, MOST_PER_RULE, verify, verify_in};
use billstack_store::{Abort, Act, Place, Tx};
use billstack_store::{params, programs};

use crate::reports::told;
use crate::support::{
    Db, ENGINES, START, make_customer, make_project, make_team, program, start, write,
};

/// Changes, and the rules that notice them: these and no others.
pub(crate) const CHANGES: &[(&str, &[&str])] = &[
    (
        "UPDATE terms SET currency = 'USD' WHERE referrer_credit_amount = 0",
        &["terms_values"],
    ),
    (
        "UPDATE terms SET currency = 'dollar'",
        &[
            "terms_values",
            "referral_as_applied",
            "referrer_credit",
            "referee_credit",
        ],
    ),
    (
        "UPDATE credits SET currency = 'xyz'",
        &[
            "credit_values",
            "credit_as_granted",
            "referrer_credit",
            "referee_credit",
        ],
    ),
    ("UPDATE credits SET status = 'sent'", &["credit_values"]),
    (
        "UPDATE referrals SET stripe_customer_id = 'cus_x' WHERE status = 'pending'",
        &["conversion_of_converted"],
    ),
    (
        "UPDATE referrals SET stripe_event_id = 'evt_x' WHERE status = 'pending'",
        &["conversion_of_converted"],
    ),
    (
        "UPDATE referrals SET status = 'expired', stripe_subscription_id = 'sub_x' \
         WHERE status = 'pending'",
        &["conversion_of_converted"],
    ),
    (
        "UPDATE referrals SET stripe_event_id = NULL WHERE status = 'converted'",
        &["conversion_named", "converted_by_event", "event_converted"],
    ),
    (
        "UPDATE referrals SET stripe_subscription_id = NULL WHERE status = 'converted'",
        &["conversion_named", "conversion_as_told"],
    ),
    (
        "UPDATE referrals SET stripe_customer_id = NULL WHERE status = 'converted'",
        &["conversion_as_told"],
    ),
    (
        "UPDATE events SET created_at = created_at + 10000000 WHERE type = 'referral.converted'",
        &["conversion_first", "story_order"],
    ),
    // What agrees with everything but the story. Ten times and a tenth, since the one amount is the
    // beginning of the other.
    (
        "UPDATE terms SET referrer_credit_amount = 10000; \
         UPDATE credits SET amount = 10000, available = 10000 WHERE side = 'referrer'; \
         UPDATE entry_lines SET amount = 10 * amount WHERE amount IN (1000, -1000)",
        &["referral_as_applied", "credit_as_granted"],
    ),
    (
        "UPDATE terms SET referee_credit_amount = 50; \
         UPDATE credits SET amount = 50, available = 50 WHERE side = 'referee'; \
         UPDATE entry_lines SET amount = amount / 10 WHERE amount IN (500, -500)",
        &["referral_as_applied", "credit_as_granted"],
    ),
    (
        "UPDATE terms SET currency = 'eur'; UPDATE credits SET currency = 'eur'",
        &["referral_as_applied", "credit_as_granted"],
    ),
    (
        "UPDATE referrals SET referee_customer_id = (SELECT id FROM customers \
         WHERE erased_at IS NOT NULL) WHERE status = 'converted'; UPDATE credits SET customer_id = \
         (SELECT id FROM customers WHERE erased_at IS NOT NULL) WHERE side = 'referee'",
        &["referral_as_applied", "credit_as_granted"],
    ),
    ("UPDATE stripe_events SET start = '{}'", &["readable_start"]),
    (
        "UPDATE stripe_events SET start = REPLACE(start, '\"counts\"', '\"count\"')",
        &["readable_start"],
    ),
];

/// A referral and an event that counts, neither of which saw the other.
#[test]
fn a_conversion_that_was_missed_is_noticed() {
    let missed = [
        "UPDATE stripe_events SET outcome = 'no_customer', reason = 'no such customer', \
         referral_id = NULL, customer_id = NULL, project_id = NULL, payload = NULL",
        "UPDATE stripe_events SET outcome = 'no_referral', reason = 'no pending referral', \
         referral_id = NULL",
        "UPDATE stripe_events SET outcome = 'no_referral', reason = 'began too early'",
    ];
    // Decided by what somebody could have changed since.
    let decided = [
        "UPDATE stripe_events SET outcome = 'no_referral', reason = 'self-referral'",
        "UPDATE stripe_events SET outcome = 'no_referral', reason = 'already referred'",
        "UPDATE stripe_events SET outcome = 'ambiguous', referral_id = NULL, customer_id = NULL, \
         payload = NULL",
    ];
    // As if the event had met nobody: what it did is taken back.
    let take_back = [
        "DELETE FROM entry_lines",
        "DELETE FROM entries",
        "DELETE FROM credits",
        "DELETE FROM events WHERE type IN ('referral.converted', 'credit.granted')",
        "UPDATE referrals SET status = 'pending', converted_at = NULL, stripe_customer_id = NULL, \
         stripe_event_id = NULL, stripe_subscription_id = NULL, story_length = 1, \
         story_at = created_at WHERE status = 'converted'",
    ];
    for engine in ENGINES {
        let of = |left: &'static str| {
            let db = Db::new(engine);
            write(&db.store, told);
            write(&db.store, move |tx, _| {
                for statement in take_back.iter().chain([&left]) {
                    assert_ne!(tx.execute(statement, params![])?, 0, "{statement}");
                }
                Ok(())
            });
            breaches_of(&db)
                .into_iter()
                .map(|breach| breach.rule)
                .collect::<Vec<_>>()
        };
        for left in missed {
            assert_eq!(of(left), ["missed_conversion"], "{engine:?}: {left}");
        }
        for left in decided {
            assert_eq!(of(left), Vec::<&str>::new(), "{engine:?}: {left}");
        }
    }
}

fn breaches_of(db: &Db) -> Vec<Breach> {
    db.store.scan_blocking(|tx| Ok(verify(tx)?)).unwrap()
}

#[test]
fn a_change_that_no_constraint_refuses_is_noticed() {
    for engine in ENGINES {
        for (sql, wanted) in CHANGES {
            let db = Db::new(engine);
            write(&db.store, told);
            db.assert_sound();
            let change = |tx: &mut dyn Tx| -> Result<(), Abort> {
                for statement in sql.split("; ") {
                    assert_ne!(tx.execute(statement, params![])?, 0, "{statement}");
                }
                Ok(())
            };
            write(&db.store, move |tx, _| change(tx));
            let breaches = breaches_of(&db);
            let found: BTreeSet<&str> = breaches.iter().map(|breach| breach.rule).collect();
            let wanted: BTreeSet<&str> = wanted.iter().copied().collect();
            assert_eq!(found, wanted, "{engine:?}: {sql}");
        }
    }
}

#[test]
fn a_table_that_is_read_in_pages_is_read_to_its_end() {
    let insert = "INSERT INTO stripe_events (team_id, id, type, created_at, received_at, source, \
                  outcome, start) VALUES ($1, $2, 'customer.subscription.created', $3, $3, 'event', \
                  'no_customer', $4)";
    for engine in ENGINES {
        let db = Db::new(engine);
        // More than a page in each team, so that one page is of both; those at the edges cannot be read.
        write(&db.store, move |tx, _| {
            let sound = serde_json::to_string(&start(None)).unwrap();
            for team in ["team_1", "team_2"] {
                make_team(tx, team)?;
                for number in 0..1_200 {
                    let id = format!("evt_{number:04}_{team}");
                    let is_sound = ![0, 999, 1_000, 1_199].contains(&number);
                    let start = if is_sound { &sound } else { "no JSON" };
                    tx.must(insert, params![&TeamId::from(team), &id, START, start])?;
                }
            }
            Ok(())
        });
        let found: BTreeSet<String> = breaches_of(&db).into_iter().map(|b| b.subject).collect();
        let of_team = |team| [0, 999, 1_000, 1_199].map(|n| format!("evt_{n:04}_{team}"));
        let wanted = [of_team("team_1"), of_team("team_2")].concat();
        assert_eq!(found, wanted.into_iter().collect(), "{engine:?}");

        write(&db.store, |tx, _| {
            Ok(tx.execute("UPDATE stripe_events SET start = '{}'", params![])?)
        });
        assert_eq!(breaches_of(&db).len(), MOST_PER_RULE, "{engine:?}");
    }
}

/// A project with a customer who has so many credits.
fn project(
    tx: &mut dyn Tx,
    act: &mut Act,
    team: &str,
    credits: usize,
) -> Result<(Place, Vec<String>), Abort> {
    make_team(tx, team)?;
    let place = make_project(tx, act, team)?;
    programs::put(tx, act, &place, &program())?;
    let customer = make_customer(tx, act, &place, "ann", None)?;
    let mut ids = Vec::new();
    for _ in 0..credits {
        let gift = Gift {
            customer_id: customer.id.clone(),
            amount: Amount::new(100).unwrap(),
            currency: Currency::USD,
            reason: "contest".to_owned(),
        };
        ids.push(credit_moves::give_by_hand(tx, act, &place, &gift)?.id);
    }
    Ok((place, ids))
}

#[test]
fn breaches_elsewhere_hide_none_of_a_project() {
    for engine in ENGINES {
        let db = Db::new(engine);
        // More than a page in the one.
        let (crowded, small) = write(&db.store, |tx, act| {
            let crowded = project(tx, act, "team_1", 1_100)?;
            Ok((crowded, project(tx, act, "team_2", 2)?))
        });
        let last = crowded.1[1_099].clone();
        let told = |place: &Place| {
            let place = place.clone();
            let found = db.store.scan_blocking(move |tx| Ok(verify_in(tx, &place)?));
            let names = |one: &Breach| (one.rule, one.subject.clone());
            found.unwrap().iter().map(names).collect::<Vec<_>>()
        };
        for place in [&crowded.0, &small.0] {
            assert_eq!(told(place), [], "{engine:?}");
        }
        write(&db.store, |tx, _| {
            Ok(tx.execute("UPDATE credits SET status = 'applied'", params![])?)
        });
        let found = breaches_of(&db).len();
        assert_eq!(found, MOST_PER_RULE, "{engine:?}");
        let mut of_small: Vec<_> = small
            .1
            .iter()
            .map(|id| ("credit_status", id.clone()))
            .collect();
        of_small.sort();
        // In which order they are told is left to the database.
        let mut found = told(&small.0);
        found.sort();
        assert_eq!(found, of_small, "{engine:?}");
        assert_eq!(told(&crowded.0).len(), MOST_PER_RULE, "{engine:?}");
        // What is read in pages is read to its end.
        write(&db.store, move |tx, _| {
            tx.execute("UPDATE credits SET status = 'granted'", params![])?;
            let sql = "UPDATE events SET facts = REPLACE(facts, '\"amount\":100', '\"amount\":9') \
                       WHERE type = 'credit.granted' AND subject = $1";
            Ok(tx.must(sql, params![&last])?)
        });
        let last = crowded.1[1_099].clone();
        let wanted = [("credit_as_given", last)];
        assert_eq!(told(&crowded.0), wanted, "{engine:?}");
        assert_eq!(told(&small.0), [], "{engine:?}");
    }
}
