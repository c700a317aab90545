//! Thin events name their object; it has to be fetched.

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
    when_stripe_is_down_stripe_shall_try_again with stripe,
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

async fn with_a_key_the_object_is_fetched(t: &Bench) {
    let (pair, first) = t.pending("a").await;
    let (other, second) = t.pending("b").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    let session = t.session(&other.stripe).render(Generation::Endive, false);
    t.fake()
        .with_books(|books| books.checkout_sessions.put(session));
    t.accept(&thin(t, "customer.subscription.created", "sub_a"))
        .await;
    assert_eq!(t.status(&first).await, "converted");
    t.accept(&thin(t, "checkout.session.completed", "cs_test_b"))
        .await;
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

async fn when_stripe_is_down_stripe_shall_try_again(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect_with_key(t).await;
    t.in_books(&t.subscription(&pair.stripe));
    t.fake().inject(
        Injection::new(Fault::Reset)
            .path("/v1/subscriptions")
            .times(50),
    );
    let event = thin(t, "customer.subscription.created", "sub_a");
    let answer = t.deliver(&event).await;
    assert!(answer.status >= 500, "{answer:?}");
    t.fake().clear_faults();
    t.accept(&event).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn irrelevant_ones_are_not_fetched(t: &Bench) {
    connect_with_key(t).await;
    t.fake().clear_requests();
    let event = thin(t, "invoice.paid", "in_1");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "ignored");
    assert!(t.fake().requests().is_empty());
}
