//! Sessions of payment links and pricing tables, which make a Stripe customer of their own, in a team whose
//! secret key lets the server ask about the one that was linked before.

use std::time::Duration;

use billstack_core::time::HOUR;
use fake_stripe::{CheckoutSession, Fault, Injection};
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{apply_body, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    a_payment_link_converts_and_mends_the_link with stripe,
    a_payment_before_the_apply_converts_too with stripe,
    a_link_that_was_of_use_stays with stripe,
    another_mailbox_proves_nothing with stripe,
    nobody_is_asked_about_what_cannot_convert with stripe,
    a_mended_link_cannot_be_moved_again with stripe,
    while_stripe_is_down_the_event_comes_again with stripe,
    a_replay_knows_no_more_and_a_link_by_hand_helps with stripe,
    without_a_key_the_story_says_why,
}

const COMPLETED: &str = "checkout.session.completed";
const WHY: &str = "named by client_reference_id, but linked to another Stripe customer";

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

/// A customer who was created in Stripe, too, the id there, and a code of somebody else's.
struct Buyer {
    id: String,
    stripe: String,
    code: String,
}

async fn buyer(t: &Bench, name: &str) -> Buyer {
    t.fake().clock().set(t.seconds());
    t.connect_with(json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}))
        .await;
    t.program(1000, 500).await;
    let code = t.code(&t.customer(&format!("{name}-friend")).await).await;
    let email = format!("{name}@example.com");
    let customer = t.customer_with(json!({"email": email})).await;
    Buyer {
        id: text(&customer["id"]),
        stripe: text(&customer["stripeCustomerId"]),
        code,
    }
}

async fn applied(t: &Bench, buyer: &Buyer) -> Value {
    let body = apply_body(&buyer.code, &buyer.id);
    let answer = t.key.post("referrals/apply", body).await;
    answer.created()["referral"].take()
}

/// What the buyer does at a payment link: Stripe makes a customer of its own for them.
fn bought(t: &Bench, buyer: &Buyer, stripe: &str, email: &str) -> CheckoutSession {
    let session = t.session(stripe).client_reference_id(&buyer.id);
    session.customer_email(email)
}

async fn stripe_id(t: &Bench, buyer: &Buyer) -> String {
    let path = format!("customers/{}", buyer.id);
    text(&t.key.get(&path).await.ok()["customer"]["stripeCustomerId"])
}

async fn reason(t: &Bench, event: &Value) -> String {
    let id = event["id"].as_str().expect("an id");
    let path = t.home.path(&format!("stripe/events/{id}"));
    text(&t.owner.get(&path).await.ok()["event"]["reason"])
}

/// How often Stripe was asked for subscriptions since the last time this was asked.
fn questions(t: &Bench) -> usize {
    let asked = t.fake().requests();
    t.fake().clear_requests();
    let subscriptions = asked.iter().filter(|one| one.path == "/v1/subscriptions");
    subscriptions.count()
}

async fn assert_not_converted(t: &Bench, buyer: &Buyer, referral: &Value, event: &Value) {
    assert_eq!(t.outcome(event).await, "no_customer");
    assert_eq!(reason(t, event).await, WHY);
    let referral = text(&referral["id"]);
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(stripe_id(t, buyer).await, buyer.stripe);
    let path = format!("referrals/{referral}/events");
    let told = t.key.get(&path).await.ok()["events"].take();
    assert_eq!(told[1]["facts"]["reason"], WHY, "{told}");
}

async fn a_payment_link_converts_and_mends_the_link(t: &Bench) {
    let buyer = buyer(t, "ada").await;
    let referral = applied(t, &buyer).await;
    t.fake().clear_requests();
    let session = bought(t, &buyer, "cus_link", "Ada+shop@Example.com");
    let event = t.event(COMPLETED, &session);
    t.accept(&event).await;
    assert_eq!(questions(t), 1);
    assert_eq!(t.outcome(&event).await, "converted");
    assert_eq!(t.status(&text(&referral["id"])).await, "converted");
    assert_eq!(stripe_id(t, &buyer).await, "cus_link");
    assert_eq!(t.credits().await.len(), 2);
    // From here on the link speaks for itself.
    let event = t.created("cus_link");
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_referral");
    assert_eq!(questions(t), 0);
}

async fn a_payment_before_the_apply_converts_too(t: &Bench) {
    let buyer = buyer(t, "ada").await;
    // The subscription's own event names nobody.
    let subscription = t.created("cus_link");
    t.accept(&subscription).await;
    assert_eq!(t.outcome(&subscription).await, "no_customer");
    let session = bought(t, &buyer, "cus_link", "ada@example.com");
    t.accept(&t.event(COMPLETED, &session)).await;
    assert_eq!(stripe_id(t, &buyer).await, "cus_link");
    t.later(23 * HOUR).await;
    assert_eq!(applied(t, &buyer).await["status"], "converted");
}

