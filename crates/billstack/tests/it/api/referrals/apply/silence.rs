//! Applies while Stripe does not answer: nobody waits for it, and nobody is paid before it has told who is new.

use std::time::{Duration, Instant};

use billstack_core::time::{HOUR, MINUTE, SECOND};
use billstack_store::{newness, work};
use fake_stripe::{Fault, Injection};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller};
use crate::support::fixture::{apply_body, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    a_stripe_that_hangs_holds_no_sign_up_up with stripe,
    who_turns_out_not_to_be_new_is_closed with stripe,
    a_subscription_without_an_event_converts_too with stripe,
    the_answer_under_a_key_stays with stripe,
    what_is_known_is_refused_all_the_same with stripe,
    a_key_that_stripe_does_not_take_holds_no_sign_up_up with stripe,
    a_new_key_is_asked_with_at_once with stripe,
    without_a_key_nobody_is_waited_for with stripe,
    while_the_team_is_disconnected_the_question_waits with stripe,
    who_is_changed_meanwhile_is_asked_about_as_they_are with stripe,
    an_erasure_ends_the_question with stripe,
    another_worker_takes_over_from_one_that_died with stripe,
}

on_two_nodes! {
    several_nodes_take_each_answer_once with stripe,
}

const KEY: &str = "sk_test_1";
const WAITS: &str = "waits for Stripe to tell whether the customer was new";

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

/// A customer whom Stripe knows too.
struct Person {
    id: String,
    stripe: String,
}

async fn connect(t: &Bench) {
    t.fake().clock().set(t.seconds());
    t.connect_with(json!({"secretKey": KEY, "webhookSecret": SECRET}))
        .await;
}

async fn person(t: &Bench, name: &str) -> Person {
    let email = format!("{name}@example.com");
    let customer = t.customer_with(json!({"email": email})).await;
    Person {
        id: text(&customer["id"]),
        stripe: text(&customer["stripeCustomerId"]),
    }
}

/// The owner of a code, the code, and somebody new.
async fn three(t: &Bench) -> (Person, String, Person) {
    connect(t).await;
    t.program(1000, 500).await;
    let owner = person(t, "referrer").await;
    let code = t.code(&owner.id).await;
    let referee = person(t, "referee").await;
    (owner, code, referee)
}

fn hangs(t: &Bench) {
    let hang = Injection::new(Fault::Hang(Duration::from_secs(60)));
    t.fake().inject(hang.times(1000));
}

/// Stripe answers again, and so much later somebody looks.
fn answers_again(t: &Bench) {
    t.fake().clear_faults();
    t.advance(11 * MINUTE);
}

fn subscribed(t: &Bench, stripe: &str, hours_ago: i64) {
    t.in_books(
        &t.subscription(stripe)
            .created(t.seconds() - hours_ago * 3600),
    );
}

async fn apply(t: &Bench, code: &str, person: &Person) -> Answer {
    t.key
        .post("referrals/apply", apply_body(code, &person.id))
        .await
}

/// Applies, and tells the id of the referral, which is pending.
async fn pending(t: &Bench, code: &str, person: &Person) -> String {
    let referral = apply(t, code, person).await.created()["referral"].take();
    assert_eq!(referral["status"], "pending");
    text(&referral["id"])
}

