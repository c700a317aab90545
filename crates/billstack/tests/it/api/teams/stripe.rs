//! `…/teams/{teamId}/stripe/…`.

mod one_step;
mod permissions;

use fake_stripe::{Fault, Injection};
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::text;
use crate::support::stripe::SECRET;

on_both_engines! {
    a_webhook_secret_is_enough,
    a_secret_key_is_tried with stripe,
    a_restricted_key_need_not_read_the_account with stripe,
    a_key_that_stripe_refuses_changes_nothing with stripe,
    secrets_are_neither_shown_nor_stored_plainly with stripe,
    wrong_members_are_refused,
    the_webhook_url_is_told,
    disconnecting_forgets_the_secrets,
}

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

async fn status(t: &Bench) -> Value {
    t.owner.get(&t.home.path("stripe/status")).await.ok()
}

async fn a_webhook_secret_is_enough(t: &Bench) {
    let unconnected = status(t).await;
    assert_eq!(unconnected["connected"], false);
    assert_eq!(unconnected["isActive"], false);
    let body = json!({"webhookSecret": SECRET});
    let answer = t
        .owner
        .post(&t.home.path("stripe/connect"), body)
        .await
        .ok();
    assert_eq!(answer["success"], true);
    let url = format!("{}{}", t.nodes[0].origin, t.webhook());
    assert_eq!(answer["webhookUrl"], url);
    assert!(answer["syncStatus"].is_string());
    let connected = status(t).await;
    assert_eq!(connected["connected"], true);
    assert_eq!(connected["isActive"], true);
    assert_eq!(connected["keyValid"], Value::Null);
}

async fn a_secret_key_is_tried(t: &Bench) {
    let body = json!({"secretKey": "sk_test_1", "webhookSecret": SECRET});
    t.owner
        .post(&t.home.path("stripe/connect"), body)
        .await
        .ok();
    let connected = status(t).await;
    assert_eq!(connected["keyValid"], true);
    assert_eq!(connected["accountName"], "Fake Stripe Account");
    let fake = t.fake();
    fake.accept_only(&["sk_test_other"]);
    assert_eq!(status(t).await["keyValid"], false);
}

async fn a_restricted_key_need_not_read_the_account(t: &Bench) {
    let fault = Injection::new(Fault::Status(403)).path("/v1/account");
    t.fake().inject(fault.times(2));
    let body = json!({"secretKey": "rk_test_1", "webhookSecret": SECRET});
    let path = t.home.path("stripe/connect");
    t.owner.post(&path, body).await.ok();
    let connected = status(t).await;
    assert_eq!(connected["keyValid"], true);
    assert_eq!(connected["accountName"], Value::Null);
}

async fn a_key_that_stripe_refuses_changes_nothing(t: &Bench) {
    let fake = t.fake();
    fake.accept_only(&["sk_test_good"]);
    let path = t.home.path("stripe/connect");
    let body = json!({"secretKey": "sk_test_bad", "webhookSecret": SECRET});
    let answer = t.owner.post(&path, body.clone()).await;
    answer.refused("stripe_key_invalid");
    fake.inject(Injection::new(Fault::Reset).times(20));
    t.owner
        .post(&path, body)
        .await
        .refused("stripe_unavailable");
    assert_eq!(status(t).await["connected"], false);
}

async fn secrets_are_neither_shown_nor_stored_plainly(t: &Bench) {
    let key = "sk_test_canary51H8xQ2";
    let body = json!({"secretKey": key, "webhookSecret": SECRET});
    t.owner
        .post(&t.home.path("stripe/connect"), body)
        .await
        .ok();
    let shown = status(t).await.to_string() + &t.dump().await;
    assert!(!shown.contains(&key[8..]) && !shown.contains(&SECRET[6..]));
}

async fn wrong_members_are_refused(t: &Bench) {
    for (member, value) in [
        ("webhookSecret", json!(null)),
        ("webhookSecret", json!("")),
        ("webhookSecret", json!("whsec_")),
        ("webhookSecret", json!("secret")),
        ("webhookSecret", json!(7)),
        ("secretKey", json!("pk_test_1")),
        ("secretKey", json!("sk_1")),
        ("publishableKey", json!("sk_test_1")),
        ("webhookSecret", json!("whsec_ ")),
    ] {
        let mut body = json!({"webhookSecret": SECRET});
        body[member] = value;
        t.owner
            .post(&t.home.path("stripe/connect"), body)
            .await
            .invalid(member);
    }
    let keyless = json!({"publishableKey": "pk_test_1"});
    let answer = t.owner.post(&t.home.path("stripe/connect"), keyless);
    answer.await.invalid("webhookSecret");
    t.connect().await;
    let roll = t.home.path("stripe/roll-webhook-secret");
    for (hours, status) in [
        (json!(-1), 400),
        (json!(169), 400),
        (json!(1.5), 400),
        (json!(0), 200),
    ] {
        let body = json!({"webhookSecret": "whsec_other", "oldValidHours": hours});
        assert_eq!(t.owner.post(&roll, body).await.status, status);
    }
}

async fn the_webhook_url_is_told(t: &Bench) {
    let answer = t.owner.get(&t.home.path("stripe/webhook-url")).await.ok();
    assert!(text(&answer["webhookUrl"]).ends_with(&t.webhook()));
    let instructions = text(&answer["instructions"]);
    assert!(
        instructions.contains("checkout.session.completed"),
        "{instructions}"
    );
}

async fn disconnecting_forgets_the_secrets(t: &Bench) {
    let path = t.home.path("stripe/disconnect");
    t.owner
        .post(&path, json!({}))
        .await
        .refused("stripe_not_connected");
    t.connect().await;
    t.owner.post(&path, json!({})).await.ok();
    assert_eq!(status(t).await["connected"], false);
    t.owner
        .post(&path, json!({}))
        .await
        .refused("stripe_not_connected");
    let roll = t.home.path("stripe/roll-webhook-secret");
    let answer = t.owner.post(&roll, json!({"webhookSecret": "whsec_other"}));
    answer.await.refused("stripe_not_connected");
}