async fn a_link_that_was_of_use_stays(t: &Bench) {
    for (name, status) in [("a", "canceled"), ("b", "active"), ("c", "incomplete")] {
        let buyer = buyer(t, name).await;
        let referral = applied(t, &buyer).await;
        t.in_books(&t.subscription(&buyer.stripe).status(status));
        let cus = format!("cus_link_{name}");
        let session = bought(t, &buyer, &cus, &format!("{name}@example.com"));
        let event = t.event(COMPLETED, &session);
        t.accept(&event).await;
        assert_not_converted(t, &buyer, &referral, &event).await;
    }
    // What an event told of is known without a question.
    let buyer = buyer(t, "d").await;
    let referral = applied(t, &buyer).await;
    let old = t
        .subscription(&buyer.stripe)
        .created(t.seconds() - 48 * 3600);
    t.accept(&t.event("customer.subscription.updated", &old.status("canceled")))
        .await;
    questions(t);
    let event = t.event(COMPLETED, &bought(t, &buyer, "cus_link_d", "d@example.com"));
    t.accept(&event).await;
    assert_eq!(questions(t), 0);
    assert_eq!(reason(t, &event).await, WHY);
    assert_eq!(t.status(&text(&referral["id"])).await, "pending");
    assert_eq!(stripe_id(t, &buyer).await, buyer.stripe);
}

async fn another_mailbox_proves_nothing(t: &Bench) {
    let buyer = buyer(t, "ada").await;
    let referral = applied(t, &buyer).await;
    questions(t);
    let event = t.event(COMPLETED, &bought(t, &buyer, "cus_eve", "eve@example.com"));
    t.accept(&event).await;
    assert_eq!(questions(t), 0);
    assert_not_converted(t, &buyer, &referral, &event).await;
    // Nor does the right address, if the one who pays is known to be somebody else.
    let eve = t.linked("eve", "cus_eve2").await;
    let session = bought(t, &buyer, "cus_eve2", "ada@example.com");
    let event = t.event(COMPLETED, &session);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "no_referral");
    assert_eq!(stripe_id(t, &buyer).await, buyer.stripe);
    assert_eq!(t.status(&text(&referral["id"])).await, "pending");
    assert_ne!(eve, buyer.id);
}

async fn nobody_is_asked_about_what_cannot_convert(t: &Bench) {
    let buyer = buyer(t, "ada").await;
    let referral = applied(t, &buyer).await;
    questions(t);
    let session = || bought(t, &buyer, "cus_eve", "ada@example.com");
    for (kind, session) in [
        ("checkout.session.expired", session().status("expired")),
        (COMPLETED, session().payment_status("unpaid")),
        (COMPLETED, session().mode("payment")),
    ] {
        t.accept(&t.event(kind, &session)).await;
    }
    assert_eq!(questions(t), 0);
    assert_eq!(stripe_id(t, &buyer).await, buyer.stripe);
    // And whoever begins such a session writes nothing into anybody's story.
    let path = format!("referrals/{}/events", text(&referral["id"]));
    let told = t.key.get(&path).await.ok()["events"].take();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
}

async fn a_mended_link_cannot_be_moved_again(t: &Bench) {
    let buyer = buyer(t, "ada").await;
    applied(t, &buyer).await;
    let first = bought(t, &buyer, "cus_first", "ada@example.com");
    t.accept(&t.event(COMPLETED, &first)).await;
    assert_eq!(stripe_id(t, &buyer).await, "cus_first");
    let second = bought(t, &buyer, "cus_second", "ada@example.com");
    let event = t.event(COMPLETED, &second);
    t.accept(&event).await;
    assert_eq!(stripe_id(t, &buyer).await, "cus_first");
    assert_eq!(reason(t, &event).await, WHY);
    assert_eq!(t.credits().await.len(), 2);
}

async fn while_stripe_is_down_the_event_comes_again(t: &Bench) {
    let buyer = buyer(t, "ada").await;
    let referral = applied(t, &buyer).await;
    let session = bought(t, &buyer, "cus_link", "ada@example.com");
    let event = t.event(COMPLETED, &session);
    let down = Injection::new(Fault::Hang(Duration::from_secs(30))).path("/v1/subscriptions");
    t.fake().inject(down);
    let before = t.dump().await;
    t.deliver(&event).await.refused("stripe_unavailable");
    assert_eq!(t.dump().await, before);
    t.fake().clear_faults();
    t.accept(&event).await;
    assert_eq!(t.status(&text(&referral["id"])).await, "converted");
}

async fn a_replay_knows_no_more_and_a_link_by_hand_helps(t: &Bench) {
    let buyer = buyer(t, "ada").await;
    let referral = applied(t, &buyer).await;
    // Before the key was connected nobody could be asked.
    t.connect().await;
    let session = bought(t, &buyer, "cus_link", "ada@example.com");
    let event = t.event(COMPLETED, &session);
    t.accept(&event).await;
    assert_not_converted(t, &buyer, &referral, &event).await;
    // The address was not kept, so a replay knows no more; the link can be mended by hand.
    t.connect_with(json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}))
        .await;
    assert_eq!(t.replay(&event).await["outcome"], "no_customer");
    t.link(&buyer.id, json!("cus_link")).await;
    assert_eq!(t.status(&text(&referral["id"])).await, "converted");
}

async fn without_a_key_the_story_says_why(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let session = t.session("cus_link").client_reference_id(&pair.referee);
    let event = t.event(COMPLETED, &session.customer_email("a-referee@example.com"));
    t.accept(&event).await;
    let referral = json!({"id": referral});
    let buyer = Buyer {
        id: pair.referee.clone(),
        stripe: pair.stripe.clone(),
        code: pair.code.clone(),
    };
    assert_not_converted(t, &buyer, &referral, &event).await;
}
