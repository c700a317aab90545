//! `DELETE …/customers/{id}`: the person goes, ids and amounts stay.

use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{apply_body, text};

on_both_engines! {
    a_person_leaves_no_trace,
    a_person_is_erased_from_stripes_events_too,
    several_events_of_one_subscription_are_all_erased,
    events_are_erased_whoever_else_becomes_that_stripe_customer,
    events_of_a_shared_stripe_customer_are_erased_with_each,
    references_that_are_no_ids_of_ours_are_not_kept,
    afterwards_there_is_nobody,
    the_address_is_free_again,
    the_code_goes_off_and_pending_referrals_are_closed,
    amounts_stay,
    the_stripe_customer_cannot_be_referred_anew,
    nor_does_a_referral_convert_that_is_linked_to_it_later,
    a_closed_referral_never_converts,
}

const NAME: &str = "Zebulon Quartermain";
const EMAIL: &str = "zebulon.quartermain@example.com";

fn zebulon() -> serde_json::Value {
    json!({
        "email": EMAIL, "name": NAME, "externalId": "zebulon-1", "stripeCustomerId": "cus_zeb",
        "metadata": {"nickname": "zebulon the bold"},
    })
}

async fn assert_forgotten(t: &Bench) {
    let dump = t.dump().await.to_lowercase();
    let found: Vec<_> = dump
        .lines()
        .filter(|line| line.contains("zebulon"))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

async fn a_person_leaves_no_trace(t: &Bench) {
    let call = t.key.call(reqwest::Method::POST, "customers");
    let made = call
        .header("idempotency-key", "make")
        .json(&zebulon())
        .send()
        .await;
    let id = text(&made.created()["customer"]["id"]);
    // The refusal of a second one holds the first, and so does the kept answer.
    let call = t.key.call(reqwest::Method::POST, "customers");
    let again = call
        .header("idempotency-key", "again")
        .json(&zebulon())
        .send()
        .await;
    again.refused("customer_exists");
    let path = format!("customers/{id}");
    let call = t
        .key
        .call(reqwest::Method::PATCH, &path)
        .header("idempotency-key", "patch");
    call.json(&json!({"name": "Zebulon Q."})).send().await.ok();
    assert!(t.dump().await.contains(EMAIL));
    let answer = t.key.delete(&path).await.ok();
    assert_eq!(answer, json!({"customer": {"id": id, "deleted": true}}));
    assert_forgotten(t).await;
}

async fn a_person_is_erased_from_stripes_events_too(t: &Bench) {
    t.connect().await;
    t.program(1, 1).await;
    let id = text(&t.customer_with(zebulon()).await["id"]);
    let session = t.session("cus_zeb").customer_email(EMAIL);
    t.accept(&t.event("checkout.session.completed", &session))
        .await;
    // Expanded, and of a kind that concerns us not.
    let person = json!({"id": "cus_zeb", "object": "customer", "email": EMAIL, "name": NAME});
    t.accept(&t.event("customer.created", &person)).await;
    let subscription = fake_stripe::Subscription::new("sub_zeb", person).created(t.seconds());
    t.accept(&t.event("customer.subscription.created", &subscription))
        .await;
    let invoice = json!({
        "id": "in_1", "object": "invoice", "customer": "cus_zeb", "customer_email": EMAIL,
    });
    t.accept(&t.event("invoice.paid", &invoice)).await;
    t.erase(&id).await;
    assert_forgotten(t).await;
}

/// The events came before anybody here was known to be this Stripe customer.
async fn several_events_of_one_subscription_are_all_erased(t: &Bench) {
    t.connect().await;
    let person = json!({"id": "cus_zeb", "object": "customer", "email": EMAIL, "name": NAME});
    for (kind, status) in [
        ("created", "incomplete"),
        ("updated", "active"),
        ("updated", "active"),
    ] {
        let subscription = fake_stripe::Subscription::new("sub_zeb", person.clone());
        let subscription = subscription.created(t.seconds()).status(status);
        t.accept(&t.event(&format!("customer.subscription.{kind}"), &subscription))
            .await;
    }
    let mut body = zebulon();
    body.as_object_mut()
        .expect("an object")
        .remove("stripeCustomerId");
    let id = text(&t.customer_with(body).await["id"]);
    t.link(&id, json!("cus_zeb")).await;
    t.erase(&id).await;
    assert_forgotten(t).await;
}

/// Once two customers are the same Stripe customer nobody can tell whose its events are.
async fn events_are_erased_whoever_else_becomes_that_stripe_customer(t: &Bench) {
    t.connect().await;
    let id = text(&t.customer_with(zebulon()).await["id"]);
    let person = json!({"id": "cus_zeb", "object": "customer", "email": EMAIL, "name": NAME});
    let subscription = fake_stripe::Subscription::new("sub_zeb", person).created(t.seconds());
    let event = t.event("customer.subscription.created", &subscription);
    t.accept(&event).await;
    let seen = t
        .home
        .path(&format!("stripe/events/{}", text(&event["id"])));
    let whose = || async { t.owner.get(&seen).await.ok()["event"]["customerId"].clone() };
    // It has found its customer, and nothing can come of another one who is new.
    let other = t.linked("other", "cus_zeb").await;
    assert_eq!(whose().await, id.as_str());
    for stripe in [json!(null), json!("cus_zeb")] {
        t.link(&other, stripe).await;
    }
    assert_eq!(whose().await, json!(null));
    t.erase(&id).await;
    assert_forgotten(t).await;
}

async fn events_of_a_shared_stripe_customer_are_erased_with_each(t: &Bench) {
    let pair = t.pair("a").await;
    let mut zebulon = zebulon();
    zebulon["stripeCustomerId"] = json!(pair.stripe);
    let id = text(&t.customer_with(zebulon).await["id"]);
    t.apply(&pair).await;
    let session = t.session(&pair.stripe).customer_email(EMAIL);
    let event = t.event("checkout.session.completed", &session);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "converted");
    t.erase(&id).await;
    assert_forgotten(t).await;
}

