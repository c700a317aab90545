//! Whose subscription an event tells of.

use billstack_core::time::HOUR;
use fake_stripe::{CheckoutSession, CustomerRef, EventOptions, Generation, Subscription};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::{Pair, apply_body, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    the_customer_may_be_text_object_or_account,
    a_reference_links_a_customer_without_a_stripe_id,
    a_guest_of_stripe_is_nobody_to_link,
    a_reference_never_overwrites_a_stripe_id,
    a_reference_makes_no_old_customer_of_somebody_else,
    metadata_names_our_customer,
    what_matches_nobody_is_kept_and_found_later,
    an_event_is_found_when_its_customer_is_linked,
    two_projects_with_a_pending_referral_are_ambiguous,
    one_project_with_a_pending_referral_is_picked,
    metadata_picks_the_project,
    one_subscription_converts_one_referral_of_all_projects,
    one_customer_under_two_stripe_ids_converts_one_referral,
    metadata_cannot_reach_into_another_team,
    other_teams_stay_untouched,
    the_other_mode_is_kept_and_ignored,
    the_wrong_mode_can_be_mended,
    replaying_looks_again,
    events_are_listed_for_administrators,
}

const CREATED: &str = "customer.subscription.created";
const COMPLETED: &str = "checkout.session.completed";

async fn the_customer_may_be_text_object_or_account(t: &Bench) {
    let object = |id: &str| json!({"id": id, "object": "customer", "email": "x@example.com"});
    for (name, customer) in [
        ("text", CustomerRef::Id("cus_text".to_owned())),
        ("object", CustomerRef::Expanded(object("cus_object"))),
    ] {
        let (_, referral) = t.pending(name).await;
        let subscription = Subscription::new(&format!("sub_{name}"), customer);
        t.accept(&t.event(CREATED, &subscription.created(t.seconds())))
            .await;
        assert_eq!(t.status(&referral).await, "converted", "{name}");
    }
    let pair = t.pair("account").await;
    t.link(&pair.referee, json!("acct_1")).await;
    let referral = text(&t.apply(&pair).await["id"]);
    let subscription = Subscription::new("sub_account", Value::Null).customer_account("acct_1");
    t.accept(&t.event(CREATED, &subscription.created(t.seconds())))
        .await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn stripe_id_of(t: &Bench, customer: &str) -> Value {
    let answer = t.key.get(&format!("customers/{customer}")).await.ok();
    answer["customer"]["stripeCustomerId"].clone()
}

async fn a_reference_links_a_customer_without_a_stripe_id(t: &Bench) {
    let (pair, referral) = t.unlinked("a").await;
    let session = t.session(&pair.stripe).client_reference_id(&pair.referee);
    t.accept(&t.event(COMPLETED, &session)).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(stripe_id_of(t, &pair.referee).await, pair.stripe.as_str());
    // Without a Stripe customer there is nothing to link, but still somebody who subscribed.
    let (pair, referral) = t.unlinked("b").await;
    let session = CheckoutSession::new("cs_test_b", CustomerRef::Null).created(t.seconds());
    let session = session.client_reference_id(&pair.referee);
    t.accept(&t.event(COMPLETED, &session)).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(stripe_id_of(t, &pair.referee).await, Value::Null);
}

/// What an event may link is what a caller may.
async fn a_guest_of_stripe_is_nobody_to_link(t: &Bench) {
    let (pair, referral) = t.unlinked("a").await;
    let session = CheckoutSession::new("cs_test_guest", "gcus_1").created(t.seconds());
    let session = session.client_reference_id(&pair.referee);
    t.accept(&t.event(COMPLETED, &session)).await;
    assert_eq!(t.status(&referral).await, "converted");
    let path = format!("customers/{}", pair.referee);
    let shown = t.key.get(&path).await.ok()["customer"].take();
    assert_eq!(shown["stripeCustomerId"], Value::Null);
    let guest = json!({"stripeCustomerId": "gcus_1"});
    t.key.patch(&path, guest).await.refused("invalid_request");
    t.link(&pair.referee, json!("cus_1")).await;
}

async fn a_reference_never_overwrites_a_stripe_id(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let session = t
        .session("cus_of_a_stranger")
        .client_reference_id(&pair.referee);
    let event = t.event(COMPLETED, &session);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_customer");
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(stripe_id_of(t, &pair.referee).await, pair.stripe.as_str());
    // Nor does it speak for somebody whose Stripe id is known when the session names no customer.
    let session = CheckoutSession::new("cs_test_null", CustomerRef::Null).created(t.seconds());
    let session = session.client_reference_id(&pair.referee);
    t.accept(&t.event(COMPLETED, &session)).await;
    assert_eq!(t.status(&referral).await, "pending");
    // Nonsense in it harms nobody.
    for nonsense in ["", "pc_unknown", "'; --", "\u{0}", &"x".repeat(5000)] {
        let session = t.session("cus_nonsense").client_reference_id(nonsense);
        t.accept(&t.event(COMPLETED, &session)).await;
    }
}

async fn a_reference_makes_no_old_customer_of_somebody_else(t: &Bench) {
    let pair = t.pair("a").await;
    for customer in [
        CustomerRef::Id("cus_of_a_stranger".to_owned()),
        CustomerRef::Null,
    ] {
        let session = CheckoutSession::new("cs_test_stranger", customer);
        let session = session.client_reference_id(&pair.referee);
        let event = t.event(COMPLETED, &session.created(t.seconds()));
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, "no_customer");
    }
    t.later(48 * HOUR).await;
    assert_eq!(t.apply(&pair).await["status"], "pending");
}

