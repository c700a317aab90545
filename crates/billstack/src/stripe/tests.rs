//! The client against the stand-in for Stripe.

use std::time::Duration;

use billstack_core::stripe_event::Subscriptions;
use billstack_core::time::Micros;
use fake_stripe::{
    CheckoutSession, Customer, EventObject, FakeStripe, Fault, Generation, Injection, Subscription,
};

mod money;

use super::*;
use crate::settings::SecretText;

const BROKEN: StripeError = StripeError::Unavailable { answered: false };

fn client(fake: &FakeStripe) -> StripeClient {
    StripeClient::new(&fake.base_url(), Duration::from_secs(5)).expect("a client")
}

fn key() -> SecretText {
    SecretText::new("sk_test_a")
}

fn ada() -> NewStripeCustomer {
    NewStripeCustomer {
        email: "ada@example.com".to_owned(),
        name: Some("Ada".to_owned()),
        project_id: "proj_1".into(),
        billstack_customer_id: "pc_1".to_owned(),
    }
}

fn put_customer(fake: &FakeStripe, customer: &Customer) {
    let customer = customer.render(Generation::Endive, false);
    fake.with_books(|books| books.customers.put(customer));
}

fn put_subscription(fake: &FakeStripe, subscription: &Subscription) {
    let subscription = subscription.render(Generation::Endive, false);
    fake.with_books(|books| books.subscriptions.put(subscription));
}

#[tokio::test]
async fn a_key_tells_its_account() {
    let fake = FakeStripe::start().await;
    let client = client(&fake);
    let account = client.account(&key()).await.expect("an answer");
    let account = account.expect("an account");
    assert!(account.id.starts_with("acct_"));
    assert_eq!(account.name.as_deref(), Some("Fake Stripe Account"));
    let request = &fake.requests()[0];
    assert_eq!(request.stripe_version.as_deref(), Some(VERSION));
    assert_eq!(request.api_key.as_deref(), Some("sk_test_a"));
    fake.accept_only(&["sk_test_other"]);
    assert_eq!(client.account(&key()).await, Err(StripeError::InvalidKey));
}

#[tokio::test]
async fn a_restricted_key_may_not_tell_its_account() {
    let fake = FakeStripe::start().await;
    let client = client(&fake);
    fake.inject(Injection::new(Fault::Status(403)).code("more_permissions_required"));
    assert_eq!(client.account(&key()).await, Ok(None));
}

#[tokio::test]
async fn failures_are_told_apart() {
    let fake = FakeStripe::start().await;
    let client = client(&fake);
    let refused = |status, code: &str| StripeError::Refused {
        status,
        code: code.to_owned(),
    };
    let answered = StripeError::Unavailable { answered: true };
    for (injection, expected) in [
        (Injection::new(Fault::Status(500)), answered.clone()),
        (Injection::new(Fault::Status(503)), answered),
        (Injection::new(Fault::Status(429)), BROKEN),
        (Injection::new(Fault::Status(409)), BROKEN),
        (Injection::new(Fault::Status(302)), BROKEN),
        (Injection::new(Fault::Status(401)), StripeError::InvalidKey),
        (
            Injection::new(Fault::Status(403)).code("more_permissions_required"),
            refused(403, "more_permissions_required"),
        ),
        (
            Injection::new(Fault::Status(402)).code("Say <b>"),
            refused(402, "status 402"),
        ),
        (Injection::new(Fault::Reset).times(2), BROKEN),
    ] {
        fake.inject(injection.clone());
        let answer = client.subscriptions(&key(), "cus_1", Micros(0)).await;
        assert_eq!(answer, Err(expected), "{injection:?}");
        assert_eq!(fake.faults_left(), 0, "{injection:?}");
    }
    // One broken connection is not yet a failure.
    fake.fail_next(1, Fault::Reset);
    assert!(client.account(&key()).await.is_ok());
    fake.set_down(true);
    assert_eq!(client.account(&key()).await, Err(BROKEN));
}

#[tokio::test]
async fn patience_ends() {
    let fake = FakeStripe::start().await;
    let hasty = StripeClient::new(&fake.base_url(), Duration::from_millis(200)).expect("a client");
    fake.fail_next(1, Fault::Hang(Duration::from_secs(30)));
    assert_eq!(hasty.account(&key()).await, Err(BROKEN));
    assert_eq!(fake.requests().len(), 1, "a slow call is not made twice");
}

