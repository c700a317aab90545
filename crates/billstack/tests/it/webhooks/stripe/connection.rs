//! A server remembers the connection that an event came in by. Whatever is changed about it counts from
//! the next event on, on the server it is changed on and on every other.

use billstack_core::ids::TeamId;
use billstack_core::time::{HOUR, SECOND};
use billstack_store::stripe_connection;
use fake_stripe::{EventOptions, body, sign, thin_event};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Node, Setup};
use crate::support::client::{Anonymous, Answer, Caller, CookieClient};
use crate::support::stripe::SECRET;

on_one_node_and_two! {
    a_rolled_secret_is_taken_at_once,
    the_old_secret_counts_while_it_is_rolled_and_no_longer,
    an_old_secret_ends_although_nothing_came_since_the_roll,
    a_secret_rolled_without_overlap_ends_at_once,
    an_old_secret_that_cannot_be_opened_is_in_nobodys_way,
    of_a_disconnected_team_nothing_is_taken,
    a_new_connection_takes_the_place_of_the_old,
    a_secret_key_is_used_as_soon_as_it_is_connected with stripe,
    for_a_disconnected_team_nothing_is_looked_up with stripe,
}

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

const FRESH: &str = "whsec_fresh_0123456789";

/// Delivers an event of a team to one of the servers, signed with this secret.
async fn deliver(t: &Bench, node: &Node, team: &str, secret: &str, event: &Value) -> Answer {
    let bytes = body(event);
    let signature = sign(&bytes, secret, t.seconds());
    let there = Anonymous::new(&t.nobody.wire().at(&node.origin));
    let path = format!("/api/webhooks/stripe/{team}");
    let call = there.call(Method::POST, &path);
    let call = call.header("stripe-signature", &signature);
    call.body("application/json", bytes).send().await
}

/// The status of the answer to a new event of nobody in particular.
async fn attempt(t: &Bench, node: &Node, secret: &str) -> u16 {
    let event = t.created("cus_x");
    let answer = deliver(t, node, &t.home.team, secret, &event).await;
    if answer.status != 200 {
        assert_eq!(answer.reason(), "invalid_signature", "{answer:?}");
    }
    answer.status
}

/// Connects the usual team and has an event come in at every server.
async fn connect_and_remember(t: &Bench) {
    t.connect().await;
    for node in &t.nodes {
        assert_eq!(attempt(t, node, SECRET).await, 200);
    }
}

/// The owner at the last server; events are delivered to the first one first.
fn owner(t: &Bench) -> CookieClient {
    let last = t.nodes.last().expect("a server");
    t.owner.over(&t.owner.wire().at(&last.origin))
}

async fn roll(t: &Bench, hours: i64) {
    let path = t.home.path("stripe/roll-webhook-secret");
    let body = json!({"webhookSecret": FRESH, "oldValidHours": hours});
    owner(t).post(&path, body).await.ok();
}

async fn disconnect(t: &Bench) {
    let path = t.home.path("stripe/disconnect");
    owner(t).post(&path, json!({})).await.ok();
}

async fn connect_anew(t: &Bench, body: Value) {
    let path = t.home.path("stripe/connect");
    owner(t).post(&path, body).await.ok();
}

