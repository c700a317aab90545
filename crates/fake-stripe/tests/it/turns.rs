//! Writes beside each other, and what the log tells of them.

use std::time::Duration;

use fake_stripe::{Customer, EventObject, FakeStripe, Generation};

use crate::client::Client;

const CREDIT: &[(&str, &str)] = &[("amount", "-5"), ("currency", "usd")];

async fn with_customers() -> (FakeStripe, Client) {
    let fake = FakeStripe::start().await;
    fake.with_books(|books| {
        for id in ["cus_1", "cus_2"] {
            let customer = Customer::new(id).account(&id.replace("cus", "acct"));
            books
                .customers
                .put(customer.render(Generation::Endive, false));
        }
    });
    fake.set_latency(Duration::from_millis(150));
    let client = Client::new(&fake);
    (fake, client)
}

fn path(customer: &str) -> String {
    format!("/v1/customers/{customer}/balance_transactions")
}

#[tokio::test]
async fn overlapping_writes_to_one_customer_are_seen() {
    let (fake, client) = with_customers().await;
    let (one, two, other) = (path("cus_1"), path("acct_1"), path("cus_2"));
    tokio::join!(
        client.post(&one, CREDIT),
        client.post(&two, CREDIT),
        client.post(&other, CREDIT),
        client.get(&one),
    );
    let overlaps = fake.overlaps();
    assert_eq!(overlaps.len(), 1);
    let (earlier, later) = &overlaps[0];
    assert!(earlier.overlaps(later) && earlier.began < later.began);
    for write in [earlier, later] {
        assert_eq!(write.customer.as_deref(), Some("cus_1"));
        assert_eq!(write.answered, Some(200));
    }
    fake.clear_requests();
    client.post(&one, CREDIT).await;
    client.post(&two, CREDIT).await;
    assert!(fake.overlaps().is_empty());
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn the_second_of_two_writes_is_refused() {
    let (fake, client) = with_customers().await;
    fake.refuse_overlap(true);
    let (one, two, other) = (path("cus_1"), path("acct_1"), path("cus_2"));
    let (first, second, third) = tokio::join!(
        client.post_once(&one, CREDIT, "k1"),
        client.post_once(&two, CREDIT, "k2"),
        client.post_once(&other, CREDIT, "k3"),
    );
    let (done, refused) = match first.status {
        200 => (&first, &second),
        _ => (&second, &first),
    };
    assert_eq!((done.status, third.status), (200, 200));
    assert_eq!(
        (refused.status, refused.error("code")),
        (429, "lock_timeout")
    );
    assert_eq!(refused.header("retry-after"), None);
    assert_eq!(refused.header("stripe-rate-limited-reason"), None);
    // A refusal leaves the key free and the turn ended.
    for (path, key) in [(&one, "k1"), (&two, "k2")] {
        assert_eq!(client.post_once(path, CREDIT, key).await.status, 200);
    }
    let lines = client.get(&one).await.json;
    assert_eq!(lines["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_write_under_a_key_in_use_says_so_before_the_lock() {
    let (fake, client) = with_customers().await;
    fake.refuse_overlap(true);
    let one = path("cus_1");
    let (first, second) = tokio::join!(
        client.post_once(&one, CREDIT, "k1"),
        client.post_once(&one, CREDIT, "k1"),
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn another_process_can_steer_and_read() {
    let (fake, client) = with_customers().await;
    let form = [("latency", "100"), ("refuse_overlap", "true")];
    assert_eq!(client.post("/_fake/turns", &form).await.status, 200);
    let one = path("cus_1");
    let (first, second) = tokio::join!(client.post(&one, CREDIT), client.post(&one, CREDIT));
    assert_eq!(first.status + second.status, 200 + 429);
    let read = client.get("/_fake/requests").await.json;
    assert_eq!(read["requests"].as_array().map(Vec::len), Some(2));
    assert_eq!(read["overlaps"].as_array().map(Vec::len), Some(1));
    assert_eq!(read["requests"][0]["params"]["amount"], "-5");

    fake.clock().set(1_760_000_000);
    let moved = client.post("/_fake/clock", &[("advance", "90000")]).await;
    assert_eq!(moved.json["now"], 1_760_090_000);
    client.post_once("/v1/customers", &[], "k1").await;
    assert_eq!(fake.idempotency_keys(), ["k1"]);
    client.post("/_fake/idempotency_keys/forget", &[]).await;
    assert!(fake.idempotency_keys().is_empty());
}