#[tokio::test]
async fn customers_of_a_mailbox_are_found_the_oldest_first() {
    let fake = FakeStripe::start().await;
    let client = client(&fake);
    for (id, created) in [("cus_old", 1_000), ("cus_new", 3_000), ("cus_mid", 2_000)] {
        let customer = Customer::new(id).email("a+b@example.com").created(created);
        put_customer(&fake, &customer.metadata("billstack_customer_id", id));
    }
    put_customer(&fake, &Customer::new("cus_other").email("b@example.com"));
    let found_as = async |typed| {
        let key = key();
        let found = client.customers_of_mailbox(&key, "a+b@example.com", typed);
        found.await.expect("a list")
    };
    let ids = |found: &[CustomerFound]| -> Vec<String> {
        found.iter().map(|one| one.id.clone()).collect()
    };
    let found = found_as(None).await;
    assert_eq!(ids(&found), ["cus_old", "cus_mid", "cus_new"]);
    assert_eq!(
        found[2].billstack_customer_id.as_deref(),
        Some("cus_new"),
        "metadata is read"
    );
    // However Stripe holds the address; whoever else has a part of it is somebody else.
    for (id, email) in [
        ("cus_upper", "A+B@Example.COM"),
        ("cus_untagged", "a@example.com"),
        ("cus_not", "aa+b@example.com"),
        ("cus_nor", "a+b@example.org"),
    ] {
        put_customer(&fake, &Customer::new(id).email(email).created(4_000));
    }
    let all = ["cus_old", "cus_mid", "cus_new", "cus_untagged", "cus_upper"];
    assert_eq!(ids(&found_as(None).await), all);
    // A search comes late, and is not offered everywhere: then the spellings that are known have to do.
    let refused = Injection::new(Fault::Status(400)).path("/v1/customers/search");
    fake.inject(refused.times(2));
    assert_eq!(ids(&found_as(None).await), &all[..4]);
    assert_eq!(ids(&found_as(Some("A+B@Example.COM")).await), all);
}

#[tokio::test]
async fn a_customer_is_created_once_per_attempt() {
    let fake = FakeStripe::start().await;
    let client = client(&fake);
    let first = client
        .create_customer(&key(), 1, &ada())
        .await
        .expect("one");
    assert_eq!(
        client.create_customer(&key(), 1, &ada()).await,
        Ok(first.clone())
    );
    let stored = fake.with_books(|books| books.customers.get(&first).cloned());
    let stored = stored.expect("the customer");
    assert_eq!(stored["email"], "ada@example.com");
    assert_eq!(stored["name"], "Ada");
    assert_eq!(stored["metadata"]["project_id"], "proj_1");
    assert_eq!(stored["metadata"]["billstack_customer_id"], "pc_1");

    // The answer is lost after the work was done: the repetition finds out what it was.
    fake.fail_next(1, Fault::ResetAfterCommit);
    let second = client.create_customer(&key(), 2, &ada()).await;
    assert_ne!(second.expect("another"), first);
    assert_eq!(fake.with_books(|books| books.customers.len()), 2);

    // Stripe keeps an error; only another attempt gets past it.
    fake.fail_next(1, Fault::Status(500));
    let answered = StripeError::Unavailable { answered: true };
    for _ in 0..2 {
        let failed = client.create_customer(&key(), 3, &ada()).await;
        assert_eq!(failed, Err(answered.clone()));
    }
    assert!(client.create_customer(&key(), 4, &ada()).await.is_ok());
    let corrected = NewStripeCustomer {
        name: None,
        ..ada()
    };
    assert!(client.create_customer(&key(), 1, &corrected).await.is_ok());
}

