//! What is used of credits in balances in Stripe, and what is taken back from there.

mod faults;
mod loss;
mod order;
mod used;

use fake_stripe::{EventOptions, Generation, event};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{Pair, text};

/// A referral whose referrer has 1000 in Stripe as `cus_a`, for a first payment of 2000 by the referee `cus_b`.
pub(super) async fn earned(t: &Bench, more: Value) -> String {
    let mut config = json!({"refereeCreditAmount": 0, "clawback": "always"});
    for (member, value) in more.as_object().into_iter().flatten() {
        config[member] = value.clone();
    }
    t.delivering(config).await;
    let referrer = t.payer("a", "cus_a").await;
    let pair = Pair {
        code: t.code(&referrer).await,
        referee: t.payer("b", "cus_b").await,
        referrer,
        stripe: "cus_b".to_owned(),
    };
    let referral = text(&t.apply(&pair).await["id"]);
    t.subscribe(&pair).await;
    t.accept(&t.event("invoice.paid", &first_invoice(t))).await;
    let list = t
        .key
        .get(&format!("referrals/credits?referralId={referral}"));
    text(&list.await.ok()["credits"][0]["id"])
}

fn first_invoice(t: &Bench) -> Value {
    json!({
        "id": "in_first", "object": "invoice", "amount_due": 2000, "amount_paid": 2000,
        "billing_reason": "subscription_create", "charge": "ch_1", "created": t.seconds(), "currency": "usd",
        "customer": "cus_b", "paid": true, "payment_intent": "pi_1", "status": "paid", "subscription": "sub_b",
    })
}

/// A dispute about the first payment, whose money is where these lines say.
pub(super) fn disputed(t: &Bench, status: &str, lines: &[i64]) -> Value {
    let line = |amount: &i64| json!({"id": "txn_1", "amount": amount, "currency": "usd"});
    let lines: Vec<Value> = lines.iter().map(line).collect();
    let dispute = json!({
        "id": "dp_1", "object": "dispute", "amount": 2000, "balance_transactions": lines, "charge": "ch_1",
        "created": t.seconds(), "currency": "usd", "payment_intent": "pi_1", "status": status,
    });
    t.event("charge.dispute.updated", &dispute)
}

/// So much of the first payment has been refunded in all, as Stripe says too when it is asked.
pub(super) fn refunded(t: &Bench, before: i64, total: i64) -> Value {
    let refund = json!({
        "id": format!("re_{total}"), "object": "refund", "amount": total - before, "charge": "ch_1",
        "created": t.seconds(), "currency": "usd", "payment_intent": "pi_1", "status": "succeeded",
    });
    t.fake().with_books(|books| books.refunds.put(refund));
    let charge = json!({
        "id": "ch_1", "object": "charge", "amount": 2000, "amount_captured": 2000, "amount_refunded": total,
        "currency": "usd", "customer": "cus_b", "payment_intent": "pi_1",
    });
    let previous = json!({"amount_refunded": before});
    let options = EventOptions::at(t.seconds()).previous_attributes(previous);
    event("charge.refunded", &charge, &options)
}

impl Bench {
    /// Lets an invoice use a balance in Stripe, without an event that tells of it. Returns its id.
    pub(crate) fn bill(&self, customer: &str, total: i64) -> String {
        let money = self.fake().money();
        let invoice = money.invoice(&fake_stripe::NewInvoice::new(customer, total, "usd"));
        money.finalize(&invoice);
        invoice
    }

    /// Delivers the events of everything that happened in Stripe.
    pub(crate) async fn hear(&self) {
        for event in self.fake().take_events(Generation::BasilMay) {
            self.accept(&event).await;
        }
    }

    /// Waits until these amounts of a credit are what they should be, and nothing is left to do for it. Whenever its
    /// delivery waits for a time, that time comes.
    #[track_caller]
    pub(crate) fn stands(&self, id: &str, wanted: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let is_wanted = |credit: &Value| {
                let mut wanted = wanted.as_object().into_iter().flatten();
                wanted.all(|(part, units)| credit["amounts"][part] == *units)
            };
            for look in 1..=800 {
                let credit = self.credit(id).await;
                let is_over = credit["delivery"]["state"] == "delivered";
                if is_over && is_wanted(&credit) {
                    return credit;
                }
                self.advance(self.until_next(&credit));
                if look % 60 == 0 {
                    self.advance(super::LEASE);
                }
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
            panic!("{caller}: never {wanted}: {:#}", self.credit(id).await);
        }
    }

    /// What is owed of one side's credits, and what became of them.
    pub(super) async fn liability(&self, side: &str) -> Value {
        let answer = self.key.get("referrals/liability").await.ok();
        let mut parts = answer["liability"].as_array().expect("a list").iter();
        let part = parts.find(|part| part["side"] == side);
        part.expect("a part of the side").clone()
    }

    /// The postings of a credit on an account.
    pub(super) async fn postings(&self, id: &str, account: &str) -> Vec<Value> {
        let path = format!("referrals/credits/{id}/postings");
        let all = self.key.get(&path).await.ok();
        let all = all["postings"].as_array().expect("a list").clone();
        all.into_iter()
            .filter(|posting| posting["account"] == account)
            .collect()
    }
}