async fn metadata_names_our_customer(t: &Bench) {
    let (pair, referral) = t.unlinked("a").await;
    let subscription = t.subscription(&pair.stripe);
    let subscription = subscription.metadata("billstackCustomerId", &pair.referee);
    t.accept(&t.event(CREATED, &subscription)).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(stripe_id_of(t, &pair.referee).await, pair.stripe.as_str());
    let (pair, referral) = t.unlinked("b").await;
    let session = t
        .session(&pair.stripe)
        .metadata("billstackCustomerId", &pair.referee);
    t.accept(&t.event(COMPLETED, &session)).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn what_matches_nobody_is_kept_and_found_later(t: &Bench) {
    t.connect().await;
    t.program(1000, 500).await;
    let event = t.created("cus_later");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_customer");
    let code = t.code(&t.customer("referrer").await).await;
    let referee = t.linked("referee", "cus_later").await;
    // Whoever looks at the event now is told whose it is.
    assert_eq!(t.outcome(&event).await, "no_referral");
    let answer = t
        .key
        .post("referrals/apply", apply_body(&code, &referee))
        .await;
    assert_eq!(answer.created()["referral"]["status"], "converted");
    assert_eq!(t.outcome(&event).await, "converted");
}

async fn an_event_is_found_when_its_customer_is_linked(t: &Bench) {
    let (pair, referral) = t.unlinked("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_customer");
    t.later(48 * HOUR).await;
    t.link(&pair.referee, json!(pair.stripe)).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.outcome(&event).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

/// A pending referral in a second project, whose referee is the same Stripe customer.
async fn twin(t: &Bench, pair: &Pair) -> (String, KeyClient, String) {
    let (project, key) = t.project("second").await;
    t.put_program(&key, true, 30, 20).await;
    let make = async |body: Value| {
        let answer = key.post("customers", body).await.created();
        text(&answer["customer"]["id"])
    };
    let referrer = make(json!({"email": "r@example.com"})).await;
    let referee = json!({"email": "e@example.com", "stripeCustomerId": pair.stripe});
    let referee = make(referee).await;
    let code = key
        .post("referrals/codes", json!({"customerId": referrer}))
        .await;
    let code = text(&code.created()["code"]["code"]);
    let answer = key
        .post("referrals/apply", apply_body(&code, &referee))
        .await;
    let referral = text(&answer.created()["referral"]["id"]);
    (project, key, referral)
}

async fn status_in(key: &KeyClient, referral: &str) -> String {
    let answer = key.get(&format!("referrals/{referral}")).await.ok();
    text(&answer["referral"]["status"])
}

async fn two_projects_with_a_pending_referral_are_ambiguous(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let (_, key, second) = twin(t, &pair).await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "ambiguous");
    assert_eq!(t.status(&first).await, "pending");
    assert_eq!(status_in(&key, &second).await, "pending");
}

async fn one_project_with_a_pending_referral_is_picked(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let (_, key) = t.project("second").await;
    let body = json!({"email": "e@example.com", "stripeCustomerId": pair.stripe});
    key.post("customers", body).await.created();
    t.subscribe(&pair).await;
    assert_eq!(t.status(&first).await, "converted");
}

async fn metadata_picks_the_project(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let (project, key, second) = twin(t, &pair).await;
    let subscription = t
        .subscription(&pair.stripe)
        .metadata("project_id", &project);
    t.accept(&t.event(CREATED, &subscription)).await;
    assert_eq!(t.status(&first).await, "pending");
    assert_eq!(status_in(&key, &second).await, "converted");
    let other = Subscription::new("sub_other", pair.stripe.as_str()).created(t.seconds());
    let other = other.metadata("project_id", &t.home.project);
    t.accept(&t.event(CREATED, &other)).await;
    assert_eq!(t.status(&first).await, "converted");
}

async fn one_subscription_converts_one_referral_of_all_projects(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    t.subscribe(&pair).await;
    assert_eq!(t.status(&first).await, "converted");
    let (project, key, second) = twin(t, &pair).await;
    // What Stripe goes on to tell of the same subscription, also through the session it began in, and
    // even where it names the other project.
    let subscription = t.subscription(&pair.stripe);
    let id = pair.stripe.replace("cus_", "sub_");
    let session = t.session(&pair.stripe).subscription(Some(&id));
    let named = t
        .subscription(&pair.stripe)
        .metadata("project_id", &project);
    let updated = "customer.subscription.updated";
    for event in [
        t.event(updated, &subscription),
        t.event(COMPLETED, &session),
        t.event(updated, &named),
    ] {
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, "no_referral");
        assert_eq!(status_in(&key, &second).await, "pending");
    }
    let other = Subscription::new("sub_other", pair.stripe.as_str()).created(t.seconds());
    t.accept(&t.event(CREATED, &other)).await;
    assert_eq!(status_in(&key, &second).await, "converted");
}