#[tokio::test]
async fn subscriptions_that_came_to_be() {
    let fake = FakeStripe::start().await;
    let client = client(&fake);
    let asked = key();
    let ask = async |customer: &'static str| {
        let found = client.subscriptions(&asked, customer, Micros(0)).await;
        found.map(Subscriptions::of)
    };
    assert!(ask("cus_none").await.expect_err("nobody").is_missing());
    put_customer(&fake, &Customer::new("cus_1"));
    assert_eq!(ask("cus_1").await, Ok(Subscriptions::default()));
    let put = |id: &str, created: i64, status: &str| {
        let subscription = Subscription::new(id, "cus_1").created(created);
        put_subscription(&fake, &subscription.status(status));
    };
    put("sub_a", 1_000, "incomplete_expired");
    put("sub_b", 2_000, "incomplete");
    assert_eq!(ask("cus_1").await, Ok(Subscriptions::default()));
    put("sub_c", 3_000, "canceled");
    for number in 0..250 {
        put(&format!("sub_{number}"), 4_000 + number, "active");
    }
    fake.clear_requests();
    let found = ask("cus_1").await.expect("an answer");
    assert_eq!(found.earliest, Some(Micros::from_secs(3_000)));
    let counting = found.counting.expect("the oldest that is active");
    assert_eq!(counting.object_id, "sub_0");
    assert_eq!(counting.stripe_customer_id.as_deref(), Some("cus_1"));
    assert_eq!(fake.requests().len(), 3);
    // Beyond the bound the oldest pages are left unread.
    for number in 0..250 {
        put(&format!("sub_x{number}"), 5_000 + number, "active");
    }
    let found = ask("cus_1").await.expect("an answer");
    assert_eq!(found.earliest, Some(Micros::from_secs(4_200)));
}

#[tokio::test]
async fn objects_are_fetched_from_our_own_paths() {
    let fake = FakeStripe::start().await;
    let client = client(&fake);
    put_subscription(&fake, &Subscription::new("sub_1", "cus_1"));
    let session = CheckoutSession::new("cs_test_1", "cus_1").render(Generation::Endive, false);
    fake.with_books(|books| books.checkout_sessions.put(session));
    for (kind, id) in [
        ("customer.subscription.created", "sub_1"),
        ("checkout.session.completed", "cs_test_1"),
    ] {
        let path = object_path(kind, id).expect("a path");
        let object = client.object(&key(), &path, None).await.expect("an object");
        let object: serde_json::Value = serde_json::from_slice(&object).expect("JSON");
        assert_eq!(object["id"], id);
    }
    for (kind, id) in [
        ("customer.subscription.created", "cs_test_1"),
        ("customer.subscription.created", "sub_"),
        ("customer.subscription.created", "sub_1/../../x"),
        ("customer.subscription.created", "sub_1?expand"),
        ("checkout.session.completed", "https://example.com"),
        ("customer.created", "cus_1"),
    ] {
        assert_eq!(object_path(kind, id), None, "{kind} {id}");
    }
}

#[tokio::test]
async fn a_base_that_is_not_stripe() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("its address"));
    let routes = axum::Router::new().route(
        "/v1/account",
        axum::routing::get(|| async { "x".repeat(3 * 1024 * 1024) }),
    );
    let routes = routes.fallback(|| async { "<html>" });
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let client = StripeClient::new(&base, Duration::from_secs(5)).expect("a client");
    assert_eq!(client.account(&key()).await, Err(BROKEN), "too large");
    let created = client.create_customer(&key(), 1, &ada()).await;
    assert_eq!(created, Err(BROKEN), "not JSON");
    serving.abort();
}

#[test]
fn keys_and_secrets_have_a_form() {
    let mode = |text| secret_key(text).map(|(_, mode)| mode);
    assert_eq!(mode(" sk_test_a1\n"), Some(Mode::Test));
    assert_eq!(mode("rk_live_A_1"), Some(Mode::Live));
    for wrong in [
        "",
        "sk_test_",
        "pk_test_a",
        "sk_prod_a",
        "sk_test_a b",
        "sk_test_\u{e9}",
    ] {
        assert_eq!(mode(wrong), None, "{wrong}");
    }
    assert!(publishable_key("pk_live_a").is_some());
    assert!(publishable_key("sk_live_a").is_none());
    let secret = webhook_secret("\twhsec_a/b+c=\r\n").expect("a secret");
    assert_eq!(secret.expose(), "whsec_a/b+c=");
    for wrong in ["", "  ", "whsec_", "whsec_ ", "whsec_a b", "secret"] {
        assert!(webhook_secret(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn secrets_are_sealed_for_their_team_and_field() {
    let cipher = crate::secrets::Cipher::new([7; 32]);
    let secret = SecretText::new("whsec_a");
    let sealed = seal(
        &cipher,
        &"team_1".into(),
        SecretField::WebhookSecret,
        &secret,
    );
    let open = |team: &str, field| unsealed(&cipher, &team.into(), field, &sealed).ok();
    assert_eq!(open("team_1", SecretField::WebhookSecret), Some(secret));
    assert_eq!(open("team_2", SecretField::WebhookSecret), None);
    assert_eq!(open("team_1", SecretField::SecretKey), None);
}
