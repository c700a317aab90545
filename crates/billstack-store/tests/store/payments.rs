//! What is kept of payments, and that damage to it is noticed.

use billstack_core::attribution::Outcome;
use billstack_core::program::Clawback;
use billstack_core::stripe_event::{Meaning, read_object};
use billstack_core::time::{DAY, Micros, SECOND};
use billstack_store::credits::{self, CreditFilter};
use billstack_store::dump::dump;
use billstack_store::intake::{self, Content, Incoming};
use billstack_store::list::Page;
use billstack_store::{Abort, Act, Place, Tx, codes, programs, retention};
use serde_json::{Value, json};

use crate::damage::found_after;
use crate::support::{
    Db, ENGINES, Random, START, apply_code, deliver, incoming, make_customer, make_project,
    make_team, origin_at, program, start, write,
};

const TEAM: &str = "team_1";

/// An event of a type about an object that was made an hour after the conversion.
pub(crate) fn money(id: &str, kind: &str, object: &Value) -> Incoming {
    let at = START.plus(3_600 * SECOND);
    let mut object = object.clone();
    object["created"] = json!(at.as_secs());
    let told = match read_object(kind, object.to_string().as_bytes(), at) {
        Some(Meaning::Money(told)) => told,
        other => panic!("{other:?}"),
    };
    Incoming {
        kind: kind.to_owned(),
        created_at: at,
        content: Content::Money(told),
        ..incoming(id, start(None))
    }
}

/// The first invoice of a subscription, paid by a charge, in the shape of 2024.
pub(crate) fn invoice(id: &str, subscription: &str, charge: &str) -> Value {
    json!({
        "id": id, "amount_paid": 2000, "amount_due": 2000, "billing_reason": "subscription_create",
        "charge": charge, "currency": "usd", "status": "paid", "subscription": subscription,
    })
}

pub(crate) fn refund(id: &str, charge: &str, amount: i64) -> Value {
    json!({"id": id, "amount": amount, "charge": charge, "currency": "usd", "status": "succeeded"})
}

/// A converted referral of which 600 of 2000 were refunded, and a refund of nobody's.
fn refunded(tx: &mut dyn Tx, act: &mut Act) -> Result<Place, Abort> {
    make_team(tx, TEAM)?;
    let place = make_project(tx, act, TEAM)?;
    let mut program = program();
    program.terms.clawback = Clawback::Always;
    programs::put(tx, act, &place, &program)?;
    let referrer = make_customer(tx, act, &place, "ann", None)?.id;
    let code = codes::create(tx, act, &place, &referrer)?.code;
    let referee = make_customer(tx, act, &place, "bob", Some("cus_bob"))?.id;
    apply_code(tx, act, &place, &code, &referee)?;
    deliver(tx, act, TEAM, &incoming("evt_bob", start(Some("cus_bob"))))?;
    let events = [
        money(
            "evt_1",
            "invoice.paid",
            &invoice("in_1", "sub_cus_bob", "ch_1"),
        ),
        money("evt_2", "refund.created", &refund("re_1", "ch_1", 600)),
        money("evt_3", "refund.created", &refund("re_x", "ch_x", 600)),
    ];
    for event in &events {
        deliver(tx, act, TEAM, event)?;
    }
    Ok(place)
}

