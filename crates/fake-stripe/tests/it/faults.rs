//! Calls that go wrong on purpose.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use fake_stripe::{FakeStripe, Fault, Injection, RateLimit};
use reqwest::Method;

use crate::client::{Client, send};

const CUSTOMERS: &str = "/v1/customers";

#[tokio::test]
async fn an_injection_meets_only_the_calls_it_names() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let fault = Injection::new(Fault::Status(503))
        .times(2)
        .method("POST")
        .path("/v1/customers");
    fake.inject(
        fault
            .header("Stripe-Should-Retry", "false")
            .code("lock_timeout"),
    );
    assert_eq!(client.get(CUSTOMERS).await.status, 200);
    assert_eq!(client.get("/v1/account").await.status, 200);
    assert_eq!(fake.faults_left(), 2);
    for _ in 0..2 {
        let failed = client.post(CUSTOMERS, &[]).await;
        assert_eq!((failed.status, failed.error("code")), (503, "lock_timeout"));
        assert_eq!(failed.header("stripe-should-retry"), Some("false"));
        assert!(failed.header("request-id").is_some());
    }
    assert_eq!(client.post(CUSTOMERS, &[]).await.status, 200);
    assert_eq!(fake.faults_left(), 0);
}

#[tokio::test]
async fn work_goes_on_after_the_caller_left() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.fail_next(1, Fault::Hang(Duration::from_millis(150)));
    let request = client
        .request(Method::POST, CUSTOMERS)
        .timeout(Duration::from_millis(50));
    assert!(
        send(request)
            .await
            .expect_err("no answer in time")
            .is_timeout()
    );
    assert!(fake.with_books(|books| books.customers.is_empty()));
    let deadline = Instant::now() + Duration::from_secs(5);
    while fake.with_books(|books| books.customers.is_empty()) {
        assert!(Instant::now() < deadline, "the customer was never made");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_reset_after_the_work_leaves_one_effect_per_key() {
    const CREDITS: usize = 100;
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let customer = client.post(CUSTOMERS, &[]).await.id().to_owned();
    let path = format!("{CUSTOMERS}/{customer}/balance_transactions");
    for number in 0..CREDITS {
        let (key, form) = (
            format!("credit-{number}"),
            [("amount", "-5"), ("currency", "usd")],
        );
        fake.fail_next(1, Fault::ResetAfterCommit);
        client
            .try_once(&path, &form, &key)
            .await
            .expect_err("a broken connection");
        let retried = client.post_once(&path, &form, &key).await;
        assert_eq!(
            (retried.status, retried.header("idempotent-replayed")),
            (200, Some("true"))
        );
    }
    assert_eq!(
        fake.with_books(|books| books.balance_transactions.len()),
        CREDITS
    );
    assert_eq!(
        client.get(&format!("{CUSTOMERS}/{customer}")).await.json["balance"],
        -500
    );
}

#[tokio::test]
async fn a_reset_before_the_work_leaves_nothing() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.fail_next(1, Fault::Reset);
    let broken = client
        .try_once(CUSTOMERS, &[], "k1")
        .await
        .expect_err("a broken connection");
    assert!(is_reset(&broken), "{broken:?}");
    assert!(fake.with_books(|books| books.customers.is_empty()));
    assert!(fake.idempotency_keys().is_empty());
    assert_eq!(fake.requests()[0].answered, None);
}

