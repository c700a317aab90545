//! Customers of a team whose secret key lets the server call Stripe.

use std::time::Duration;

use fake_stripe::{Customer, EventObject, Fault, Generation, Injection, Received, Subscription};
use reqwest::Method;
use serde_json::json;

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{apply_body, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    a_new_customer_is_made_in_stripe_too with stripe,
    an_existing_customer_of_the_address_is_linked with stripe,
    of_several_the_newest_is_linked with stripe,
    of_several_the_subscriber_is_linked with stripe,
    an_id_that_is_given_is_taken with stripe,
    when_stripe_is_down_a_retry_finishes_the_same_customer with stripe,
    an_answer_that_got_lost_makes_no_second_customer with stripe,
    an_error_that_stripe_keeps_is_overcome with stripe,
    a_refusal_kept_after_stripe_was_asked_goes_with_the_person with stripe,
    stripe_is_asked_for_old_subscriptions with stripe,
    a_test_project_asks_nothing_with_a_live_key with stripe,
}

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

pub(super) async fn connect(t: &Bench) {
    t.fake().clock().set(t.seconds());
    t.connect_with(json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}))
        .await;
}

/// Requests with this method and path so far.
fn asked(t: &Bench, method: &str, path: &str) -> usize {
    let requests = t.fake().requests();
    let fits = |r: &&Received| r.method == method && r.path.starts_with(path);
    requests.iter().filter(fits).count()
}

async fn a_new_customer_is_made_in_stripe_too(t: &Bench) {
    connect(t).await;
    let customer = t
        .customer_with(json!({"email": "ada@example.com", "name": "Ada"}))
        .await;
    let id = text(&customer["stripeCustomerId"]);
    assert!(id.starts_with("cus_"), "{id}");
    assert_eq!(asked(t, "POST", "/v1/customers"), 1);
    let stored = t
        .fake()
        .with_books(|books| books.customers.get(&id).cloned());
    let stored = stored.expect("Stripe has it");
    assert_eq!(stored["email"], "ada@example.com");
    assert_eq!(stored["metadata"]["project_id"], t.home.project.as_str());
}

/// Makes a customer of this address behind our back.
fn made_in_stripe(t: &Bench, id: &str, email: &str, created: i64) {
    let customer = Customer::new(id).email(email).created(created);
    let customer = customer.render(Generation::Endive, false);
    t.fake().with_books(|books| books.customers.put(customer));
}

async fn an_existing_customer_of_the_address_is_linked(t: &Bench) {
    connect(t).await;
    made_in_stripe(t, "cus_known", "ada@example.com", t.seconds());
    let customer = t.customer_with(json!({"email": "ada@example.com"})).await;
    assert_eq!(customer["stripeCustomerId"], "cus_known");
    assert_eq!(asked(t, "POST", "/v1/customers"), 0, "none was made");
}

async fn of_several_the_newest_is_linked(t: &Bench) {
    connect(t).await;
    for (id, age) in [("cus_old", 60), ("cus_newest", 1), ("cus_older", 90)] {
        made_in_stripe(t, id, "ada@example.com", t.seconds() - age);
    }
    let customer = t.customer_with(json!({"email": "ada@example.com"})).await;
    assert_eq!(customer["stripeCustomerId"], "cus_newest");
}

async fn of_several_the_subscriber_is_linked(t: &Bench) {
    connect(t).await;
    for (id, email, age) in [
        ("cus_ended", "Ada@Example.com", 90),
        ("cus_lives", "ADA@example.com", 60),
        ("cus_newest", "ada@example.com", 1),
        // The same mailbox, and another address.
        ("cus_tagged", "ada+x@example.com", 0),
    ] {
        made_in_stripe(t, id, email, t.seconds() - age);
    }
    for (customer, status) in [
        ("cus_ended", "canceled"),
        ("cus_lives", "past_due"),
        ("cus_newest", "incomplete"),
        ("cus_tagged", "active"),
    ] {
        t.in_books(&t.subscription(customer).status(status));
    }
    let customer = t.customer_with(json!({"email": "ada@example.com"})).await;
    assert_eq!(customer["stripeCustomerId"], "cus_lives");
}

async fn an_id_that_is_given_is_taken(t: &Bench) {
    connect(t).await;
    t.linked("ada", "cus_given").await;
    assert_eq!(asked(t, "POST", "/v1/customers"), 0);
}

async fn when_stripe_is_down_a_retry_finishes_the_same_customer(t: &Bench) {
    connect(t).await;
    t.fake()
        .inject(Injection::new(Fault::Reset).path("/v1/customers").times(50));
    let body = json!({"email": "ada@example.com"});
    let answer = t.key.post("customers", body.clone()).await;
    assert_eq!(answer.status, 502);
    answer.refused("stripe_unavailable");
    assert_eq!(t.count("customers").await, 0);
    let dump = t.dump().await;
    t.fake().clear_faults();
    let customer = t.key.post("customers", body).await.created()["customer"].take();
    assert!(
        dump.contains(&text(&customer["id"])),
        "the id was reserved before the call"
    );
}

