//! Neither the order of what is told nor what goes wrong on the way to Stripe matters: the sums are the same.

use std::collections::BTreeSet;
use std::time::Duration;

use billstack_core::time::{MINUTE, SECOND};
use fake_stripe::{Fault, Injection, RateLimit};
use serde_json::{Value, json};

use super::super::stripe;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::draw::Draw;
use crate::support::fixture::{Pair, apply_body, text};

on_both_engines! {
    any_order_and_any_fault_come_to_the_same with stripe,
}

/// How many orders are drawn.
const ROUNDS: usize = 8;

/// Something of the payment, its members and what it adds.
fn about(t: &Bench, name: &str, more: Value) -> Value {
    let mut object = json!({
        "charge": format!("ch_{name}"), "created": t.seconds(), "currency": "usd",
        "payment_intent": format!("pi_{name}"),
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        object[member] = value.clone();
    }
    object
}

/// A subscription and its first payment of 2000, of which 300 were refunded for good, 500 kept by a bank and 100
/// credited: 900 in all.
fn told(t: &Bench, pair: &Pair, name: &str) -> Vec<Value> {
    let refund = |id: &str, amount: i64, status: &str| {
        let id = format!("re_{name}_{id}");
        let more = json!({"id": id, "object": "refund", "amount": amount, "status": status});
        about(t, name, more)
    };
    let dispute = |status: &str, lines: &[i64]| {
        let line = |amount: &i64| json!({"id": "txn_1", "amount": amount, "currency": "usd"});
        let lines: Vec<Value> = lines.iter().map(line).collect();
        about(
            t,
            name,
            json!({
                "id": format!("dp_{name}"), "object": "dispute", "amount": 2000,
                "balance_transactions": lines, "status": status,
            }),
        )
    };
    let invoice = json!({
        "id": format!("in_{name}"), "object": "invoice", "amount_due": 2000, "amount_paid": 2000,
        "billing_reason": "subscription_create", "customer": pair.stripe, "paid": true, "status": "paid",
        "subscription": pair.stripe.replace("cus_", "sub_"),
    });
    let note = json!({
        "id": format!("cn_{name}"), "object": "credit_note", "amount": 100, "customer": pair.stripe,
        "customer_balance_transaction": "cbtxn_1", "invoice": format!("in_{name}"), "status": "issued",
        "type": "post_payment",
    });
    vec![
        t.created(&pair.stripe),
        t.event("invoice.paid", &about(t, name, invoice)),
        t.event("refund.created", &refund("a", 300, "pending")),
        t.event("refund.updated", &refund("a", 300, "succeeded")),
        t.event("refund.created", &refund("b", 1400, "pending")),
        t.event("refund.failed", &refund("b", 1400, "failed")),
        t.event(
            "charge.dispute.funds_withdrawn",
            &dispute("needs_response", &[-2000]),
        ),
        t.event("charge.dispute.closed", &dispute("lost", &[-2000, 1500])),
        t.event("credit_note.created", &about(t, name, note)),
    ]
}

/// Something that goes wrong with calls about balances, once or more.
fn fault(draw: &mut Draw) -> Injection {
    let posts = |fault| {
        let fault = Injection::new(fault).method("POST");
        fault.path_ending("/balance_transactions")
    };
    let fault = match draw.below(9) {
        0 => posts(Fault::Reset),
        1 => posts(Fault::ResetAfterCommit),
        2 => posts(Fault::Unreadable),
        3 => posts(Fault::ProxyPageAfterCommit(504)),
        4 => posts(Fault::StatusAfterCommit(500)),
        5 => posts(Fault::Status(500)),
        6 => Injection::lock_timeout().method("POST"),
        7 => Injection::rate_limited(RateLimit::ALL[draw.below(RateLimit::ALL.len())]),
        _ => Injection::new(Fault::ProxyPage(502)).method("GET"),
    };
    fault.times(1 + draw.below(2))
}

/// Tells everything in a random order, some of it again, while Stripe fails; sometimes there is time to make calls.
async fn tell(t: &Bench, pair: &Pair, draw: &mut Draw, events: Vec<Value>) {
    let mut all: Vec<Option<Value>> = events.into_iter().map(Some).collect();
    for _ in 0..4 {
        all.push(all[draw.below(all.len())].clone());
    }
    // The apply.
    all.push(None);
    draw.shuffle(&mut all);
    for one in all {
        if draw.below(2) == 0 {
            t.fake().inject(fault(draw));
        }
        match one {
            Some(event) => t.accept(&event).await,
            None => {
                let body = apply_body(&pair.code, &pair.referee);
                t.key.post("referrals/apply", body).await.created();
            }
        }
        match draw.below(3) {
            0 => tokio::time::sleep(Duration::from_millis(60)).await,
            1 => t.advance([SECOND, MINUTE, 5 * MINUTE][draw.below(3)]),
            _ => {}
        }
    }
}

/// The only credit of a customer, once Stripe has answered whether the referee was new.
async fn credit_of(t: &Bench, customer: &str) -> String {
    let list = format!("referrals/credits?customerId={customer}");
    for _ in 0..200 {
        if let Some(id) = t.key.get(&list).await.ok()["credits"][0]["id"].as_str() {
            return id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        t.advance(5 * SECOND);
    }
    panic!("{customer} never gets a credit");
}

async fn any_order_and_any_fault_come_to_the_same(t: &Bench) {
    t.delivering(json!({"clawback": "always"})).await;
    let mut given = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut draw = Draw(round as u64);
        let name = format!("n{round}");
        let (mine, theirs) = (format!("cus_r{round}"), format!("cus_e{round}"));
        let referrer = t.payer(&format!("r{round}"), &mine).await;
        let pair = Pair {
            code: t.code(&referrer).await,
            referee: t.payer(&format!("e{round}"), &theirs).await,
            referrer,
            stripe: theirs.clone(),
        };
        let events = told(t, &pair, &name);
        tell(t, &pair, &mut draw, events).await;
        for (customer, stripe, left, back) in [
            (&pair.referrer, &mine, 550, 450),
            (&pair.referee, &theirs, 275, 225),
        ] {
            let id = credit_of(t, customer).await;
            let wanted = json!({
                "held": 0, "available": 0, "delivered": left, "applied": 0, "reversed": back, "settled": 0,
                "shortfall": 0,
            });
            t.stands(&id, wanted).await;
            let amounts = t.amounts(stripe);
            assert_eq!(amounts.iter().sum::<i64>(), -left, "{round}: {amounts:?}");
            for line in t.lines(stripe) {
                let operation = text(&line["metadata"]["billstack_op_id"]);
                assert!(given.insert(operation), "{round}: a call was made twice");
            }
        }
        t.fake().clear_faults();
    }
}
