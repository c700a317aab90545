//! What takes credits back: its parts are told at the same moment, and each looks for the others.

use billstack_core::money::Amount;
use billstack_core::program::Clawback;
use billstack_store::credit_moves::{self, Asked};
use billstack_store::credits::{Credit, CreditFilter};
use billstack_store::payments;
use serde_json::{Value, json};

use super::*;
use crate::payments::{invoice, money, refund};

/// Rounds of a program whose credits come back, held for some days or not at all.
fn losing(db: &Db, count: usize, hold_days: i64) -> Vec<Round> {
    let shared = write(&db.store, move |tx, act| {
        make_team(tx, TEAM)?;
        let place = make_project(tx, act, TEAM)?;
        let mut program = program();
        program.terms.clawback = Clawback::Always;
        program.terms.hold_days = hold_days;
        program.budget = Some(1_000_000_000);
        programs::put(tx, act, &place, &program)?;
        Ok(place)
    });
    rounds_in(db, count, Referee::Linked, move |_, _| Ok(shared.clone()))
}

/// An id of a kind of this round.
fn id(kind: &str, round: &Round) -> String {
    format!("{kind}_{}", round.number)
}

pub(super) fn paid(round: &Round) -> Incoming {
    let subscription = format!("sub_{}", round.stripe);
    let object = invoice(&id("in", round), &subscription, &id("ch", round));
    money(&id("evt_invoice", round), "invoice.paid", &object)
}

/// The same in the shape of 2025, and the payment that leads to it.
fn paid_basil(round: &Round) -> Incoming {
    let mut object = invoice(&id("in", round), &format!("sub_{}", round.stripe), "");
    object["charge"] = Value::Null;
    money(&id("evt_invoice", round), "invoice.paid", &object)
}

fn linked(round: &Round) -> Incoming {
    let object = json!({
        "id": id("inpay", round), "invoice": id("in", round), "amount_paid": 2000, "status": "paid",
        "payment": {"type": "payment_intent", "payment_intent": id("pi", round)},
    });
    money(&id("evt_link", round), "invoice_payment.paid", &object)
}

pub(super) fn lost(round: &Round, name: &str, amount: i64) -> Incoming {
    let object = refund(&id(name, round), &id("ch", round), amount);
    money(
        &id(&format!("evt_{name}"), round),
        "refund.created",
        &object,
    )
}

/// The same by its payment intent alone.
fn lost_by_intent(round: &Round) -> Incoming {
    let mut object = refund(&id("re", round), "", 600);
    object["charge"] = Value::Null;
    object["payment_intent"] = json!(id("pi", round));
    money(&id("evt_re", round), "refund.created", &object)
}

pub(super) fn tell(store: &Store, round: &Round, event: fn(&Round) -> Incoming) {
    run(store, round, move |tx, act, round| {
        deliver(tx, act, TEAM, &event(round))
    })
    .unwrap();
}

pub(super) fn tell_each(db: &Db, rounds: &[Round], event: fn(&Round) -> Incoming) {
    each(db, rounds, move |tx, act, round| {
        deliver(tx, act, TEAM, &event(round))
    });
}

fn credit_of(tx: &mut dyn Tx, round: &Round) -> Result<Credit, Abort> {
    let filter = CreditFilter {
        customer_id: Some(round.referrer.clone()),
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

/// What came back of the referrer's credit of 1000, in every round.
fn assert_reversed(db: &Db, rounds: &[Round], expected: i64) {
    for round in rounds {
        let round = round.clone();
        let read = move |tx: &mut dyn Tx| credit_of(tx, &round);
        let parts = db.store.scan_blocking(read).unwrap().parts;
        assert_eq!(parts.reversed, expected);
    }
    db.assert_sound();
}

#[test]
fn a_refund_and_the_conversion() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 1_000), 0);
        apply_each(&db, &rounds);
        tell_each(&db, &rounds, paid);
        let converts = |round: &Round| event(db.node(), round, |_, _| {});
        race(
            &rounds,
            |round| tell(db.node(), round, |round| lost(round, "re", 600)),
            converts,
        );
        assert_reversed(&db, &rounds, 300);
    }
}

#[test]
fn an_invoice_and_the_conversion() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 500), 0);
        apply_each(&db, &rounds);
        tell_each(&db, &rounds, |round| lost(round, "re", 600));
        let converts = |round: &Round| event(db.node(), round, |_, _| {});
        race(&rounds, |round| tell(db.node(), round, paid), converts);
        assert_reversed(&db, &rounds, 300);
    }
}