async fn an_answer_that_got_lost_makes_no_second_customer(t: &Bench) {
    connect(t).await;
    let fault = Injection::new(Fault::ResetAfterCommit)
        .method("POST")
        .path("/v1/customers");
    t.fake().inject(fault.times(3));
    let body = json!({"email": "ada@example.com"});
    let mut tries = 0;
    let customer = loop {
        let answer = t.key.post("customers", body.clone()).await;
        if answer.status == 201 {
            break answer.created()["customer"].take();
        }
        answer.refused("stripe_unavailable");
        tries += 1;
        assert!(tries < 5);
    };
    let made = t.fake().with_books(|books| books.customers.len());
    assert_eq!(made, 1);
    assert!(text(&customer["stripeCustomerId"]).starts_with("cus_"));
}

async fn an_error_that_stripe_keeps_is_overcome(t: &Bench) {
    connect(t).await;
    // Stripe keeps a 500 as the answer to the idempotency key.
    let fault = Injection::new(Fault::Status(500))
        .method("POST")
        .path("/v1/customers");
    t.fake().inject(fault);
    let body = json!({"email": "ada@example.com"});
    let mut tries = 0;
    while t.key.post("customers", body.clone()).await.status != 201 {
        tries += 1;
        assert!(tries < 5, "the kept error is met for ever");
    }
    assert_eq!(t.fake().with_books(|books| books.customers.len()), 1);
}

async fn a_refusal_kept_after_stripe_was_asked_goes_with_the_person(t: &Bench) {
    connect(t).await;
    let slow = Injection::new(Fault::Hang(Duration::from_millis(500)));
    t.fake().inject(slow.path("/v1/customers"));
    let body = json!({"email": "zebulon@example.com", "name": "Zebulon"});
    let create = || {
        let call = t.key.call(Method::POST, "customers");
        call.header("idempotency-key", "slow").json(&body).send()
    };
    // While Stripe is asked, the same person comes in another way.
    let meanwhile = async {
        while asked(t, "GET", "/v1/customers") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut linked = body.clone();
        linked["stripeCustomerId"] = "cus_zeb".into();
        t.customer_with(linked).await
    };
    let (refused, customer) = tokio::join!(create(), meanwhile);
    assert_eq!(refused.refused("customer_exists")["customer"], customer);
    assert_eq!(
        create().await.refused("customer_exists")["customer"],
        customer
    );
    t.erase(&text(&customer["id"])).await;
    let dump = t.dump().await.to_lowercase();
    assert!(!dump.contains("zebulon"), "{dump}");
}

async fn stripe_is_asked_for_old_subscriptions(t: &Bench) {
    connect(t).await;
    t.program(1000, 500).await;
    let code = t.code(&t.customer("referrer").await).await;
    for (name, age_hours, converts) in [("old", 25, false), ("fresh", 23, true)] {
        let customer = t
            .customer_with(json!({"email": format!("{name}@example.com")}))
            .await;
        let stripe = text(&customer["stripeCustomerId"]);
        let began = t.seconds() - age_hours * 3600;
        let subscription = Subscription::new(&format!("sub_{name}"), stripe.as_str());
        t.in_books(&subscription.created(began));
        let answer = t
            .key
            .post("referrals/apply", apply_body(&code, &text(&customer["id"])));
        let answer = answer.await;
        if converts {
            // Its event has not come yet; when it does, the matter is settled.
            let referral = &answer.created()["referral"];
            assert_eq!(referral["status"], "converted");
            let subscription = Subscription::new(&format!("sub_{name}"), stripe.as_str());
            let event = t.event(
                "customer.subscription.created",
                &subscription.created(began),
            );
            t.accept(&event).await;
            let path = format!("referrals/credits?referralId={}", text(&referral["id"]));
            let credits = t.key.get(&path).await.ok();
            assert_eq!(credits["credits"].as_array().map(Vec::len), Some(2));
        } else {
            answer.refused("not_a_new_customer");
        }
    }
}

async fn a_test_project_asks_nothing_with_a_live_key(t: &Bench) {
    t.fake().clock().set(t.seconds());
    t.connect_with(json!({"secretKey": "sk_live_1", "webhookSecret": SECRET}))
        .await;
    let body = json!({"name": "Trial", "mode": "test"});
    let made = t.owner.post(&t.home.path("projects"), body).await.created();
    let project = text(&made["project"]["id"]);
    let key = t.key.over(&t.key.wire().within(&t.home.team, &project));
    t.put_program(&key, true, 1000, 500).await;
    let customer = async |email: &str| {
        let made = key.post("customers", json!({"email": email})).await;
        let made = made.created()["customer"].take();
        assert_eq!(made["stripeCustomerId"], json!(null));
        text(&made["id"])
    };
    let owner = customer("ada@example.com").await;
    let code = key.post("referrals/codes", json!({"customerId": owner}));
    let code = text(&code.await.created()["code"]["code"]);
    let body = apply_body(&code, &customer("bob@example.com").await);
    key.post("referrals/apply", body).await.created();
    for path in ["/v1/customers", "/v1/subscriptions"] {
        assert_eq!(asked(t, "GET", path) + asked(t, "POST", path), 0, "{path}");
    }
    // A live project of the team does.
    let live = t.customer_with(json!({"email": "ada@example.com"})).await;
    assert!(text(&live["stripeCustomerId"]).starts_with("cus_"));
}
