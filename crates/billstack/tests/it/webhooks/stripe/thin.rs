//! Thin events name their object; it has to be fetched.

use std::time::{Duration, Instant};

use billstack_core::time::MINUTE;
use fake_stripe::{EventObject, EventOptions, Fault, Generation, Injection, thin_event};
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::text;
use crate::support::stripe::SECRET;

on_both_engines! {
    with_a_key_the_object_is_fetched with stripe,
    without_a_key_it_is_kept_as_failed,
    once_a_key_is_there_a_replay_helps with stripe,
    a_replay_that_finds_nobody_keeps_the_books_sound with stripe,
    one_of_the_other_mode_can_be_read_later with stripe,
    while_stripe_is_down_it_is_kept_and_fetched_later with stripe,
    a_stripe_that_hangs_holds_no_event_up with stripe,
    whatever_comes_first_it_converts_once with stripe,
    without_the_key_it_fails_when_it_is_fetched with stripe,
    one_of_a_related_account_is_fetched_there with stripe,
    irrelevant_ones_are_not_fetched with stripe,
}

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

async fn connect_with_key(t: &Bench) {
    let body = json!({"secretKey": "sk_test_1", "webhookSecret": SECRET});
    t.connect_with(body).await;
}

fn thin(t: &Bench, kind: &str, id: &str) -> Value {
    thin_event(kind, id, None, &EventOptions::at(t.seconds()))
}

/// Waits until it is fetched once more. A try that is under way when the time moves on puts it off from then.
async fn in_the_end(t: &Bench, event: &Value, outcome: &str) {
    for _ in 0..400 {
        if t.outcome(event).await == outcome {
            return;
        }
        t.advance(MINUTE / 2);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {outcome}, but {}", t.outcome(event).await);
}

async fn reason(t: &Bench, event: &Value) -> String {
    let path = t
        .home
        .path(&format!("stripe/events/{}", text(&event["id"])));
    text(&t.owner.get(&path).await.ok()["event"]["reason"])
}

async fn with_a_key_the_object_is_fetched(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let (other, second) = t.pending("b").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    let session = t.session(&other.stripe).render(Generation::Endive, false);
    t.fake()
        .with_books(|books| books.checkout_sessions.put(session));
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    t.becomes(&event, "converted").await;
    assert_eq!(t.status(&first).await, "converted");
    let event = thin(t, "checkout.session.completed", "cs_test_b");
    t.accept(&event).await;
    t.becomes(&event, "converted").await;
    assert_eq!(t.status(&second).await, "converted");
}

async fn without_a_key_it_is_kept_as_failed(t: &Bench) {
    let (_, referral) = t.pending("a").await;
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "failed");
    assert_eq!(t.status(&referral).await, "pending");
    let path = t
        .home
        .path(&format!("stripe/events/{}", text(&event["id"])));
    let kept = t.owner.get(&path).await.ok();
    assert!(text(&kept["event"]["reason"]).contains("secret key"));
}

async fn once_a_key_is_there_a_replay_helps(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    t.replay(&event).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn a_replay_that_finds_nobody_keeps_the_books_sound(t: &Bench) {
    t.connect().await;
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    connect_with_key(t).await;
    t.in_books(&t.subscription("cus_nobody"));
    t.in_books(&t.subscription("cus_a"));
    for _ in 0..2 {
        assert_eq!(t.replay(&event).await["outcome"], "no_customer");
    }
}

async fn one_of_the_other_mode_can_be_read_later(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let key = |mode: &str| {
        let key = format!("sk_{mode}_1");
        t.connect_with(json!({"secretKey": key, "webhookSecret": SECRET}))
    };
    key("live").await;
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "ignored");
    key("test").await;
    t.in_books(&t.subscription(&pair.stripe));
    t.replay(&event).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn while_stripe_is_down_it_is_kept_and_fetched_later(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    t.fake().set_down(true);
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "waiting");
    assert!(reason(t, &event).await.contains("fetched"));
    // It is known: another delivery changes nothing.
    t.accept(&event).await;
    assert_eq!(t.count("stripe_events").await, 1);
    let path = t.home.path("stripe/events?outcome=waiting");
    let listed = t.owner.get(&path).await.ok()["events"].take();
    assert_eq!(listed[0]["id"], event["id"]);
    t.fake().set_down(false);
    in_the_end(t, &event, "converted").await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn a_stripe_that_hangs_holds_no_event_up(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    let hang = Injection::new(Fault::Hang(Duration::from_secs(60)));
    t.fake().inject(hang.times(100));
    let began = Instant::now();
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(t.outcome(&event).await, "waiting");
    t.fake().clear_faults();
    // The call that hangs is given up after five seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    in_the_end(t, &event, "converted").await;
}

async fn whatever_comes_first_it_converts_once(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    t.fake().set_down(true);
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    let snapshot = t.created(&pair.stripe);
    t.accept(&snapshot).await;
    assert_eq!(t.status(&referral).await, "converted");
    t.fake().set_down(false);
    in_the_end(t, &event, "no_referral").await;
    assert_eq!(t.credits().await.len(), 2);
}

async fn without_the_key_it_fails_when_it_is_fetched(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    t.fake().set_down(true);
    let event = thin(t, "customer.subscription.created", "sub_a");
    t.accept(&event).await;
    t.connect().await;
    in_the_end(t, &event, "failed").await;
    t.fake().set_down(false);
    assert!(reason(t, &event).await.contains("secret key"));
    connect_with_key(t).await;
    // Stripe sends it once more, or somebody replays it.
    t.accept(&event).await;
    t.becomes(&event, "converted").await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn one_of_a_related_account_is_fetched_there(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    let context = || "acct_9/acct_10".to_owned();
    t.fake()
        .with_books(|books| books.contexts.insert("sub_a".to_owned(), context()));
    let options = EventOptions::at(t.seconds()).account(&context());
    let event = thin_event("customer.subscription.created", "sub_a", None, &options);
    t.accept(&event).await;
    t.becomes(&event, "converted").await;
    assert_eq!(t.status(&referral).await, "converted");
    // Without it, or with a wrong one, there is no such object.
    for account in [None, Some("acct_9")] {
        let options = EventOptions::at(t.seconds());
        let options = match account {
            Some(account) => options.account(account),
            None => options,
        };
        let event = thin_event("customer.subscription.updated", "sub_a", None, &options);
        t.accept(&event).await;
        t.becomes(&event, "failed").await;
    }
}

async fn irrelevant_ones_are_not_fetched(t: &Bench) {
    connect_with_key(t).await;
    t.fake().clear_requests();
    let event = thin(t, "invoice.paid", "in_1");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "ignored");
    assert!(t.fake().requests().is_empty());
}