/// Waits until a referral has this status.
async fn becomes(t: &Bench, referral: &str, status: &str) {
    for _ in 0..400 {
        if t.status(referral).await == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never {status}, but {}", t.status(referral).await);
}

/// How many questions are in the queue.
async fn questions(t: &Bench) -> usize {
    let dump = t.dump().await;
    dump.matches(&format!("\"{}\"", newness::KIND)).count()
}

async fn no_question_is_left(t: &Bench) {
    for _ in 0..400 {
        if questions(t).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("a question is left");
}

async fn reasons(t: &Bench, referral: &str) -> Vec<String> {
    let path = format!("referrals/{referral}/events");
    let told = t.key.get(&path).await.ok()["events"].take();
    let told = told.as_array().expect("a list").iter();
    let reasons = told.filter_map(|event| event["facts"]["reason"].as_str());
    reasons.map(str::to_owned).collect()
}

async fn assert_waits(t: &Bench, event: &Value) {
    let path = t
        .home
        .path(&format!("stripe/events/{}", text(&event["id"])));
    let kept = t.owner.get(&path).await.ok()["event"].take();
    assert_eq!(kept["outcome"], "waiting");
    assert_eq!(kept["reason"], WAITS);
}

async fn a_stripe_that_hangs_holds_no_sign_up_up(t: &Bench) {
    let (_, code, referee) = three(t).await;
    let second = person(t, "second").await;
    hangs(t);
    let began = Instant::now();
    let referral = pending(t, &code, &referee).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    // The next one does not wait at all: Stripe is not even asked.
    t.fake().clear_requests();
    let other = pending(t, &code, &second).await;
    assert!(t.fake().requests().is_empty());
    assert_eq!(questions(t).await, 2);
    apply(t, &code, &second).await.refused("already_referred");

    let event = t.created(&referee.stripe);
    t.accept(&event).await;
    assert_waits(t, &event).await;
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(reasons(t, &referral).await, [WAITS]);
    assert!(t.credits().await.is_empty());

    answers_again(t);
    becomes(t, &referral, "converted").await;
    assert_eq!(t.outcome(&event).await, "converted");
    no_question_is_left(t).await;
    assert_eq!(t.status(&other).await, "pending");
    t.accept(&t.created(&second.stripe)).await;
    assert_eq!(t.status(&other).await, "converted");
    assert_eq!(t.credits().await.len(), 4);
}

async fn who_turns_out_not_to_be_new_is_closed(t: &Bench) {
    let (_, code, referee) = three(t).await;
    t.fake().set_down(true);
    let referral = pending(t, &code, &referee).await;
    t.fake().set_down(false);
    subscribed(t, &referee.stripe, 25);
    let event = t.event(
        "customer.subscription.created",
        &fake_stripe::Subscription::new("sub_new", referee.stripe.as_str()).created(t.seconds()),
    );
    t.accept(&event).await;
    assert_waits(t, &event).await;
    answers_again(t);
    becomes(t, &referral, "expired").await;
    let told = reasons(t, &referral).await;
    assert_eq!(told, [WAITS, "not a new customer", "referral expired"]);
    assert_eq!(t.outcome(&event).await, "no_referral");
    assert!(t.credits().await.is_empty());
    apply(t, &code, &referee).await.refused("already_referred");
    no_question_is_left(t).await;
}

async fn a_subscription_without_an_event_converts_too(t: &Bench) {
    let (_, code, referee) = three(t).await;
    subscribed(t, &referee.stripe, 1);
    t.fake().set_down(true);
    let referral = pending(t, &code, &referee).await;
    t.fake().set_down(false);
    answers_again(t);
    becomes(t, &referral, "converted").await;
    assert_eq!(t.credits().await.len(), 2);
}

async fn the_answer_under_a_key_stays(t: &Bench) {
    let (_, code, referee) = three(t).await;
    t.fake().set_down(true);
    let send = async || {
        let call = t.key.call(Method::POST, "referrals/apply");
        let call = call.header("idempotency-key", "k");
        call.json(&apply_body(&code, &referee.id)).send().await
    };
    let first = send().await;
    assert_eq!(first.status, 201, "{first:?}");
    let before = t.dump().await;
    let again = send().await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(t.dump().await, before);
    assert_eq!(questions(t).await, 1);
    t.fake().set_down(false);
    answers_again(t);
    no_question_is_left(t).await;
}

async fn what_is_known_is_refused_all_the_same(t: &Bench) {
    let (_, code, referee) = three(t).await;
    let old = t
        .subscription(&referee.stripe)
        .created(t.seconds() - 25 * 3600);
    t.accept(&t.event("customer.subscription.updated", &old))
        .await;
    hangs(t);
    apply(t, &code, &referee)
        .await
        .refused("not_a_new_customer");
    assert_eq!((t.count("referrals").await, questions(t).await), (0, 0));
}

async fn a_key_that_stripe_does_not_take_holds_no_sign_up_up(t: &Bench) {
    let (_, code, referee) = three(t).await;
    let second = person(t, "second").await;
    t.fake().accept_only(&[]);
    let referral = pending(t, &code, &referee).await;
    t.accept(&t.created(&referee.stripe)).await;
    t.advance(HOUR);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(questions(t).await, 1);
    t.fake().accept_any_key();
    answers_again(t);
    becomes(t, &referral, "converted").await;
    // A key that may not read subscriptions.
    let forbidden = Injection::new(Fault::Status(403)).path("/v1/subscriptions");
    t.fake().inject(forbidden.times(1));
    let referral = pending(t, &code, &second).await;
    t.accept(&t.created(&second.stripe)).await;
    answers_again(t);
    becomes(t, &referral, "converted").await;
}

async fn a_new_key_is_asked_with_at_once(t: &Bench) {
    let (_, code, referee) = three(t).await;
    t.fake().accept_only(&["sk_test_2"]);
    let referral = pending(t, &code, &referee).await;
    t.accept(&t.created(&referee.stripe)).await;
    // It is asked again and again in vain, with longer and longer pauses.
    for _ in 0..3 {
        t.advance(11 * MINUTE);
        tokio::time::sleep(Duration::from_millis(1200)).await;
    }
    assert_eq!(t.status(&referral).await, "pending");
    t.connect_with(json!({"secretKey": "sk_test_2", "webhookSecret": SECRET}))
        .await;
    // No time passes.
    becomes(t, &referral, "converted").await;
}

async fn without_a_key_nobody_is_waited_for(t: &Bench) {
    let (_, code, referee) = three(t).await;
    t.fake().set_down(true);
    let referral = pending(t, &code, &referee).await;
    let event = t.created(&referee.stripe);
    t.accept(&event).await;
    assert_waits(t, &event).await;
    t.connect().await;
    t.advance(11 * MINUTE);
    becomes(t, &referral, "converted").await;
    no_question_is_left(t).await;
}

async fn while_the_team_is_disconnected_the_question_waits(t: &Bench) {
    let (_, code, referee) = three(t).await;
    t.fake().set_down(true);
    let referral = pending(t, &code, &referee).await;
    t.accept(&t.created(&referee.stripe)).await;
    t.fake().set_down(false);
    let path = t.home.path("stripe/disconnect");
    t.owner.post(&path, json!({})).await.ok();
    t.advance(11 * MINUTE);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(questions(t).await, 1);
    connect(t).await;
    t.advance(11 * MINUTE);
    becomes(t, &referral, "converted").await;
}

async fn who_is_changed_meanwhile_is_asked_about_as_they_are(t: &Bench) {
    let (_, code, referee) = three(t).await;
    let old = person(t, "old").await;
    subscribed(t, &old.stripe, 25);
    t.fake().set_down(true);
    let referral = pending(t, &code, &referee).await;
    t.fake().set_down(false);
    t.link(&referee.id, json!(old.stripe)).await;
    answers_again(t);
    becomes(t, &referral, "expired").await;
}

async fn an_erasure_ends_the_question(t: &Bench) {
    let (owner, code, referee) = three(t).await;
    let second = person(t, "second").await;
    t.fake().set_down(true);
    let first = pending(t, &code, &referee).await;
    let other = pending(t, &code, &second).await;
    let events = [t.created(&referee.stripe), t.created(&second.stripe)];
    for event in &events {
        t.accept(event).await;
        assert_waits(t, event).await;
    }
    let erase = async |id: &str| t.key.delete(&format!("customers/{id}")).await.ok();
    erase(&referee.id).await;
    assert_eq!(t.status(&first).await, "expired");
    assert_eq!(t.outcome(&events[0]).await, "no_referral");
    assert_eq!(questions(t).await, 1);
    // The other one waits no longer than until somebody looks.
    erase(&owner.id).await;
    assert_eq!(t.status(&other).await, "expired");
    answers_again(t);
    t.fake().set_down(false);
    t.advance(11 * MINUTE);
    no_question_is_left(t).await;
    assert_eq!(t.outcome(&events[1]).await, "no_referral");
    assert!(t.credits().await.is_empty());
}

async fn another_worker_takes_over_from_one_that_died(t: &Bench) {
    let (_, code, referee) = three(t).await;
    t.fake().set_down(true);
    let referral = pending(t, &code, &referee).await;
    t.fake().set_down(false);
    // It claimed the work of tomorrow, and was never seen again.
    let claimed = t.write(|tx, act| {
        let at = act.at.plus(HOUR);
        for key in work::due(tx, newness::KIND, at, 10)? {
            let row = work::get(tx, &key)?.expect("work");
            work::later(tx, &key, &row.facts, act.at, None)?;
        }
        let until = act.at.plus(MINUTE);
        Ok(work::claim(tx, act, newness::KIND, 10, until)?.len())
    });
    assert_eq!(claimed.await, 1);
    t.accept(&t.created(&referee.stripe)).await;
    t.advance(50 * SECOND);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(t.status(&referral).await, "pending");
    t.advance(11 * SECOND);
    becomes(t, &referral, "converted").await;
    assert_eq!(t.credits().await.len(), 2);
}

async fn several_nodes_take_each_answer_once(t: &Bench) {
    let (_, code, _) = three(t).await;
    let mut people = Vec::new();
    for number in 0..24 {
        people.push(person(t, &format!("p{number}")).await);
    }
    t.fake().set_down(true);
    let mut referrals = Vec::new();
    for person in &people {
        referrals.push(pending(t, &code, person).await);
        t.accept(&t.created(&person.stripe)).await;
    }
    assert_eq!(questions(t).await, 24);
    t.fake().set_down(false);
    answers_again(t);
    for referral in &referrals {
        becomes(t, referral, "converted").await;
    }
    no_question_is_left(t).await;
    assert_eq!(t.credits().await.len(), 48);
}