#[tokio::test]
async fn a_refusal_for_number_says_why() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    for limit in RateLimit::ALL {
        fake.inject(Injection::rate_limited(limit));
        let refused = client.post_once(CUSTOMERS, &[], "k1").await;
        assert_eq!((refused.status, refused.error("code")), (429, "rate_limit"));
        assert_eq!(
            refused.header("stripe-rate-limited-reason"),
            Some(limit.reason())
        );
        assert_eq!(refused.header("retry-after"), None);
    }
    fake.inject(Injection::lock_timeout());
    let locked = client.post_once(CUSTOMERS, &[], "k1").await;
    assert_eq!((locked.status, locked.error("code")), (429, "lock_timeout"));
    assert_eq!(locked.header("stripe-rate-limited-reason"), None);
    assert_eq!(client.post_once(CUSTOMERS, &[], "k1").await.status, 200);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.inject(Injection::missing_permission("rak_customer_write").always());
    fake.inject(Injection::new(Fault::Status(401)).path("/v1/account"));
    for _ in 0..3 {
        let refused = client.post(CUSTOMERS, &[]).await;
        assert_eq!(refused.status, 403);
        assert!(refused.error("message").contains("'rak_customer_write'"));
    }
    fake.clear_faults();
    fake.inject(Injection::new(Fault::Status(401)));
    assert_eq!(client.post(CUSTOMERS, &[]).await.status, 401);
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_kept() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    for (number, (fault, status)) in [
        (Fault::Unreadable, 200),
        (Fault::ProxyPageAfterCommit(502), 502),
        (Fault::ProxyPage(502), 502),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("k{number}");
        let is_done = !matches!(fault, Fault::ProxyPage(_));
        let ours = fault != Fault::Unreadable;
        fake.fail_next(1, fault);
        let request = client.request(Method::POST, CUSTOMERS);
        let response = request.header("Idempotency-Key", &key).send().await;
        let response = response.expect("an answer");
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers().get("request-id").is_none(), ours);
        let text = response.text().await.expect("a body");
        assert!(!text.is_empty() && serde_json::from_str::<serde_json::Value>(&text).is_err());
        let again = client.post_once(CUSTOMERS, &[], &key).await;
        let replayed = again.header("idempotent-replayed");
        assert_eq!((again.status, replayed.is_some()), (200, is_done));
    }
    assert_eq!(fake.with_books(|books| books.customers.len()), 3);
}

#[tokio::test]
async fn an_answer_that_comes_late_is_kept_at_once() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.inject(
        Injection::new(Fault::HangAfterCommit(Duration::from_secs(60))).path_ending("/customers"),
    );
    let request = client
        .request(Method::POST, CUSTOMERS)
        .header("Idempotency-Key", "k1")
        .timeout(Duration::from_millis(300));
    let error = send(request).await.expect_err("no answer in time");
    assert!(error.is_timeout());
    let again = client.post_once(CUSTOMERS, &[], "k1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(fake.with_books(|books| books.customers.len()), 1);
}

#[tokio::test]
async fn some_calls_pass_first() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.inject(Injection::new(Fault::Status(503)).skip(2).times(1));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.get(CUSTOMERS).await.status);
    }
    assert_eq!(statuses, [200, 200, 503, 200]);
}

#[tokio::test]
async fn down_and_up_again() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    // Leaves an open connection behind, which has to break as well.
    assert_eq!(client.get("/v1/account").await.status, 200);
    fake.set_down(true);
    for _ in 0..3 {
        assert!(send(client.request(Method::POST, CUSTOMERS)).await.is_err());
    }
    fake.set_down(false);
    assert_eq!(client.get("/v1/account").await.status, 200);
    assert!(fake.with_books(|books| books.customers.is_empty()));
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn stops_when_dropped() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    assert_eq!(client.get("/v1/account").await.status, 200);
    drop(fake);
    let deadline = Instant::now() + Duration::from_secs(5);
    while send(client.request(Method::GET, "/v1/account"))
        .await
        .is_ok()
    {
        assert!(Instant::now() < deadline, "still answering");
    }
}

#[tokio::test]
async fn faults_ordered_over_http() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let order = [
        ("fault", "status"),
        ("status", "429"),
        ("times", "2"),
        ("path", "/v1/account"),
    ];
    assert_eq!(client.post("/_fake/faults", &order).await.json["left"], 2);
    assert_eq!(client.get(CUSTOMERS).await.status, 200);
    assert_eq!(client.get("/v1/account").await.status, 429);
    fake.clear_faults();
    assert_eq!(client.get("/v1/account").await.status, 200);
    for (order, status) in [
        ([("fault", "proxy_page"), ("method", "GET")], 502),
        ([("reason", "endpoint-rate"), ("skip", "0")], 429),
        ([("permission", "rak_customer_write"), ("times", "1")], 403),
    ] {
        client.post("/_fake/faults", &order).await;
        let answer = client.request(Method::GET, CUSTOMERS).send().await;
        assert_eq!(answer.expect("an answer").status().as_u16(), status);
    }
    assert_eq!(
        client
            .post("/_fake/faults", &[("fault", "earthquake")])
            .await
            .status,
        400
    );
}

/// Whether an error comes from a TCP reset, and not from an orderly end of the connection.
fn is_reset(error: &reqwest::Error) -> bool {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.any(|cause| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionReset)
    })
}