/// Damage, and the rules that must notice it.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "DELETE FROM money_facts WHERE fact_key = 'refund:re_1'",
        &["taken_back_as_told"],
    ),
    (
        "DELETE FROM payment_links WHERE kind = 'charge_invoice'",
        &["taken_back_as_told"],
    ),
    (
        "UPDATE money_facts SET fact = REPLACE(fact, '600', '700') WHERE fact_key = 'refund:re_1'",
        &["taken_back_as_told"],
    ),
    (
        "UPDATE money_facts SET charge_id = 'ch_2' WHERE fact_key = 'refund:re_1'",
        &["taken_back_as_told", "readable_payment"],
    ),
    (
        "UPDATE money_facts SET fact = '{}' WHERE fact_key = 'refund:re_x'",
        &["readable_payment"],
    ),
    (
        "UPDATE money_facts SET fact_key = 'refund:re_y' WHERE fact_key = 'refund:re_x'",
        &["readable_payment"],
    ),
    (
        "UPDATE payment_links SET from_id = 'ch_1' WHERE kind = 'event_waits'",
        &["payment_waits"],
    ),
    (
        "DELETE FROM work WHERE kind = 'payment_question' AND subject = 'ch_x'",
        &["payment_asked"],
    ),
    (
        "UPDATE credits SET reversed_by_hand = reversed",
        &["taken_back_as_told", "credit_by_hand"],
    ),
    (
        "DELETE FROM events WHERE type = 'credit.reversed'",
        &["entry_events", "story_numbers"],
    ),
];

#[test]
fn damage_to_what_was_told_of_payments_is_noticed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, refunded);
        db.assert_sound();
        let mut faults = Vec::new();
        for (sql, wanted) in DAMAGES {
            let found = found_after(&db, sql);
            if !wanted.iter().all(|rule| found.contains(*rule)) {
                faults.push(format!("{sql}: {wanted:?} not all among {found:?}"));
            }
        }
        assert!(faults.is_empty(), "{engine:?}: {}", faults.join("\n"));
    }
}

fn rows(db: &Db, table: &str) -> Vec<String> {
    let tables = db.store.scan_blocking(|tx| Ok(dump(tx)?)).unwrap();
    tables
        .into_iter()
        .find(|(name, _)| name == table)
        .unwrap()
        .1
}

#[test]
fn what_no_credit_depends_on_is_forgotten() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let now = START.plus(DAY);
        db.store
            .write_blocking(origin_at(now, 1), refunded)
            .unwrap();
        let drop = |at: Micros| {
            let drop =
                move |tx: &mut dyn Tx, _: &mut Act| Ok(retention::drop_payments(tx, at, 100)?);
            db.store.write_blocking(origin_at(at, 2), drop).unwrap()
        };
        // The longest window and a month.
        assert_eq!(drop(now.plus(210 * DAY - SECOND)), 0);
        assert!(drop(now.plus(210 * DAY + SECOND)) > 0);
        let facts = rows(&db, "money_facts");
        assert_eq!(facts.len(), 2, "{facts:?}");
        assert!(!facts.iter().any(|fact| fact.contains("re_x")));
        assert!(
            !rows(&db, "payment_links")
                .iter()
                .any(|link| link.contains("ch_x"))
        );
        db.assert_sound();
    }
}

#[test]
fn an_event_that_was_told_is_told_once() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, refunded);
        let before = (
            rows(&db, "credits"),
            rows(&db, "entries"),
            rows(&db, "money_facts"),
        );
        let outcomes = write(&db.store, |tx, act| {
            let again = money("evt_2", "refund.created", &refund("re_1", "ch_1", 600));
            let same = money("evt_4", "refund.updated", &refund("re_1", "ch_1", 600));
            let seen = deliver(tx, act, TEAM, &again)?;
            let told = deliver(tx, act, TEAM, &same)?.map(|settled| settled.outcome);
            Ok((seen, told, intake::outcome(tx, &TEAM.into(), "evt_3")?))
        });
        assert_eq!(
            outcomes,
            (None, Some(Outcome::Recorded), Some(Outcome::Waiting))
        );
        let after = (
            rows(&db, "credits"),
            rows(&db, "entries"),
            rows(&db, "money_facts"),
        );
        assert_eq!(before, after);
    }
}

