//! Who somebody is, where the links to Stripe come late, cross each other or name somebody else.

use billstack_core::time::HOUR;
use fake_stripe::{EventOptions, Subscription};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::{apply_body, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    nobody_is_paid_for_their_own_stripe_customer,
    nor_for_their_own_mailbox,
    a_session_that_leads_to_nothing_links_nobody,
    of_two_referrals_of_one_stripe_customer_the_first_converts,
    another_customers_session_makes_nobody_old,
    metadata_is_heard_beside_a_customer_of_another_project,
    an_account_is_the_customer_it_was_named_with,
    a_corrected_project_counts_for_a_later_apply,
    what_came_before_the_mode_was_known_converts_nothing_in_the_other,
    events_that_found_nobody_are_placed_by_one_that_converts,
    the_body_of_an_event_goes_with_a_wrong_link,
}

const CREATED: &str = "customer.subscription.created";
const UPDATED: &str = "customer.subscription.updated";
const COMPLETED: &str = "checkout.session.completed";

/// The last entry of a referral's story.
async fn last_reason(t: &Bench, referral: &str) -> Value {
    let path = format!("referrals/{referral}/events");
    let story = t.key.get(&path).await.ok();
    let last = story["events"]
        .as_array()
        .and_then(|events| events.last().cloned());
    last.expect("a story")["facts"]["reason"].clone()
}

async fn nobody_is_paid_for_their_own_stripe_customer(t: &Bench) {
    let (pair, referral) = t.unlinked("a").await;
    t.link(&pair.referrer, json!("cus_same")).await;
    t.link(&pair.referee, json!("cus_same")).await;
    let event = t.created("cus_same");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_referral");
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(last_reason(t, &referral).await, "self-referral");
    // Nor as the account that Stripe names beside the customer.
    let (pair, referral) = t.unlinked("b").await;
    t.link(&pair.referrer, json!("cus_b")).await;
    t.link(&pair.referee, json!("acct_b")).await;
    let both = Subscription::new("sub_b", "cus_b").customer_account("acct_b");
    t.accept(&t.event(CREATED, &both.created(t.seconds())))
        .await;
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(t.credits().await.len(), 0);
}

async fn nor_for_their_own_mailbox(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let path = format!("customers/{}", pair.referrer);
    let address = text(&t.key.get(&path).await.ok()["customer"]["email"]);
    let tagged = address.replace('@', "+2@");
    let path = format!("customers/{}", pair.referee);
    t.key.patch(&path, json!({"email": tagged})).await.ok();
    t.subscribe(&pair).await;
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(last_reason(t, &referral).await, "self-referral");
}

async fn a_session_that_leads_to_nothing_links_nobody(t: &Bench) {
    for (name, kind, mode) in [
        ("a", "checkout.session.expired", "subscription"),
        ("b", "checkout.session.async_payment_failed", "subscription"),
        ("c", COMPLETED, "payment"),
        ("d", COMPLETED, "setup"),
    ] {
        let (pair, referral) = t.unlinked(name).await;
        let guest = t.session(&format!("cus_guest_{name}")).mode(mode);
        let event = t.event(kind, &guest.client_reference_id(&pair.referee));
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, "ignored", "{kind} {mode}");
        let paid = t.session(&pair.stripe).client_reference_id(&pair.referee);
        t.accept(&t.event(COMPLETED, &paid)).await;
        assert_eq!(t.status(&referral).await, "converted", "{kind} {mode}");
    }
}

async fn of_two_referrals_of_one_stripe_customer_the_first_converts(t: &Bench) {
    let (first, early) = t.unlinked("a").await;
    let (second, late) = t.unlinked("b").await;
    for pair in [&second, &first] {
        t.link(&pair.referee, json!("cus_both")).await;
    }
    let event = t.created("cus_both");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "converted");
    assert_eq!(t.status(&early).await, "converted");
    assert_eq!(t.status(&late).await, "pending");
    assert_eq!(last_reason(t, &late).await, "already referred");
}

