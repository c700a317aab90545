//! Applies in a team whose secret key lets the server ask Stripe whether a customer is new.

use std::time::Duration;

use billstack_core::time::HOUR;
use fake_stripe::{Customer, EventObject, Fault, Generation, Injection, Received, Subscription};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller};
use crate::support::fixture::{apply_body, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    stripe_is_asked_once with stripe,
    what_is_refused_anyway_is_not_asked_about with stripe,
    what_was_moved_in_from_elsewhere_is_old with stripe,
    an_old_subscriber_is_old_under_every_customer_of_the_mailbox with stripe,
    known_events_save_the_question with stripe,
    what_an_event_converted_is_not_told_again with stripe,
    subscriptions_of_another_project_do_not_count with stripe,
    without_a_key_nobody_is_asked with stripe,
    a_repeated_request_does_not_ask_again with stripe,
    a_repeated_refusal_does_not_ask_again with stripe,
    of_many_at_once_one_is_accepted with stripe,
    who_is_linked_meanwhile_is_asked_about_too with stripe,
}

const KEY: &str = "sk_test_1";

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

async fn connect(t: &Bench) {
    t.fake().clock().set(t.seconds());
    t.connect_with(json!({"secretKey": KEY, "webhookSecret": SECRET}))
        .await;
}

/// A customer whom Stripe knows too, and the id there.
async fn person(t: &Bench, name: &str) -> (String, String) {
    let email = format!("{name}@example.com");
    let customer = t.customer_with(json!({"email": email})).await;
    (text(&customer["id"]), text(&customer["stripeCustomerId"]))
}

/// A referrer and a code, while the program is on and a secret key is connected.
async fn referrer(t: &Bench) -> (String, String) {
    connect(t).await;
    t.program(1000, 500).await;
    let (referrer, _) = person(t, "referrer").await;
    let code = t.code(&referrer).await;
    (referrer, code)
}

/// Puts a subscription that began so long ago into Stripe's books; no event tells of it.
fn subscribed(t: &Bench, stripe: &str, hours_ago: i64) {
    let began = t.seconds() - hours_ago * 3600;
    t.in_books(&t.subscription(stripe).created(began));
}

/// Applies a code and tells what Stripe was asked meanwhile.
async fn apply(t: &Bench, code: &str, referee: &str) -> (Answer, Vec<Received>) {
    t.fake().clear_requests();
    let body = apply_body(code, referee);
    let answer = t.key.post("referrals/apply", body).await;
    (answer, t.fake().requests())
}

