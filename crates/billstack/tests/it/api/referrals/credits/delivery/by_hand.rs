//! `POST …/referrals/credits/{id}/retry` and `deliver`, and other moves of credits that are delivered.

use billstack_core::access::Scope;
use serde_json::{Value, json};

use super::stripe;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    a_credit_of_the_books_is_delivered_on_demand with stripe,
    what_cannot_be_delivered_is_refused with stripe,
    only_what_waits_is_retried with stripe,
    what_is_left_of_a_credit_is_delivered with stripe,
    a_decision_needs_the_right_and_a_reason with stripe,
}

fn why() -> Value {
    json!({"reason": "because"})
}

async fn a_credit_of_the_books_is_delivered_on_demand(t: &Bench) {
    t.connect_key().await;
    let customer = t.payer("a", "cus_a").await;
    let id = t.give(&customer, 900).await;
    let path = format!("referrals/credits/{id}");
    let settle = json!({"amount": 200, "reason": "paid"});
    t.key.post(&format!("{path}/settle"), settle).await.ok();
    let answer = t.key.post(&format!("{path}/deliver"), why()).await.ok();
    assert_eq!(answer["credit"]["delivery"]["state"], "queued");
    let credit = t.delivery(&id, "delivered").await;
    assert_eq!(credit["amounts"]["delivered"], 700);
    assert_eq!(t.amounts("cus_a"), [-700]);
    let answer = t.key.post(&format!("{path}/deliver"), why()).await;
    answer.refused("illegal_transition");
    assert_eq!(t.amounts("cus_a"), [-700]);
}

async fn what_cannot_be_delivered_is_refused(t: &Bench) {
    let customer = t.customer("a").await;
    let id = t.give(&customer, 900).await;
    let path = format!("referrals/credits/{id}");
    let answer = t.key.post(&format!("{path}/deliver"), why()).await;
    answer.refused("stripe_key_required");
    t.connect_key().await;
    t.key.post(&format!("{path}/reverse"), why()).await.ok();
    let answer = t.key.post(&format!("{path}/deliver"), why()).await;
    answer.refused("illegal_transition");
    let answer = t.key.post("referrals/credits/cr_none/deliver", why()).await;
    answer.refused("credit_not_found");
}

async fn only_what_waits_is_retried(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.linked("a", "cus_a").await;
    let id = t.give(&customer, 100).await;
    let retry = format!("referrals/credits/{id}/retry");
    t.delivery(&id, "needs_attention").await;
    t.known_to_stripe(&fake_stripe::Customer::new("cus_a").currency("usd"));
    let answer = t.key.post(&retry, why()).await.ok();
    assert_eq!(answer["credit"]["delivery"]["state"], "queued");
    t.delivery(&id, "delivered").await;
    t.key
        .post(&retry, why())
        .await
        .refused("illegal_transition");
    let log = t.count("events").await;
    t.key
        .post(&retry, why())
        .await
        .refused("illegal_transition");
    assert_eq!(t.count("events").await, log);
}

async fn what_is_left_of_a_credit_is_delivered(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.customer("a").await;
    let id = t.give(&customer, 1000).await;
    let path = format!("referrals/credits/{id}");
    let part = json!({"amount": 400, "reason": "because"});
    t.key.post(&format!("{path}/reverse"), part).await.ok();
    t.known_to_stripe(&fake_stripe::Customer::new("cus_a").currency("usd"));
    t.link(&customer, json!("cus_a")).await;
    let credit = t.delivery(&id, "delivered").await;
    assert_eq!(t.amounts("cus_a"), [-600]);
    assert_eq!(credit["status"], "partially_reversed");
    // It is not ours any more to pay out.
    let answer = t.key.post(&format!("{path}/settle"), why()).await;
    answer.refused("illegal_transition");
}

async fn a_decision_needs_the_right_and_a_reason(t: &Bench) {
    t.connect_key().await;
    let customer = t.payer("a", "cus_a").await;
    let id = t.give(&customer, 900).await;
    let (_, reader) = t.key(None, &[Scope::ReferralsRead], None).await;
    for verb in ["deliver", "retry"] {
        let path = format!("referrals/credits/{id}/{verb}");
        reader
            .post(&path, why())
            .await
            .refused("insufficient_scope");
        t.key.post(&path, json!({})).await.invalid("reason");
        let long = json!({"reason": "x".repeat(501)});
        t.key.post(&path, long).await.invalid("reason");
    }
    assert_eq!(text(&t.credit(&id).await["delivery"]["state"]), "none");
}