/// All that is told of one referral, by its number: what is applied and what comes of it.
fn deliveries(number: u64) -> Vec<Incoming> {
    let name = |kind: &str| format!("{kind}_{number}");
    let mut by_intent = refund(&name("re"), "", 600);
    by_intent["charge"] = Value::Null;
    by_intent["payment_intent"] = json!(name("pi"));
    let mut failed = refund(&name("rf"), &name("ch"), 900);
    failed["status"] = json!("failed");
    let mut paid = invoice(&name("in"), &name("sub_cus"), "");
    paid["charge"] = Value::Null;
    let link = json!({
        "id": name("inpay"), "invoice": name("in"), "amount_paid": 2000, "status": "paid",
        "payment": {"type": "payment_intent", "payment_intent": name("pi")},
    });
    let dispute = |status: &str, lines: &[i64]| {
        let lines: Vec<Value> = lines
            .iter()
            .map(|amount| json!({"amount": amount}))
            .collect();
        json!({
            "id": name("dp"), "amount": 2000, "balance_transactions": lines, "charge": name("ch"),
            "currency": "usd", "payment_intent": name("pi"), "status": status,
        })
    };
    let stripe = name("cus");
    vec![
        incoming(&name("evt_start"), start(Some(&stripe))),
        money(&name("evt_paid"), "invoice.paid", &paid),
        money(&name("evt_link"), "invoice_payment.paid", &link),
        money(&name("evt_re"), "refund.created", &by_intent),
        money(
            &name("evt_rf"),
            "refund.created",
            &refund(&name("rf"), &name("ch"), 900),
        ),
        money(&name("evt_failed"), "refund.failed", &failed),
        money(
            &name("evt_open"),
            "charge.dispute.created",
            &dispute("needs_response", &[-2000]),
        ),
        money(
            &name("evt_lost"),
            "charge.dispute.closed",
            &dispute("lost", &[-2000, 1500]),
        ),
    ]
}

/// One run of random orders on both engines: equal tables, and the same sums whatever the order. 600 were refunded
/// and 500 disputed of 2000.
#[test]
fn any_order_ends_in_the_same_sums_and_rows() {
    let mut dumps = Vec::new();
    for engine in ENGINES {
        let db = Db::new(engine);
        let place = db
            .store
            .write_blocking(origin_at(START, 1), refunded)
            .unwrap();
        let mut random = Random::new(7);
        let mut step = 2;
        for number in 0..30 {
            let mut told: Vec<Option<Incoming>> =
                deliveries(number).into_iter().map(Some).collect();
            let again: Vec<_> = (0..3)
                .map(|_| told[random.below(told.len() as u64) as usize].clone())
                .collect();
            told.extend(again);
            // The customers and the apply.
            told.push(None);
            for place in (1..told.len()).rev() {
                told.swap(place, random.below(place as u64 + 1) as usize);
            }
            for event in told {
                let (place, at) = (place.clone(), START.plus(step as i64 * SECOND));
                let op = move |tx: &mut dyn Tx, act: &mut Act| match &event {
                    Some(event) => deliver(tx, act, TEAM, event).map(drop),
                    None => {
                        let owner = make_customer(tx, act, &place, &format!("r{number}"), None)?.id;
                        let code = codes::create(tx, act, &place, &owner)?.code;
                        let stripe = format!("cus_{number}");
                        let referee = format!("e{number}");
                        let referee = make_customer(tx, act, &place, &referee, Some(&stripe))?.id;
                        apply_code(tx, act, &place, &code, &referee).map(drop)
                    }
                };
                db.store.write_blocking(origin_at(at, step), op).unwrap();
                step += 1;
            }
        }
        db.assert_sound();
        let page = Page {
            limit: 1_000,
            offset: 0,
            after: None,
        };
        let list =
            move |tx: &mut dyn Tx| Ok(credits::list(tx, &place, &CreditFilter::default(), &page)?);
        let credits = db.store.scan_blocking(list).unwrap().rows;
        let of_order: Vec<_> = credits
            .iter()
            .filter(|credit| credit.amount.get() == 1_000)
            .collect();
        assert_eq!(of_order.len(), 31);
        let back = of_order
            .iter()
            .filter(|credit| credit.parts.reversed == 550);
        assert_eq!(back.count(), 30);
        dumps.push(db.store.scan_blocking(|tx| Ok(dump(tx)?)).unwrap());
    }
    assert_eq!(dumps[0], dumps[1]);
}