async fn references_that_are_no_ids_of_ours_are_not_kept(t: &Bench) {
    t.connect().await;
    let id = text(&t.customer_with(zebulon()).await["id"]);
    for reference in [EMAIL, "zebulon-1"] {
        let session = t.session("cus_zeb").client_reference_id(reference);
        let session = session.metadata("billstackCustomerId", reference);
        t.accept(&t.event("checkout.session.completed", &session))
            .await;
    }
    t.erase(&id).await;
    assert_forgotten(t).await;
}

async fn afterwards_there_is_nobody(t: &Bench) {
    let id = t.customer("a").await;
    let path = format!("customers/{id}");
    t.key.delete(&path).await.ok();
    for answer in [
        t.key.get(&path).await,
        t.key.delete(&path).await,
        t.key.patch(&path, json!({"name": "x"})).await,
        t.key.get(&format!("{path}/credit-balance")).await,
        t.key
            .post("referrals/codes", json!({"customerId": id}))
            .await,
    ] {
        answer.refused("customer_not_found");
    }
    assert_eq!(t.key.get("customers").await.ok(), json!({"customers": []}));
}

async fn the_address_is_free_again(t: &Bench) {
    let first = text(&t.customer_with(zebulon()).await["id"]);
    t.erase(&first).await;
    let body = json!({"email": EMAIL, "externalId": "zebulon-1"});
    let second = text(&t.customer_with(body).await["id"]);
    assert_ne!(first, second);
}

async fn the_code_goes_off_and_pending_referrals_are_closed(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let other = t.customer("other").await;
    t.erase(&pair.referee).await;
    assert_eq!(t.status(&referral).await, "expired");
    t.erase(&pair.referrer).await;
    let code = t
        .key
        .get(&format!("referrals/codes/{}", pair.code))
        .await
        .ok();
    assert_eq!(code["code"]["isActive"], false);
    let answer = t
        .key
        .post("referrals/apply", apply_body(&pair.code, &other));
    answer.await.refused("code_inactive");
}

async fn amounts_stay(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    let before = (t.referral(&referral).await, t.credits().await);
    t.erase(&pair.referee).await;
    t.erase(&pair.referrer).await;
    assert_eq!((t.referral(&referral).await, t.credits().await), before);
}

async fn the_stripe_customer_cannot_be_referred_anew(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    t.erase(&pair.referee).await;
    let again = t.linked("again", &pair.stripe).await;
    let answer = t
        .key
        .post("referrals/apply", apply_body(&pair.code, &again))
        .await;
    answer.refused("already_referred");
    // Nor when the link comes after the apply.
    let late = t.customer("late").await;
    let answer = t
        .key
        .post("referrals/apply", apply_body(&pair.code, &late))
        .await;
    answer.created();
    t.link(&late, json!(pair.stripe)).await;
    t.accept(&t.completed(&pair.stripe)).await;
    assert_eq!(t.credits().await.len(), 2);
}

async fn nor_does_a_referral_convert_that_is_linked_to_it_later(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    t.erase(&pair.referee).await;
    let again = t.customer("again").await;
    let body = apply_body(&pair.code, &again);
    let referral = t.key.post("referrals/apply", body).await.created();
    let subscription = t.subscription(&pair.stripe);
    let subscription = subscription.metadata("billstackCustomerId", &again);
    let event = t.event("customer.subscription.created", &subscription);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_referral");
    let status = t.status(&text(&referral["referral"]["id"])).await;
    assert_eq!(status, "pending");
}

async fn a_closed_referral_never_converts(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.erase(&pair.referee).await;
    t.subscribe(&pair).await;
    assert_eq!(t.status(&referral).await, "expired");
    assert!(t.credits().await.is_empty());
}
