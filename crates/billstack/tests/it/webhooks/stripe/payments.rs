//! Refunds, disputes and credit notes: what they take of credits, and give back.

mod asked;
mod disputes;
mod links;
mod order;
mod refunds;
mod told;
mod windows;
mod words;

use fake_stripe::{EventOptions, event};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{Pair, text};

/// A referral that converted by a subscription `sub_a`, under terms that take credits of 1000 and 500 back.
struct Converted {
    pair: Pair,
    referral: String,
}

/// Sets these members of the program's config besides the usual ones.
async fn terms(t: &Bench, members: Value) {
    let mut body =
        json!({"enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500});
    body.as_object_mut()
        .expect("an object")
        .extend(members.as_object().expect("an object").clone());
    t.key.put("referrals/config", body).await.ok();
}

async fn applied(t: &Bench, members: Value) -> Converted {
    let pair = t.pair("a").await;
    terms(t, members).await;
    let referral = text(&t.apply(&pair).await["id"]);
    Converted { pair, referral }
}

async fn converted(t: &Bench, members: Value) -> Converted {
    let converted = applied(t, members).await;
    t.subscribe(&converted.pair).await;
    converted
}

/// Always, as far as tests of one day go.
fn always() -> Value {
    json!({"clawback": "always"})
}

/// A converted referral whose first invoice was paid: so much, by `ch_1`.
async fn paid(t: &Bench, amount: i64) -> Converted {
    let converted = converted(t, always()).await;
    t.accept(&t.event("invoice.paid", &invoice(t, amount)))
        .await;
    converted
}

/// The first invoice of the subscription, in the shape of 2024.
fn invoice(t: &Bench, amount: i64) -> Value {
    json!({
        "id": "in_1", "object": "invoice", "amount_due": amount, "amount_paid": amount,
        "billing_reason": "subscription_create", "charge": "ch_1", "created": t.seconds(), "currency": "usd",
        "customer": "cus_a", "customer_email": "a-referee@example.com", "paid": true, "payment_intent": "pi_1",
        "status": "paid", "subscription": "sub_a",
    })
}

/// The same in the shape of 2025: nothing leads from a charge to it.
fn invoice_basil(t: &Bench, amount: i64) -> Value {
    json!({
        "id": "in_1", "object": "invoice", "amount_due": amount, "amount_overpaid": 0, "amount_paid": amount,
        "billing_reason": "subscription_create", "created": t.seconds(), "currency": "usd", "customer": "cus_a",
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_a"}},
        "status": "paid",
    })
}

fn invoice_payment(id: &str, intent: &str, amount: i64) -> Value {
    json!({
        "id": id, "object": "invoice_payment", "amount_paid": amount, "currency": "usd", "invoice": "in_1",
        "payment": {"type": "payment_intent", "payment_intent": intent}, "status": "paid",
    })
}

fn refund(t: &Bench, id: &str, amount: i64, status: &str) -> Value {
    json!({
        "id": id, "object": "refund", "amount": amount, "charge": "ch_1", "created": t.seconds(),
        "currency": "usd", "payment_intent": "pi_1", "status": status,
    })
}

/// A charge of 2000 of which so much was refunded.
fn charge(refunded: i64) -> Value {
    json!({
        "id": "ch_1", "object": "charge", "amount": 2000, "amount_captured": 2000, "amount_refunded": refunded,
        "currency": "usd", "customer": "cus_a", "payment_intent": "pi_1",
    })
}

/// The event of a charge of which so much had been refunded, and so much has been.
fn refunded(t: &Bench, before: i64, total: i64) -> Value {
    let previous = json!({"amount_refunded": before});
    let options = EventOptions::at(t.seconds()).previous_attributes(previous);
    event("charge.refunded", &charge(total), &options)
}

fn dispute(t: &Bench, status: &str, lines: &[i64]) -> Value {
    let line = |amount: &i64| json!({"id": "txn_1", "amount": amount, "currency": "usd"});
    let lines: Vec<Value> = lines.iter().map(line).collect();
    json!({
        "id": "dp_1", "object": "dispute", "amount": 2000, "balance_transactions": lines, "charge": "ch_1",
        "created": t.seconds(), "currency": "usd", "payment_intent": "pi_1", "status": status,
    })
}

fn note(t: &Bench, members: Value) -> Value {
    let mut note = json!({
        "id": "cn_1", "object": "credit_note", "amount": 600, "created": t.seconds(), "currency": "usd",
        "customer": "cus_a", "customer_balance_transaction": null, "invoice": "in_1", "out_of_band_amount": null,
        "refund": null, "status": "issued", "type": "post_payment",
    });
    note.as_object_mut()
        .expect("an object")
        .extend(members.as_object().expect("an object").clone());
    note
}

impl Bench {
    /// The credit of a side of the only referral.
    async fn credit_of(&self, side: &str) -> Value {
        let credits = self.credits().await;
        let credit = credits.iter().find(|credit| credit["side"] == side);
        credit.expect("a credit of each side").clone()
    }

    /// What is left of the two credits, the referrer's first: what is held and what is the customer's.
    async fn left(&self) -> (i64, i64) {
        let mut left = Vec::new();
        for side in ["referrer", "referee"] {
            let amounts = self.credit_of(side).await["amounts"].take();
            let part = |name: &str| amounts[name].as_i64().expect("an amount");
            left.push(part("held") + part("available"));
        }
        (left[0], left[1])
    }

    /// Delivers events one after the other.
    async fn tell(&self, events: &[Value]) {
        for event in events {
            self.accept(event).await;
        }
    }

    /// The reason that is kept with an event.
    async fn reason_of(&self, event: &Value) -> String {
        let path = self
            .home
            .path(&format!("stripe/events/{}", text(&event["id"])));
        text(&self.owner.get(&path).await.ok()["event"]["reason"])
    }
}
