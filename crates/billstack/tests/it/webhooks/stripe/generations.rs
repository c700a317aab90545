//! Events of every version of Stripe's API since 2020.

use fake_stripe::{EventOptions, Generation};
use serde_json::{Value, json};

use crate::support::bench::Bench;

on_both_engines! {
    every_generation_converts,
    only_what_is_needed_is_read,
    what_is_no_event_is_refused,
}

async fn every_generation_converts(t: &Bench) {
    for (number, generation) in Generation::ALL.into_iter().enumerate() {
        let options = || EventOptions::at(t.seconds()).generation(generation);
        let (pair, referral) = t.pending(&format!("sub{number}")).await;
        let subscription = t.subscription(&pair.stripe);
        let event = fake_stripe::event("customer.subscription.created", &subscription, &options());
        t.accept(&event).await;
        assert_eq!(t.status(&referral).await, "converted", "{generation:?}");
        let (pair, referral) = t.pending(&format!("cs{number}")).await;
        let session = t.session(&pair.stripe);
        let event = fake_stripe::event("checkout.session.completed", &session, &options());
        t.accept(&event).await;
        assert_eq!(t.status(&referral).await, "converted", "{generation:?}");
    }
}

/// An event with nothing in it but what we need, and one with nonsense everywhere else.
async fn only_what_is_needed_is_read(t: &Bench) {
    let (pair, referral) = t.pending("bare").await;
    let object = json!({
        "id": "sub_1", "status": "active", "customer": pair.stripe, "created": t.seconds(),
    });
    let event = json!({
        "id": "evt_bare", "type": "customer.subscription.created", "data": {"object": object},
    });
    t.accept(&event).await;
    assert_eq!(t.status(&referral).await, "converted");

    let (pair, referral) = t.pending("odd").await;
    let object = json!({
        "id": "sub_2", "status": "active", "customer": pair.stripe, "created": t.seconds(),
        "metadata": "none", "items": 7, "client_reference_id": {"a": [1e300]}, "deep": deep(60),
        "object": null, "nul": "a\0b", "livemode": "perhaps",
    });
    let event = json!({
        "id": "evt_odd", "type": "customer.subscription.created", "created": "yesterday",
        "livemode": "yes", "api_version": 7, "account": [], "data": {"object": object},
    });
    t.accept(&event).await;
    assert_eq!(t.status(&referral).await, "converted");
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

async fn what_is_no_event_is_refused(t: &Bench) {
    t.connect().await;
    let before = t.dump().await;
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "7",
        "{",
        "\u{feff}{}",
        "not json",
        r#"{"id":"evt_1"}"#,
        r#"{"id":"evt_1","type":"x"}"#,
        r#"{"id":"","type":"x","data":{"object":{}}}"#,
        r#"{"id":7,"type":"x","data":{"object":{}}}"#,
        r#"{"id":"evt_1","type":"x","data":{"object":[]}}"#,
        r#"{"id":"evt_\u0000","type":"x","data":{"object":{}}}"#,
        r#"{"type":"customer.subscription.created","data":{"object":{}}}"#,
    ] {
        let answer = t.deliver_bytes(body.as_bytes().to_vec()).await;
        assert_eq!(answer.status, 400, "{body}");
        answer.refused("not_an_event");
    }
    t.deliver_bytes(b"{\"id\":\"\xff\"}".to_vec())
        .await
        .refused("not_an_event");
    assert_eq!(t.dump().await, before);
}