async fn a_rolled_secret_is_taken_at_once(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect_and_remember(t).await;
    roll(t, 2).await;
    let event = t.created(&pair.stripe);
    for node in &t.nodes {
        let answer = deliver(t, node, &t.home.team, FRESH, &event).await;
        assert_eq!(answer.ok(), json!({"received": true}));
    }
    assert_eq!(t.outcome(&event).await, "converted");
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn the_old_secret_counts_while_it_is_rolled_and_no_longer(t: &Bench) {
    connect_and_remember(t).await;
    roll(t, 2).await;
    let attempts = async |old: u16| {
        for node in &t.nodes {
            assert_eq!(attempt(t, node, SECRET).await, old);
            assert_eq!(attempt(t, node, FRESH).await, 200);
        }
    };
    attempts(200).await;
    t.advance(2 * HOUR - SECOND);
    attempts(200).await;
    t.advance(SECOND);
    let kept = t.count("stripe_events").await;
    attempts(400).await;
    let now = t.count("stripe_events").await;
    assert_eq!(now, kept + t.nodes.len(), "one of two is taken");
}

/// The servers remember a connection whose secret was the only one and had no end.
async fn an_old_secret_ends_although_nothing_came_since_the_roll(t: &Bench) {
    connect_and_remember(t).await;
    roll(t, 2).await;
    t.advance(2 * HOUR);
    let before = t.dump().await;
    for node in &t.nodes {
        assert_eq!(attempt(t, node, SECRET).await, 400);
    }
    assert_eq!(t.dump().await, before);
    for node in &t.nodes {
        assert_eq!(attempt(t, node, FRESH).await, 200);
    }
}

/// As after the loss of the key that secrets are sealed with.
async fn an_old_secret_that_cannot_be_opened_is_in_nobodys_way(t: &Bench) {
    t.connect().await;
    let team = TeamId::from(t.home.team.as_str());
    let until = t.now().plus(HOUR);
    t.write(move |tx, act| {
        let sealed = format!("v1.{}", "5e".repeat(40));
        stripe_connection::roll(tx, act, &team, &sealed, until)
    })
    .await;
    roll(t, 2).await;
    for node in &t.nodes {
        assert_eq!(attempt(t, node, FRESH).await, 200);
        assert_eq!(attempt(t, node, SECRET).await, 400);
    }
}

async fn a_secret_rolled_without_overlap_ends_at_once(t: &Bench) {
    connect_and_remember(t).await;
    roll(t, 0).await;
    let before = t.dump().await;
    for node in &t.nodes {
        assert_eq!(attempt(t, node, SECRET).await, 400);
    }
    assert_eq!(t.dump().await, before);
    for node in &t.nodes {
        assert_eq!(attempt(t, node, FRESH).await, 200);
        assert_eq!(attempt(t, node, SECRET).await, 400);
    }
}

/// What is answered for a team that was disconnected before an event of it ever came.
async fn answer_of_a_stranger(t: &Bench) -> Answer {
    let stranger = t.tenant("stranger").await;
    let body = json!({"webhookSecret": SECRET});
    let path = stranger.path("stripe/connect");
    stranger.owner.post(&path, body).await.ok();
    let path = stranger.path("stripe/disconnect");
    stranger.owner.post(&path, json!({})).await.ok();
    let event = t.created("cus_x");
    deliver(t, &t.nodes[0], &stranger.team, SECRET, &event).await
}

async fn of_a_disconnected_team_nothing_is_taken(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect_and_remember(t).await;
    let expected = answer_of_a_stranger(t).await;
    disconnect(t).await;
    let before = t.dump().await;
    let event = t.created(&pair.stripe);
    for node in &t.nodes {
        // The first finds it remembered, those that follow do not.
        for secret in [SECRET, SECRET, FRESH, ""] {
            let answer = deliver(t, node, &t.home.team, secret, &event).await;
            assert_eq!(
                (answer.status, &answer.text),
                (expected.status, &expected.text)
            );
            answer.refused("invalid_signature");
        }
    }
    assert_eq!(t.dump().await, before);
    connect_anew(t, json!({"webhookSecret": FRESH})).await;
    let before = t.dump().await;
    for node in &t.nodes {
        let answer = deliver(t, node, &t.home.team, SECRET, &event).await;
        answer.refused("invalid_signature");
    }
    assert_eq!(t.dump().await, before);
    for node in &t.nodes {
        deliver(t, node, &t.home.team, FRESH, &event).await.ok();
    }
    assert_eq!(t.status(&referral).await, "converted");
}

async fn a_new_connection_takes_the_place_of_the_old(t: &Bench) {
    connect_and_remember(t).await;
    disconnect(t).await;
    // No event comes in between.
    connect_anew(t, json!({"webhookSecret": FRESH})).await;
    let before = t.dump().await;
    for node in &t.nodes {
        assert_eq!(attempt(t, node, SECRET).await, 400);
    }
    assert_eq!(t.dump().await, before);
    for node in &t.nodes {
        assert_eq!(attempt(t, node, FRESH).await, 200);
    }
    connect_anew(t, json!({"webhookSecret": SECRET})).await;
    for node in &t.nodes {
        assert_eq!(attempt(t, node, SECRET).await, 200);
        assert_eq!(attempt(t, node, FRESH).await, 400);
    }
}

/// A thin event of a new subscription that Stripe can be asked about.
fn thin_event_of(t: &Bench, customer: &str) -> Value {
    let id = t.in_books(&t.subscription(customer));
    let options = EventOptions::at(t.seconds());
    thin_event("customer.subscription.created", &id, None, &options)
}

/// The signing secret stays the same, so only the key tells the connections apart.
async fn a_secret_key_is_used_as_soon_as_it_is_connected(t: &Bench) {
    connect_and_remember(t).await;
    let fake = t.fake();
    for key in ["sk_test_1", "sk_test_2"] {
        fake.accept_only(&[key]);
        connect_anew(t, json!({"secretKey": key, "webhookSecret": SECRET})).await;
        for (number, node) in t.nodes.iter().enumerate() {
            let event = thin_event_of(t, &format!("cus_{key}{number}"));
            deliver(t, node, &t.home.team, SECRET, &event).await.ok();
            // Its object was fetched, and is of nobody we know.
            t.becomes(&event, "no_customer").await;
        }
    }
}

/// What would be fetched from Stripe, was settled before, or is no event at all is refused like the rest.
async fn for_a_disconnected_team_nothing_is_looked_up(t: &Bench) {
    let fake = t.fake();
    fake.accept_only(&["sk_test_1"]);
    connect_anew(
        t,
        json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}),
    )
    .await;
    let settled = thin_event_of(t, "cus_settled");
    let odd = [
        settled.clone(),
        thin_event_of(t, "cus_new"),
        json!({"object": "event"}),
    ];
    for event in odd {
        for node in &t.nodes {
            deliver(t, node, &t.home.team, SECRET, &settled).await.ok();
        }
        t.becomes(&settled, "no_customer").await;
        disconnect(t).await;
        let (before, calls) = (t.dump().await, fake.requests().len());
        for node in &t.nodes {
            let answer = deliver(t, node, &t.home.team, SECRET, &event).await;
            answer.refused("invalid_signature");
        }
        assert_eq!(t.dump().await, before);
        assert_eq!(fake.requests().len(), calls, "{event}");
        connect_anew(
            t,
            json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}),
        )
        .await;
    }
}