async fn another_customers_session_makes_nobody_old(t: &Bench) {
    let known = t.pair("a").await;
    let other = t.pair("b").await;
    t.link(&other.referee, Value::Null).await;
    let session = t.session(&known.stripe).client_reference_id(&other.referee);
    t.accept(&t.event(COMPLETED, &session)).await;
    t.later(48 * HOUR).await;
    assert_eq!(t.apply(&other).await["status"], "pending");
}

/// A customer of a second project of the team with this Stripe id.
async fn elsewhere(t: &Bench, stripe: &str) -> (String, KeyClient) {
    let (project, key) = t.project("second").await;
    let body = json!({"email": "e@example.com", "stripeCustomerId": stripe});
    key.post("customers", body).await.created();
    (project, key)
}

async fn metadata_is_heard_beside_a_customer_of_another_project(t: &Bench) {
    let (pair, referral) = t.unlinked("a").await;
    elsewhere(t, &pair.stripe).await;
    let subscription = t.subscription(&pair.stripe);
    let subscription = subscription.metadata("billstackCustomerId", &pair.referee);
    t.accept(&t.event(CREATED, &subscription)).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn an_account_is_the_customer_it_was_named_with(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let both = t.subscription(&pair.stripe).customer_account("acct_a");
    t.accept(&t.event(CREATED, &both)).await;
    assert_eq!(t.status(&first).await, "converted");
    let other = t.pair("b").await;
    t.link(&other.referee, json!("acct_a")).await;
    let second = text(&t.apply(&other).await["id"]);
    let alone = Subscription::new("sub_other", Value::Null).customer_account("acct_a");
    t.accept(&t.event(CREATED, &alone.created(t.seconds())))
        .await;
    assert_eq!(t.status(&second).await, "pending");
}

async fn a_corrected_project_counts_for_a_later_apply(t: &Bench) {
    t.connect().await;
    t.program(1000, 500).await;
    let pair = t.pair("a").await;
    let (project, _) = elsewhere(t, &pair.stripe).await;
    let wrong = t
        .subscription(&pair.stripe)
        .metadata("project_id", &project);
    let right = t.subscription(&pair.stripe);
    let right = right.metadata("project_id", &t.home.project);
    t.accept(&t.event(CREATED, &wrong)).await;
    t.accept(&t.event(UPDATED, &right)).await;
    let answer = t
        .key
        .post("referrals/apply", apply_body(&pair.code, &pair.referee));
    assert_eq!(answer.await.created()["referral"]["status"], "converted");
}

async fn what_came_before_the_mode_was_known_converts_nothing_in_the_other(t: &Bench) {
    t.connect().await;
    t.program(1000, 500).await;
    let pair = t.pair("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let keys = json!({"publishableKey": "pk_live_1", "webhookSecret": SECRET});
    t.connect_with(keys).await;
    let referral = t.apply(&pair).await;
    assert_eq!(referral["status"], "pending");
    let options = EventOptions::at(t.seconds()).live().id("evt_live");
    let live = Subscription::new("sub_live", pair.stripe.as_str()).created(t.seconds());
    t.accept(&fake_stripe::event(CREATED, &live, &options))
        .await;
    assert_eq!(t.status(&text(&referral["id"])).await, "converted");
}

async fn events_that_found_nobody_are_placed_by_one_that_converts(t: &Bench) {
    let (pair, referral) = t.unlinked("a").await;
    let first = t.created(&pair.stripe);
    t.accept(&first).await;
    assert_eq!(t.outcome(&first).await, "no_customer");
    let session = t.session(&pair.stripe).client_reference_id(&pair.referee);
    t.accept(&t.event(COMPLETED, &session)).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.outcome(&first).await, "no_referral");
}

async fn the_body_of_an_event_goes_with_a_wrong_link(t: &Bench) {
    t.connect().await;
    let wrong = t.linked("wrong", "cus_v").await;
    let session = t.session("cus_v").customer_email("zebulon@example.com");
    t.accept(&t.event(COMPLETED, &session)).await;
    assert!(t.dump().await.contains("zebulon"));
    t.link(&wrong, Value::Null).await;
    assert!(!t.dump().await.contains("zebulon"));
}
