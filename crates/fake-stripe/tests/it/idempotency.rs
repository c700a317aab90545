//! Answers kept per idempotency key.

use std::time::Duration;

use fake_stripe::{FakeStripe, Fault, Injection};

use crate::client::Client;

const CUSTOMERS: &str = "/v1/customers";
const ANN: &[(&str, &str)] = &[("email", "ann@shop.test"), ("metadata[plan]", "pro")];

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let first = client.post_once(CUSTOMERS, ANN, "k1").await;
    let reordered: Vec<_> = ANN.iter().rev().copied().collect();
    let second = client.post_once(CUSTOMERS, &reordered, "k1").await;

    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.json, second.json);
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(
        second.header("original-request"),
        first.header("request-id")
    );
    assert_ne!(second.header("request-id"), first.header("request-id"));
    assert_eq!(fake.with_books(|books| books.customers.len()), 1);
    assert_eq!(fake.idempotency_keys(), ["k1"]);
}

#[tokio::test]
async fn another_request_under_the_key_is_refused() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let ann = client.post_once(CUSTOMERS, ANN, "k1").await;
    let other_params = client
        .post_once(CUSTOMERS, &[("email", "ben@shop.test")], "k1")
        .await;
    let other_path = client
        .post_once(&format!("{CUSTOMERS}/{}", ann.id()), ANN, "k1")
        .await;
    for refused in [other_params, other_path] {
        assert_eq!(
            (refused.status, refused.error("type")),
            (400, "idempotency_error")
        );
    }
    assert_eq!(fake.with_books(|books| books.customers.len()), 1);
}

#[tokio::test]
async fn a_request_still_running_conflicts() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.fail_next(1, Fault::Hang(Duration::from_millis(400)));
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.post_once(CUSTOMERS, ANN, "k1").await }
    });
    while fake.idempotency_keys().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let early = client.post_once(CUSTOMERS, ANN, "k1").await;
    assert_eq!(
        (early.status, early.error("code")),
        (409, "idempotency_key_in_use")
    );
    let slow = slow.await.expect("the slow call");
    let late = client.post_once(CUSTOMERS, ANN, "k1").await;
    assert_eq!((slow.status, late.status), (200, 200));
    assert_eq!(slow.json, late.json);
}

#[tokio::test]
async fn a_500_is_kept() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.fail_next(1, Fault::Status(500));
    let first = client.post_once(CUSTOMERS, ANN, "k1").await;
    let again = client.post_once(CUSTOMERS, ANN, "k1").await;
    assert_eq!((first.status, again.status), (500, 500));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.error("type"), "api_error");
    assert!(fake.with_books(|books| books.customers.is_empty()));
    assert_eq!(client.post_once(CUSTOMERS, ANN, "k2").await.status, 200);
}

#[tokio::test]
async fn a_500_after_the_work_is_kept_as_well() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.fail_next(1, Fault::StatusAfterCommit(500));
    for _ in 0..3 {
        assert_eq!(client.post_once(CUSTOMERS, ANN, "k1").await.status, 500);
    }
    assert_eq!(fake.with_books(|books| books.customers.len()), 1);
}

#[tokio::test]
async fn refusals_before_the_work_are_not_kept() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.fail_next(1, Fault::Status(429));
    fake.inject(Injection::new(Fault::Status(503)));
    let limited = client.post_once(CUSTOMERS, ANN, "k1").await;
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (429, Some("1"))
    );
    assert_eq!(client.post_once(CUSTOMERS, ANN, "k1").await.status, 503);
    assert_eq!(
        client
            .post_once(CUSTOMERS, &[("email", "nobody")], "k1")
            .await
            .error("code"),
        "email_invalid"
    );
    assert_eq!(client.post_once(CUSTOMERS, ANN, "k1").await.status, 200);
}

#[tokio::test]
async fn keys_are_forgotten_after_a_day() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.clock().set(1_760_000_000);
    let first = client.post_once(CUSTOMERS, ANN, "k1").await;
    fake.clock().advance(24 * 60 * 60 - 1);
    assert_eq!(
        client.post_once(CUSTOMERS, ANN, "k1").await.json,
        first.json
    );
    fake.clock().advance(1);
    assert!(fake.idempotency_keys().is_empty());
    let second = client.post_once(CUSTOMERS, ANN, "k1").await;
    assert_ne!(second.id(), first.id());
    assert_eq!(second.json["created"], 1_760_000_000 + 24 * 60 * 60);
}

#[tokio::test]
async fn keys_can_be_forgotten_early() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let first = client.post_once(CUSTOMERS, ANN, "k1").await;
    fake.forget_idempotency_keys();
    assert!(fake.idempotency_keys().is_empty());
    let second = client.post_once(CUSTOMERS, ANN, "k1").await;
    assert_ne!(second.id(), first.id());
    assert_eq!(second.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn live_and_test_keys_are_apart() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let test = client.post_once(CUSTOMERS, ANN, "k1").await;
    let live = client
        .with_key("sk_live_a")
        .post_once(CUSTOMERS, ANN, "k1")
        .await;
    assert_eq!(
        (&test.json["livemode"], &live.json["livemode"]),
        (&false.into(), &true.into())
    );
    assert_ne!(test.id(), live.id());
    assert_eq!(
        client
            .get(&format!("{CUSTOMERS}/{}", live.id()))
            .await
            .status,
        404
    );
}
