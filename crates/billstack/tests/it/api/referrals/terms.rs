//! What the terms of a referral mean for its conversion: trials, its end, and what the program gives at most.

use std::time::Duration;

use billstack_core::time::DAY;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{Pair, text};

on_both_engines! {
    a_trial_waits_until_it_is_paid_for,
    a_session_that_may_begin_a_trial_waits,
    without_the_setting_a_trial_converts,
    a_referral_ends_by_itself,
    what_begins_after_the_end_converts_nothing,
    a_cap_withholds_the_referrers_credit,
    a_budget_is_told_of_when_low_and_when_used_up,
}

async fn put(t: &Bench, settings: Value) {
    let mut body =
        json!({"enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500});
    for (name, value) in settings.as_object().expect("an object") {
        body[name] = value.clone();
    }
    t.key.put("referrals/config", body).await.ok();
}

/// A pending referral of a program with these settings.
async fn pending(t: &Bench, settings: Value) -> (Pair, String) {
    let pair = t.pair("a").await;
    put(t, settings).await;
    let referral = t.apply(&pair).await;
    (pair, text(&referral["id"]))
}

async fn a_trial_waits_until_it_is_paid_for(t: &Bench) {
    let (pair, id) = pending(t, json!({"excludeTrials": true})).await;
    let trial = t.subscription(&pair.stripe).status("trialing");
    let begun = t.event("customer.subscription.created", &trial);
    t.accept(&begun).await;
    assert_eq!(t.outcome(&begun).await, "waiting");
    assert_eq!(t.status(&id).await, "pending");
    t.later(5 * DAY).await;
    let paid = t.event("customer.subscription.updated", &trial.status("active"));
    t.accept(&paid).await;
    assert_eq!(t.outcome(&paid).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn a_session_that_may_begin_a_trial_waits(t: &Bench) {
    let (pair, id) = pending(t, json!({"excludeTrials": true})).await;
    let session = t
        .session(&pair.stripe)
        .payment_status("no_payment_required");
    let free = t.event("checkout.session.completed", &session);
    t.accept(&free).await;
    assert_eq!(t.outcome(&free).await, "waiting");
    assert_eq!(t.status(&id).await, "pending");
    t.accept(&t.created(&pair.stripe)).await;
    assert_eq!(t.status(&id).await, "converted");
}

async fn without_the_setting_a_trial_converts(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let trial = t.subscription(&pair.stripe).status("trialing");
    t.accept(&t.event("customer.subscription.created", &trial))
        .await;
    assert_eq!(t.status(&id).await, "converted");
}

async fn a_referral_ends_by_itself(t: &Bench) {
    let (pair, id) = pending(t, json!({"referralExpiryDays": 5})).await;
    t.later(5 * DAY).await;
    for _ in 0..200 {
        if t.status(&id).await == "expired" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(t.status(&id).await, "expired", "nobody ended it");
    let story = t.key.get(&format!("referrals/{id}/events")).await.ok();
    let events = story["events"].as_array().expect("a list");
    let last = events.last().expect("an event");
    assert_eq!(last["type"], "referral.expired");
    assert_eq!(last["facts"]["reason"], "not converted in time");
    let late = t.created(&pair.stripe);
    t.accept(&late).await;
    assert_eq!(t.outcome(&late).await, "no_referral");
    assert!(t.credits().await.is_empty());
}

async fn what_begins_after_the_end_converts_nothing(t: &Bench) {
    let (pair, id) = pending(t, json!({"referralExpiryDays": 1})).await;
    // The clock of the server stands still: nobody has ended the referral when the event comes.
    let at = t.seconds() + 86_401;
    let object = t.subscription(&pair.stripe).created(at);
    let options = fake_stripe::EventOptions::at(at);
    let event = fake_stripe::event("customer.subscription.created", &object, &options);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_referral");
    assert_ne!(t.status(&id).await, "converted");
}

/// Referees of one referrer, each with a pending referral, by their Stripe customers.
async fn referees(t: &Bench, number: usize) -> Vec<(String, String)> {
    let pair = t.pair("first").await;
    let mut pending = Vec::new();
    for n in 0..number {
        let stripe = format!("cus_more{n}");
        let referee = t.linked(&format!("more{n}"), &stripe).await;
        let body = json!({"code": pair.code, "refereeCustomerId": referee});
        let referral = t.key.post("referrals/apply", body).await.created();
        pending.push((stripe, text(&referral["referral"]["id"])));
    }
    pending
}

/// Why credits of a referral were withheld, by its story.
async fn withheld(t: &Bench, id: &str) -> Vec<(String, String)> {
    let story = t.key.get(&format!("referrals/{id}/events")).await.ok();
    let events = story["events"].as_array().expect("a list");
    let withheld = events
        .iter()
        .filter(|event| event["type"] == "referral.credit_withheld");
    withheld
        .map(|event| {
            (
                text(&event["facts"]["side"]),
                text(&event["facts"]["reason"]),
            )
        })
        .collect()
}

async fn a_cap_withholds_the_referrers_credit(t: &Bench) {
    let referees = referees(t, 3).await;
    // A cap is read at the conversion, and was not promised.
    put(t, json!({"maxConversionsPerReferrer": {"total": 2}})).await;
    for (stripe, _) in &referees {
        t.accept(&t.created(stripe)).await;
    }
    let credits = t.credits().await;
    let of = |side: &str| {
        credits
            .iter()
            .filter(|credit| credit["side"] == side)
            .count()
    };
    assert_eq!((of("referrer"), of("referee")), (2, 3));
    assert!(withheld(t, &referees[1].1).await.is_empty());
    let why = withheld(t, &referees[2].1).await;
    assert_eq!(why, [("referrer".to_owned(), "cap_reached".to_owned())]);
    assert_eq!(t.status(&referees[2].1).await, "converted");
}

async fn a_budget_is_told_of_when_low_and_when_used_up(t: &Bench) {
    let referees = referees(t, 3).await;
    put(t, json!({"budget": 3_400})).await;
    for (stripe, _) in &referees {
        t.accept(&t.created(stripe)).await;
    }
    let credits = t.credits().await;
    let out: i64 = credits
        .iter()
        .filter_map(|credit| credit["amount"].as_i64())
        .sum();
    assert_eq!(out, 3_000);
    let exhausted = |side: &str| (side.to_owned(), "budget_exhausted".to_owned());
    let why = withheld(t, &referees[2].1).await;
    assert_eq!(why, [exhausted("referrer"), exhausted("referee")]);
    let told = t.dump().await;
    assert_eq!(told.matches("budget.low").count(), 1);
    assert_eq!(told.matches("budget.exhausted").count(), 1);
}