async fn one_customer_under_two_stripe_ids_converts_one_referral(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let (other, second) = t.unlinked("b").await;
    t.link(&other.referee, json!("acct_1")).await;
    let subscription = Subscription::new("sub_1", Value::Null).customer_account("acct_1");
    t.accept(&t.event(CREATED, &subscription.created(t.seconds())))
        .await;
    assert_eq!(t.status(&second).await, "converted");
    for id in ["sub_1", "sub_2"] {
        let both = Subscription::new(id, pair.stripe.as_str()).customer_account("acct_1");
        t.accept(&t.event(CREATED, &both.created(t.seconds())))
            .await;
        assert_eq!(t.status(&first).await, "pending", "{id}");
    }
}

async fn metadata_cannot_reach_into_another_team(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let stranger = t.tenant("stranger").await;
    let body = json!({"email": "s@example.com", "stripeCustomerId": "cus_s"});
    let theirs = stranger.key.post("customers", body).await.created();
    let theirs = text(&theirs["customer"]["id"]);
    let event = Subscription::new("sub_1", "cus_s").created(t.seconds());
    let event = event.metadata("project_id", &stranger.project);
    let event = event.metadata("billstackCustomerId", &theirs);
    let event = t.event(CREATED, &event);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_customer");
    // A project that is none of the team's says nothing.
    let subscription = t
        .subscription(&pair.stripe)
        .metadata("project_id", &stranger.project);
    t.accept(&t.event(CREATED, &subscription)).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn other_teams_stay_untouched(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let stranger = t.tenant("stranger").await;
    let path = stranger.path("stripe/connect");
    stranger
        .owner
        .post(&path, json!({"webhookSecret": SECRET}))
        .await
        .ok();
    // The same event id and the same Stripe customer, delivered to the other team.
    let event = t.created(&pair.stripe);
    let bytes = fake_stripe::body(&event);
    let signature = fake_stripe::sign(&bytes, SECRET, t.seconds());
    let path = format!("/api/webhooks/stripe/{}", stranger.team);
    let call = t.nobody.call(reqwest::Method::POST, &path);
    let call = call
        .header("stripe-signature", &signature)
        .body("application/json", bytes);
    call.send().await.ok();
    assert_eq!(t.status(&referral).await, "pending");
    t.accept(&event).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn the_other_mode_is_kept_and_ignored(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let live = |id: &str| {
        let options = EventOptions::at(t.seconds()).live().id(id);
        fake_stripe::event(CREATED, &t.subscription(&pair.stripe), &options)
    };
    let keys = json!({"publishableKey": "pk_test_1", "webhookSecret": SECRET});
    t.connect_with(keys).await;
    let event = live("evt_live_1");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "ignored");
    assert_eq!(t.status(&referral).await, "pending");
    // Where no key tells the mode, any is taken.
    t.connect().await;
    t.accept(&live("evt_live_2")).await;
    assert_eq!(t.status(&referral).await, "converted");
}

/// The keys of the other mode were connected by mistake, before an event came or after.
async fn the_wrong_mode_can_be_mended(t: &Bench) {
    let mode = |name: &str| {
        let key = format!("pk_{name}_1");
        t.connect_with(json!({"publishableKey": key, "webhookSecret": SECRET}))
    };
    let (pair, referral) = t.pending("a").await;
    mode("live").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    assert_eq!(t.replay(&event).await["outcome"], "ignored");
    mode("test").await;
    assert_eq!(t.replay(&event).await["outcome"], "converted");
    assert_eq!(t.status(&referral).await, "converted");

    let pair = t.pair("b").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let before = t.replay(&event).await;
    assert_eq!(before["outcome"], "no_referral");
    mode("live").await;
    let ignored = t.replay(&event).await;
    assert_eq!(ignored["outcome"], "ignored");
    for member in ["customerId", "payload"] {
        assert_eq!(ignored[member], before[member], "{member}");
    }
    mode("test").await;
    assert_eq!(t.replay(&event).await, before);
    assert_eq!(t.apply(&pair).await["status"], "converted");
}

async fn replaying_looks_again(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let (_, key, second) = twin(t, &pair).await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "ambiguous");
    let body = key.get(&format!("referrals/{second}")).await.ok();
    let referee = text(&body["referral"]["refereeCustomerId"]);
    key.delete(&format!("customers/{referee}")).await.ok();
    let id = text(&event["id"]);
    let path = t.home.path(&format!("stripe/events/{id}/replay"));
    let answer = t.team_call(reqwest::Method::POST, &format!("stripe/events/{id}/replay"));
    let answer = answer.json(&json!({})).send().await.ok();
    assert_eq!(answer["event"]["outcome"], "converted");
    assert_eq!(t.status(&first).await, "converted");
    let before = t.credits().await;
    t.owner.post(&path, json!({})).await.ok();
    assert_eq!(t.credits().await, before);
    let unknown = t.home.path("stripe/events/evt_unknown/replay");
    t.owner
        .post(&unknown, json!({}))
        .await
        .refused("event_not_found");
}