/// The same, under an `Idempotency-Key`.
async fn keyed(t: &Bench, key: &str, body: &Value) -> (Answer, Vec<Received>) {
    t.fake().clear_requests();
    let call = t.key.call(Method::POST, "referrals/apply");
    let call = call.header("idempotency-key", key).json(body);
    let answer = call.send().await;
    (answer, t.fake().requests())
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

/// Holds the requests against what they should be: a single one for subscriptions, those of this customer,
/// and who else has the mailbox.
#[track_caller]
fn assert_asked_once(asked: &[Received], stripe: &str) {
    assert!(asked.iter().all(|one| one.method == "GET"), "{asked:?}");
    let (of_customers, asked): (Vec<_>, Vec<_>) = asked
        .iter()
        .partition(|one| one.path.starts_with("/v1/customers"));
    assert_eq!(of_customers.len(), 2, "a search and a list");
    let [asked] = asked.as_slice() else {
        panic!("not one request: {asked:?}");
    };
    assert_eq!(asked.path, "/v1/subscriptions");
    assert_eq!(asked.params["customer"], stripe);
    assert_eq!(asked.api_key.as_deref(), Some(KEY));
}

/// Holds an apply against the refusal that needs no word of Stripe.
async fn refused_unasked(t: &Bench, code: &str, referee: &str, reason: &str) {
    let (answer, asked) = apply(t, code, referee).await;
    answer.refused(reason);
    assert!(asked.is_empty(), "{reason}: {asked:?}");
}

async fn stripe_is_asked_once(t: &Bench) {
    let (_, code) = referrer(t).await;
    for (name, hours_ago, status) in [
        ("new", None, "pending"),
        ("fresh", Some(23), "converted"),
        ("old", Some(25), "refused"),
    ] {
        let (referee, stripe) = person(t, name).await;
        if let Some(hours_ago) = hours_ago {
            subscribed(t, &stripe, hours_ago);
        }
        let (answer, asked) = apply(t, &code, &referee).await;
        assert_asked_once(&asked, &stripe);
        if status == "refused" {
            answer.refused("not_a_new_customer");
            continue;
        }
        assert_eq!(answer.created()["referral"]["status"], status, "{name}");
    }
    assert_eq!(t.count("referrals").await, 2);
}

async fn what_is_refused_anyway_is_not_asked_about(t: &Bench) {
    let (owner, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    refused_unasked(t, "ZZZZZZZZ", &referee, "code_not_found").await;
    refused_unasked(t, "!", &referee, "code_not_found").await;
    refused_unasked(t, &code, "pc_unknown", "customer_not_found").await;
    refused_unasked(t, &code, &owner, "self_referral").await;
    let (alias, _) = person(t, "referrer+alias").await;
    refused_unasked(t, &code, &alias, "self_referral").await;

    t.put_program(&t.key, false, 1000, 500).await;
    refused_unasked(t, &code, &referee, "referrals_disabled").await;
    t.program(1000, 500).await;

    t.key.delete(&format!("referrals/codes/{code}")).await.ok();
    refused_unasked(t, &code, &referee, "code_inactive").await;
    let code = t.code(&owner).await;
    assert_eq!(t.count("referrals").await, 0);

    let (answer, asked) = apply(t, &code, &referee).await;
    answer.created();
    assert_asked_once(&asked, &stripe);
    refused_unasked(t, &code, &referee, "already_referred").await;
    // Somebody else here, and the same customer there.
    let twin = t.linked("twin", &stripe).await;
    refused_unasked(t, &code, &twin, "already_referred").await;
    assert_eq!(t.count("referrals").await, 1);
}

async fn what_was_moved_in_from_elsewhere_is_old(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    // The one that was created first began last.
    let fresh = Subscription::new("sub_fresh", stripe.as_str()).created(t.seconds() - 7200);
    t.in_books(&fresh);
    let moved_in = t
        .subscription(&stripe)
        .start_date(t.seconds() - 30 * 24 * 3600);
    t.in_books(&moved_in);
    let (answer, _) = apply(t, &code, &referee).await;
    answer.refused("not_a_new_customer");
}

/// Puts a customer into Stripe's books, and a subscription of theirs that began so long ago.
fn known_in_stripe(t: &Bench, id: &str, email: &str, hours_ago: Option<i64>) {
    let customer = Customer::new(id).email(email).created(t.seconds() - 1000);
    let customer = customer.render(Generation::Endive, false);
    t.fake().with_books(|books| books.customers.put(customer));
    if let Some(hours_ago) = hours_ago {
        subscribed(t, id, hours_ago);
    }
}

async fn an_old_subscriber_is_old_under_every_customer_of_the_mailbox(t: &Bench) {
    let (_, code) = referrer(t).await;
    for (name, theirs) in [
        ("same", "same@example.com"),
        ("case", "Case@Example.COM"),
        ("tag", "tag+last-year@example.com"),
    ] {
        let (referee, stripe) = person(t, name).await;
        known_in_stripe(t, &format!("cus_old_{name}"), theirs, Some(25));
        let (answer, _) = apply(t, &code, &referee).await;
        answer.refused("not_a_new_customer");
        // Nor when the link is to somebody else's mailbox, or there is none.
        let before = t.count("referrals").await;
        t.link(&referee, Value::Null).await;
        let (answer, _) = apply(t, &code, &referee).await;
        answer.refused("not_a_new_customer");
        t.link(&referee, json!(stripe)).await;
        assert_eq!(t.count("referrals").await, before);
    }
    // A fresh one of another Stripe customer neither makes an old customer nor converts.
    let (referee, _) = person(t, "fresh").await;
    known_in_stripe(t, "cus_fresh_2", "FRESH@example.com", Some(1));
    known_in_stripe(t, "cus_stranger", "afresh@example.com", Some(25));
    let (answer, _) = apply(t, &code, &referee).await;
    assert_eq!(answer.created()["referral"]["status"], "pending");
    // Twenty are asked about, the oldest first.
    let (referee, _) = person(t, "many").await;
    known_in_stripe(t, "cus_many_first", "Many@example.com", Some(25));
    for number in 0..40 {
        let customer = Customer::new(&format!("cus_many_{number}")).email("many@example.com");
        let customer = customer
            .created(t.seconds())
            .render(Generation::Endive, false);
        t.fake().with_books(|books| books.customers.put(customer));
    }
    let (answer, asked) = apply(t, &code, &referee).await;
    answer.refused("not_a_new_customer");
    let subscriptions = |one: &&Received| one.path == "/v1/subscriptions";
    assert_eq!(asked.iter().filter(subscriptions).count(), 20);
}

async fn known_events_save_the_question(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    let began = t.seconds() - 25 * 3600;
    let subscription = t.subscription(&stripe).created(began);
    t.accept(&t.event("customer.subscription.created", &subscription))
        .await;
    refused_unasked(t, &code, &referee, "not_a_new_customer").await;
    assert_eq!(t.count("referrals").await, 0);
}

async fn what_an_event_converted_is_not_told_again(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    let subscription = t.subscription(&stripe).created(t.seconds() - 3600);
    t.in_books(&subscription);
    t.accept(&t.event("customer.subscription.created", &subscription))
        .await;
    let (answer, asked) = apply(t, &code, &referee).await;
    assert_asked_once(&asked, &stripe);
    assert_eq!(answer.created()["referral"]["status"], "converted");
    // Stripe's answer says nothing that its event did not.
    assert_eq!(t.count("stripe_events").await, 1);
}

async fn subscriptions_of_another_project_do_not_count(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (project, _) = t.project("second").await;
    let named = |stripe: &str, id: &str, project: &str, hours_ago: i64| {
        let subscription = Subscription::new(id, stripe).metadata("project_id", project);
        t.in_books(&subscription.created(t.seconds() - hours_ago * 3600));
    };
    // Neither does an old one make this person an old customer here, nor does a new one convert.
    let (referee, stripe) = person(t, "referee").await;
    named(&stripe, "sub_old", &project, 25);
    named(&stripe, "sub_new", &project, 1);
    let (answer, _) = apply(t, &code, &referee).await;
    assert_eq!(answer.created()["referral"]["status"], "pending");
    // Those of this project do, and those that name none of the team's.
    for (name, named_project) in [("ours", t.home.project.as_str()), ("nobodys", "proj_x")] {
        let (referee, stripe) = person(t, name).await;
        named(&stripe, &format!("sub_{name}"), named_project, 1);
        let (answer, _) = apply(t, &code, &referee).await;
        assert_eq!(answer.created()["referral"]["status"], "converted");
        let (referee, stripe) = person(t, &format!("old-{name}")).await;
        named(&stripe, &format!("sub_old_{name}"), named_project, 25);
        let (answer, _) = apply(t, &code, &referee).await;
        answer.refused("not_a_new_customer");
    }
}

async fn without_a_key_nobody_is_asked(t: &Bench) {
    let (_, code) = referrer(t).await;
    let accepted = async |referee: &str| {
        let (answer, asked) = apply(t, &code, referee).await;
        assert_eq!(answer.created()["referral"]["status"], "pending");
        assert!(asked.is_empty(), "{asked:?}");
    };
    let mut linked = Vec::new();
    for name in ["a", "b", "c"] {
        linked.push(person(t, name).await);
    }
    for (_, stripe) in &linked {
        subscribed(t, stripe, 25);
    }
    t.connect().await;
    accepted(&linked[0].0).await;
    let path = t.home.path("stripe/disconnect");
    t.owner.post(&path, json!({})).await.ok();
    accepted(&linked[1].0).await;
    // With a key again, the same story is heard.
    connect(t).await;
    let (answer, asked) = apply(t, &code, &linked[2].0).await;
    answer.refused("not_a_new_customer");
    assert_asked_once(&asked, &linked[2].1);
}

async fn a_repeated_request_does_not_ask_again(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    let body = apply_body(&code, &referee);
    let (first, asked) = keyed(t, "k", &body).await;
    assert_asked_once(&asked, &stripe);
    assert!(first.status == 201 && !replayed(&first), "{first:?}");
    let before = t.dump().await;
    t.advance(HOUR);
    let (second, asked) = keyed(t, "k", &body).await;
    assert!(asked.is_empty(), "{asked:?}");
    assert!(replayed(&second), "{second:?}");
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    assert_eq!(t.dump().await, before);
    // Nor is anybody asked for a request that the key is not for.
    let (other, _) = person(t, "other").await;
    let (answer, asked) = keyed(t, "k", &apply_body(&code, &other)).await;
    answer.refused("idempotency_key_reused");
    assert!(asked.is_empty(), "{asked:?}");
    assert_eq!(t.count("referrals").await, 1);
}

async fn a_repeated_refusal_does_not_ask_again(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    subscribed(t, &stripe, 25);
    let body = apply_body(&code, &referee);
    let (first, asked) = keyed(t, "k", &body).await;
    assert_asked_once(&asked, &stripe);
    let text = first.text.clone();
    first.refused("not_a_new_customer");
    let (second, asked) = keyed(t, "k", &body).await;
    assert!(asked.is_empty(), "{asked:?}");
    assert!(replayed(&second), "{second:?}");
    assert_eq!(second.text, text);
}

/// All of them may ask before the first is accepted; then it is the database that decides.
async fn of_many_at_once_one_is_accepted(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    subscribed(t, &stripe, 1);
    let body = apply_body(&code, &referee);
    let calls = (0..20).map(|_| t.key.post("referrals/apply", body.clone()));
    let answers = Bench::at_once(calls).await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 201);
    assert_eq!(good.len(), 1);
    for answer in refused {
        answer.refused("already_referred");
    }
    assert_eq!(t.count("referrals").await, 1);
    assert_eq!(t.credits().await.len(), 2);
}

/// What Stripe told of the one customer says nothing of the other.
async fn who_is_linked_meanwhile_is_asked_about_too(t: &Bench) {
    let (_, code) = referrer(t).await;
    let (referee, stripe) = person(t, "referee").await;
    let (_, old) = person(t, "old").await;
    subscribed(t, &old, 25);
    let slow = Injection::new(Fault::Hang(Duration::from_secs(1))).path("/v1/subscriptions");
    t.fake().inject(slow.times(1));
    let link = async {
        while t.fake().faults_left() > 0 {
            tokio::task::yield_now().await;
        }
        let link = json!({"stripeCustomerId": old});
        t.key
            .patch(&format!("customers/{referee}"), link)
            .await
            .ok();
    };
    let ((answer, asked), ()) = tokio::join!(apply(t, &code, &referee), link);
    answer.refused("not_a_new_customer");
    let asked = asked
        .iter()
        .filter(|asked| asked.path == "/v1/subscriptions");
    let asked: Vec<_> = asked
        .map(|asked| asked.params["customer"].clone())
        .collect();
    // The second time their own mailbox is somebody else's than the link's.
    assert_eq!(asked, [stripe.clone(), old, stripe]);
    assert_eq!(t.count("referrals").await, 0);
}