#[test]
fn a_refund_and_an_apply() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 500), 0);
        deliver_each(&db, &rounds, |_, _| {});
        tell_each(&db, &rounds, paid);
        let applies = |round: &Round| apply(db.node(), round).unwrap();
        race(
            &rounds,
            |round| tell(db.node(), round, |round| lost(round, "re", 600)),
            applies,
        );
        assert_reversed(&db, &rounds, 300);
    }
}

#[test]
fn a_refund_and_its_invoice() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 1_000), 0);
        apply_each(&db, &rounds);
        deliver_each(&db, &rounds, |_, _| {});
        let refunds = |round: &Round| tell(db.node(), round, |round| lost(round, "re", 600));
        race(&rounds, |round| tell(db.node(), round, paid), refunds);
        assert_reversed(&db, &rounds, 300);
    }
}

#[test]
fn a_refund_and_the_link_to_its_invoice() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 1_000), 0);
        apply_each(&db, &rounds);
        deliver_each(&db, &rounds, |_, _| {});
        tell_each(&db, &rounds, paid_basil);
        let refunds = |round: &Round| tell(db.node(), round, lost_by_intent);
        race(&rounds, |round| tell(db.node(), round, linked), refunds);
        assert_reversed(&db, &rounds, 300);
    }
}

/// A link of the charge, and the link of its payment intent: the refund is known already, and each sees half of the
/// way.
#[test]
fn the_two_halves_of_a_link() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 1_000), 0);
        apply_each(&db, &rounds);
        deliver_each(&db, &rounds, |_, _| {});
        tell_each(&db, &rounds, lost_by_intent);
        let invoices = |round: &Round| tell(db.node(), round, paid_basil);
        race(&rounds, |round| tell(db.node(), round, linked), invoices);
        assert_reversed(&db, &rounds, 300);
    }
}

#[test]
fn two_refunds() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 1_000), 0);
        apply_each(&db, &rounds);
        deliver_each(&db, &rounds, |_, _| {});
        tell_each(&db, &rounds, paid);
        let one = |round: &Round| tell(db.node(), round, |round| lost(round, "re", 600));
        let other = |round: &Round| tell(db.node(), round, |round| lost(round, "rf", 400));
        race(&rounds, one, other);
        assert_reversed(&db, &rounds, 500);
    }
}

#[test]
fn a_refund_and_a_reversal_by_hand() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 500), 0);
        apply_each(&db, &rounds);
        deliver_each(&db, &rounds, |_, _| {});
        tell_each(&db, &rounds, paid);
        let by_hand = |round: &Round| {
            let reversed = run(db.node(), round, |tx, act, round| {
                let asked = Asked {
                    credit_id: credit_of(tx, round)?.id,
                    amount: Amount::new(400),
                    reason: "because".to_owned(),
                    reference: None,
                };
                credit_moves::reverse(tx, act, &round.place, &asked)
            });
            assert_eq!(reversed.unwrap().reversed_by_hand, 400);
        };
        race(
            &rounds,
            |round| tell(db.node(), round, |round| lost(round, "re", 600)),
            by_hand,
        );
        assert_reversed(&db, &rounds, 700);
    }
}

/// What is given back while the hold ends is the customer's, at once or when it ends: never held for ever.
#[test]
fn a_failed_refund_and_the_end_of_the_hold() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let rounds = losing(&db, count(engine, 500), 30);
        apply_each(&db, &rounds);
        deliver_each(&db, &rounds, |_, _| {});
        tell_each(&db, &rounds, paid);
        tell_each(&db, &rounds, |round| lost(round, "re", 2_000));
        let fails = |round: &Round| {
            tell(db.node(), round, |round| {
                let mut object = refund(&id("re", round), &id("ch", round), 2_000);
                object["status"] = json!("failed");
                money(&id("evt_failed", round), "refund.failed", &object)
            });
        };
        let ends = |round: &Round| {
            let ended = run(db.node(), round, |tx, act, round| {
                let credit = credit_of(tx, round)?.id;
                Ok(payments::end_hold(tx, act, &round.place, &credit)?)
            });
            ended.unwrap()
        };
        race(&rounds, fails, ends);
        assert_reversed(&db, &rounds, 0);
    }
}
