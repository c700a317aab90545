//! Which events each change causes: exactly these.

use billstack_core::time::{DAY, MINUTE, SECOND};
use serde_json::{Value, json};

use super::types;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    of_customers,
    of_codes_and_programs,
    of_what_does_not_convert,
    of_an_erasure,
    of_credits,
    of_a_hold,
    of_what_the_program_gives_at_most,
}

/// What is told since the last look.
struct Log<'a> {
    bench: &'a Bench,
    last: Option<String>,
}

impl<'a> Log<'a> {
    async fn begin(bench: &'a Bench) -> Log<'a> {
        let mut log = Log { bench, last: None };
        log.fresh().await;
        log
    }

    async fn fresh(&mut self) -> Vec<Value> {
        let new = self.bench.told_after(self.last.as_deref()).await;
        if let Some(last) = new.last() {
            self.last = Some(text(&last["id"]));
        }
        new
    }

    /// Asserts what was told since the last look, and returns the last of it.
    #[track_caller]
    fn tells(&mut self, expected: &'static [&'static str]) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let new = self.fresh().await;
            assert_eq!(types(&new), expected, "{caller}");
            new.last().cloned().unwrap_or_default()
        }
    }
}

async fn of_customers(t: &Bench) {
    let mut log = Log::begin(t).await;
    let linked = t.linked("a", "cus_a").await;
    let told = log.tells(&["customer.created"]).await;
    assert_eq!(told["data"]["stripe"]["customerId"], "cus_a");
    let id = t.customer("b").await;
    let told = log.tells(&["customer.created"]).await;
    assert_eq!(told["data"]["stripe"], Value::Null);
    let path = format!("customers/{id}");
    let same = json!({"name": "b", "email": "b@example.com"});
    t.key.patch(&path, same).await.ok();
    log.tells(&[]).await;
    t.key.patch(&path, json!({"name": "c"})).await.ok();
    let told = log.tells(&["customer.updated"]).await;
    assert_eq!(told["data"]["changed"], json!(["name"]));
    let link = json!({"stripeCustomerId": "cus_b", "metadata": {"a": 1}});
    t.key.patch(&path, link.clone()).await.ok();
    let told = log.tells(&["customer.linked"]).await;
    let by_hand = json!({
        "customer": {"id": id, "externalId": null}, "changed": ["metadata"],
        "stripe": {"customerId": "cus_b", "insteadOf": null},
    });
    assert_eq!(told["data"], by_hand);
    t.key.patch(&path, link).await.ok();
    log.tells(&[]).await;
    t.link(&id, json!("cus_c")).await;
    let told = log.tells(&["customer.linked"]).await;
    assert_eq!(told["data"]["stripe"]["insteadOf"], "cus_b");
    t.link(&id, Value::Null).await;
    let told = log.tells(&["customer.updated"]).await;
    assert_eq!(told["data"]["changed"], json!(["stripeCustomerId"]));
    t.erase(&linked).await;
    log.tells(&["customer.erased"]).await;
}

async fn of_codes_and_programs(t: &Bench) {
    let mut log = Log::begin(t).await;
    t.program(1000, 500).await;
    let told = log.tells(&["program.updated"]).await;
    let config = t.key.get("referrals/config").await.ok();
    assert_eq!(told["data"], config);
    t.program(1000, 500).await;
    log.tells(&[]).await;
    let id = t.customer("a").await;
    let code = t.code(&id).await;
    let told = log.tells(&["customer.created", "code.created"]).await;
    assert_eq!(told["data"]["code"]["isActive"], true);
    let path = format!("referrals/codes/{code}");
    for _ in 0..2 {
        t.key.patch(&path, json!({"vanity": "ADA-L"})).await.ok();
    }
    let told = log.tells(&["code.renamed"]).await;
    assert_eq!(told["data"]["code"]["vanity"], "ADA-L");
    assert_eq!(told["data"]["code"]["isActive"], true);
    t.key.delete(&path).await.ok();
    let told = log.tells(&["code.deactivated"]).await;
    assert_eq!(told["data"]["code"]["code"], code.as_str());
    assert_eq!(told["data"]["code"]["isActive"], false);
    t.key.delete(&path).await.ok();
    log.tells(&[]).await;
}

async fn of_what_does_not_convert(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let mut log = Log::begin(t).await;
    let subscription = t.subscription(&pair.stripe).status("incomplete");
    let event = t.event("customer.subscription.created", &subscription);
    t.accept(&event).await;
    let told = log.tells(&["referral.not_converted"]).await;
    assert_eq!(told["sequence"], 2);
    assert_eq!(told["data"]["reason"], "subscription incomplete");
    assert_eq!(told["data"]["referral"]["status"], "pending");
    assert_eq!(told["data"]["referral"]["id"], referral.as_str());
    assert_eq!(told["data"]["stripe"]["eventId"], event["id"]);
    // Looked at again it says the same.
    t.accept(&event).await;
    t.replay(&event).await;
    log.tells(&[]).await;
    t.link(&pair.referee, Value::Null).await;
    t.link(&pair.referee, json!(pair.stripe)).await;
    log.tells(&["customer.updated", "customer.linked"]).await;
    t.subscribe(&pair).await;
    log.tells(&["referral.converted", "credit.granted", "credit.granted"])
        .await;
    t.accept(&t.completed(&pair.stripe)).await;
    let told = log.tells(&["referral.not_converted"]).await;
    assert_eq!(told["sequence"], 6);
    assert_eq!(told["data"]["reason"], "already converted");
    assert_eq!(told["data"]["referral"]["status"], "converted");
    assert!(told["data"]["referral"]["convertedAt"].is_string());
}