async fn events_are_listed_for_administrators(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let converted = t.created(&pair.stripe);
    t.accept(&converted).await;
    t.accept(&t.created("cus_nobody")).await;
    let options = EventOptions::at(t.seconds()).generation(Generation::Basil);
    t.accept(&fake_stripe::event(
        "invoice.paid",
        &json!({"id": "in_1"}),
        &options,
    ))
    .await;
    let path = t.home.path("stripe/events");
    let all = t.owner.get(&path).await.ok();
    let outcomes = crate::support::fixture::pluck(&all["events"], "outcome");
    assert_eq!(outcomes, ["ignored", "no_customer", "converted"]);
    let found = &all["events"][2];
    assert_eq!(found["id"], converted["id"]);
    assert_eq!(found["type"], CREATED);
    assert_eq!(found["referralId"], referral.as_str());
    assert_eq!(found["customerId"], pair.referee.as_str());
    assert_eq!(found["projectId"], t.home.project.as_str());
    for (query, number) in [
        ("outcome=converted", 1),
        ("outcome=failed", 0),
        ("type=invoice.paid", 1),
        ("outcome=no_customer&type=customer.subscription.created", 1),
    ] {
        let list = t.owner.get(&format!("{path}?{query}")).await.ok();
        assert_eq!(
            list["events"].as_array().map(Vec::len),
            Some(number),
            "{query}"
        );
    }
    t.owner
        .get(&format!("{path}?outcome=odd"))
        .await
        .invalid("outcome");
    let one = format!("{path}/{}", text(&converted["id"]));
    let one = t.owner.get(&one).await.ok();
    assert_eq!(one["event"]["payload"]["type"], CREATED);
    let answer = t.owner.get(&format!("{path}/evt_unknown")).await;
    answer.refused("event_not_found");
}