async fn of_an_erasure(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let mut log = Log::begin(t).await;
    t.erase(&pair.referrer).await;
    let expected = &["code.deactivated", "referral.expired", "customer.erased"];
    log.tells(expected).await;
    let all = t.told().await;
    let expired = &all[all.len() - 2];
    let both = json!([null, null]);
    let names = ["referrer", "referee"].map(|side| expired["data"][side]["externalId"].clone());
    assert_eq!(json!(names), both);
    assert_eq!(expired["data"]["referral"]["id"], referral.as_str());
    assert_eq!(expired["data"]["referral"]["status"], "expired");
    assert_eq!(expired["data"]["customerId"], pair.referrer.as_str());
    assert_eq!(expired["data"]["reason"], "customer erased");
}

async fn of_credits(t: &Bench) {
    let customer = t.customer("a").await;
    let mut log = Log::begin(t).await;
    let body =
        json!({"customerId": customer, "amount": 1000, "currency": "usd", "reason": "Contest"});
    let made = t.key.post("referrals/credits", body).await.created();
    let id = text(&made["credit"]["id"]);
    let told = log.tells(&["credit.granted"]).await;
    assert!(told.get("sequence").is_none(), "{told}");
    assert_eq!(told["data"]["reason"], "Contest");
    let path = format!("referrals/credits/{id}");
    let part = json!({"amount": 300, "reason": "paid", "reference": "bank 7"});
    t.key.post(&format!("{path}/settle"), part).await.ok();
    let settled = log.tells(&["credit.settled"]).await;
    assert_eq!(
        settled["data"]["moved"],
        json!({"amount": 300, "currency": "usd"})
    );
    assert_eq!(settled["data"]["reference"], "bank 7");
    t.key
        .post(&format!("{path}/reverse"), json!({"reason": "fraud"}))
        .await
        .ok();
    let reversed = log.tells(&["credit.reversed"]).await;
    assert_eq!(reversed["data"]["moved"]["amount"], 700);
    let of = |told: &Value| {
        let credit = &told["data"]["credit"];
        let amounts =
            ["available", "settled", "reversed"].map(|part| credit["amounts"][part].clone());
        (credit["status"].clone(), json!(amounts))
    };
    assert_eq!(
        of(&reversed),
        (json!("partially_reversed"), json!([0, 300, 700]))
    );
    // Each says what was so then, however late it is told.
    let all = t.told().await;
    let [granted, settled_again, _] = &all[all.len() - 3..] else {
        unreachable!("there are three");
    };
    assert_eq!(of(granted), (json!("granted"), json!([1000, 0, 0])));
    assert_eq!(*settled_again, settled);
    assert_eq!(of(&settled), (json!("granted"), json!([700, 300, 0])));
}

async fn of_a_hold(t: &Bench) {
    let pair = t.pair("a").await;
    let body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 0, "holdDays": 7,
    });
    t.key.put("referrals/config", body).await.ok();
    t.apply(&pair).await;
    let mut log = Log::begin(t).await;
    t.subscribe(&pair).await;
    let held = log.tells(&["referral.converted", "credit.held"]).await;
    assert_eq!(held["data"]["credit"]["status"], "held");
    assert_eq!(held["data"]["credit"]["amounts"]["held"], 1000);
    assert!(held["data"]["credit"]["heldUntil"].is_string());
    let id = text(&held["data"]["credit"]["id"]);
    let part = json!({"amount": 400, "reason": "trusted"});
    t.key
        .post(&format!("referrals/credits/{id}/release"), part)
        .await
        .ok();
    let released = log.tells(&["credit.released"]).await;
    assert_eq!(released["data"]["credit"]["status"], "held");
    assert_eq!(released["data"]["credit"]["amounts"]["available"], 400);
    t.later(7 * DAY).await;
    for look in 1..=400 {
        if t.credits().await[0]["status"] == "granted" {
            break;
        }
        if look % 60 == 0 {
            // A write that the leap of the clock has made late was refused: its lease has to run out.
            t.advance(MINUTE + SECOND);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let released = log.tells(&["credit.released"]).await;
    assert_eq!(released["data"]["moved"]["amount"], 600);
    assert_eq!(released["data"]["credit"]["status"], "granted");
    let story = t.told().await;
    let story = story.iter().filter(|event| event["sequence"].is_i64());
    let numbers: Vec<_> = story.map(|event| event["sequence"].clone()).collect();
    assert_eq!(json!(numbers), json!([1, 2, 3, 4, 5]));
}

async fn of_what_the_program_gives_at_most(t: &Bench) {
    let pair = t.pair("a").await;
    let body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500,
        "maxConversionsPerReferrer": {"total": 0}, "budget": 600,
    });
    t.key.put("referrals/config", body).await.ok();
    t.apply(&pair).await;
    let mut log = Log::begin(t).await;
    t.subscribe(&pair).await;
    let new = log.fresh().await;
    let mut told = types(&new);
    told.sort();
    let expected = [
        "budget.low",
        "credit.granted",
        "referral.converted",
        "referral.credit_withheld",
    ];
    assert_eq!(told, expected);
    let of = |kind: &str| {
        let found = new.iter().find(|event| event["type"] == kind);
        found.expect("it is told")["data"].clone()
    };
    let withheld = of("referral.credit_withheld");
    assert_eq!(withheld["reason"], "cap_reached");
    assert_eq!(withheld["side"], "referrer");
    let budget = json!({"budget": {"amount": 600, "out": 500, "currency": "usd"}});
    assert_eq!(of("budget.low"), budget);
    let sides = pluck(
        &t.key.get("referrals/credits").await.ok()["credits"],
        "side",
    );
    assert_eq!(sides, ["referee"]);
}
