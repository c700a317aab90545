//! `…/webhook-endpoints`.

mod deliveries;
mod replay;
mod rights;
mod test;

use billstack_core::access::Role;
use billstack_core::time::HOUR;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::text;

on_both_engines! {
    an_endpoint_is_made_read_changed_and_taken_away with inner,
    what_is_wrong_with_one_is_named with inner,
    ten_are_the_most with inner,
    a_secret_is_shown_once_and_never_kept with inner,
    an_endpoint_is_disabled_and_enabled with inner,
}

/// Servers that may send to addresses of this machine.
pub(crate) fn inner() -> Setup {
    Setup {
        settings: |args| args.webhook_allowed_networks = Some("127.0.0.0/8".to_owned()),
        ..Setup::default()
    }
}

/// Nothing listens there.
pub(crate) const URL: &str = "http://127.0.0.1:9/hook";

/// Makes an endpoint that is told these types.
pub(crate) async fn endpoint(key: &KeyClient, types: Value) -> String {
    let body = json!({"url": URL, "types": types});
    let made = key.post("webhook-endpoints", body).await.created();
    text(&made["endpoint"]["id"])
}

/// An endpoint as it is shown.
pub(crate) async fn shown(key: &KeyClient, id: &str) -> Value {
    let answer = key.get(&format!("webhook-endpoints/{id}")).await.ok();
    answer["endpoint"].clone()
}

async fn an_endpoint_is_made_read_changed_and_taken_away(t: &Bench) {
    let body = json!({"url": URL, "description": "The CRM", "types": ["referral.converted", "credit.granted"]});
    let made = t.key.post("webhook-endpoints", body).await.created();
    let endpoint = &made["endpoint"];
    let id = text(&endpoint["id"]);
    assert!(id.starts_with("whe_"), "{id}");
    let expected = json!({
        "id": id, "url": URL, "description": "The CRM", "types": ["credit.granted", "referral.converted"],
        "state": "active", "createdAt": endpoint["createdAt"], "disabledAt": null, "disabledReason": null,
        "lastSuccessAt": null, "lastFailureAt": null,
    });
    assert_eq!(*endpoint, expected);
    assert_eq!(shown(&t.key, &id).await, expected);
    let list = t.key.get("webhook-endpoints").await.ok();
    assert_eq!(list, json!({"endpoints": [expected]}));
    let path = format!("webhook-endpoints/{id}");
    let change = json!({"types": ["*"], "description": null, "url": "http://127.0.0.1:9/v2"});
    let changed = t.key.patch(&path, change.clone()).await.ok();
    assert_eq!(changed["endpoint"]["types"], json!(["*"]));
    assert_eq!(changed["endpoint"]["description"], Value::Null);
    assert_eq!(changed["endpoint"]["url"], "http://127.0.0.1:9/v2");
    // What is as it was already is no change, and what was read can be sent back.
    let events = t.count("events").await;
    t.key.patch(&path, change).await.ok();
    let read = t.key.get(&path).await.ok()["endpoint"].clone();
    assert_eq!(t.key.patch(&path, read).await.ok(), changed);
    assert_eq!(t.count("events").await, events);
    let gone = t.key.delete(&path).await.ok();
    assert_eq!(gone, json!({"endpoint": {"id": id, "deleted": true}}));
    for call in [
        t.key.get(&path).await,
        t.key.patch(&path, json!({})).await,
        t.key.delete(&path).await,
        t.key.get(&format!("{path}/deliveries")).await,
        t.key
            .post(&format!("{path}/rotate-secret"), json!({}))
            .await,
    ] {
        call.refused("not_found");
    }
    assert_eq!(
        t.key.get("webhook-endpoints").await.ok(),
        json!({"endpoints": []})
    );
}

async fn what_is_wrong_with_one_is_named(t: &Bench) {
    let with = |member: &str, value: Value| {
        let mut body = json!({"url": URL});
        body[member] = value;
        body
    };
    for (field, value) in [
        ("url", json!("no url")),
        ("url", json!("")),
        ("url", Value::Null),
        (
            "url",
            json!(format!("https://a.test/{}", "x".repeat(2_048))),
        ),
        ("description", json!("x".repeat(501))),
        ("types", json!([])),
        ("types", json!(["code.burnt"])),
        ("types", json!(["*", "ping"])),
        ("types", json!("*")),
        ("secret", json!("whsec_x")),
    ] {
        let answer = t.key.post("webhook-endpoints", with(field, value)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["field"], field, "{answer:?}");
    }
    let id = endpoint(&t.key, json!(["*"])).await;
    for url in [
        "http://hooks.example.com/",
        "https://10.1.2.3/",
        "https://[::1]/",
        "https://user@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://localhost.invalid/",
        "http://10.1.2.3/",
    ] {
        let by_post = t
            .key
            .post("webhook-endpoints", with("url", json!(url)))
            .await;
        let path = format!("webhook-endpoints/{id}");
        let by_patch = t.key.patch(&path, json!({"url": url})).await;
        for answer in [by_post, by_patch] {
            assert_eq!(answer.status, 400, "{answer:?}");
            assert_eq!(answer.json()["field"], "url", "{answer:?}");
            answer.refused("webhook_address_not_allowed");
        }
    }
    assert_eq!(shown(&t.key, &id).await["url"], URL);
    assert_eq!(t.count("webhook_endpoints").await, 1);
}

async fn ten_are_the_most(t: &Bench) {
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(endpoint(&t.key, json!(["*"])).await);
    }
    let more = t.key.post("webhook-endpoints", json!({"url": URL})).await;
    assert_eq!(more.status, 409);
    more.refused("too_many_endpoints");
    let (_, other) = t.project("other").await;
    endpoint(&other, json!(["*"])).await;
    let first = format!("webhook-endpoints/{}", ids[0]);
    other.get(&first).await.refused("not_found");
    t.key.delete(&first).await.ok();
    endpoint(&t.key, json!(["*"])).await;
}

async fn a_secret_is_shown_once_and_never_kept(t: &Bench) {
    let create = |key: &str| {
        let call = t.key.call(Method::POST, "webhook-endpoints");
        call.header("idempotency-key", key)
            .json(&json!({"url": URL}))
            .send()
    };
    let (first, again) = (create("one").await.created(), create("one").await.created());
    assert_ne!(first["endpoint"]["id"], again["endpoint"]["id"]);
    let id = text(&first["endpoint"]["id"]);
    let path = format!("webhook-endpoints/{id}/rotate-secret");
    let rotate = |body: Value| {
        let call = t.key.call(Method::POST, &path);
        call.header("idempotency-key", "two").json(&body).send()
    };
    let usual = rotate(json!({})).await.ok();
    let at_once = rotate(json!({"oldValidHours": 0})).await.ok();
    for (answer, hours) in [(&usual, 24), (&at_once, 0)] {
        // Each call takes a thousandth of a second, so the minute is the same.
        let until = billstack::clock::rfc3339(t.now().plus(hours * HOUR).0);
        assert_eq!(text(&answer["oldValidUntil"])[..16], until[..16]);
    }
    for wrong in [json!({"oldValidHours": 169}), json!({"oldValidHours": -1})] {
        rotate(wrong).await.refused("invalid_request");
    }
    let secrets = [&first, &again, &usual, &at_once].map(|answer| text(&answer["secret"]));
    assert!(
        secrets
            .iter()
            .all(|secret| secret.starts_with("whsec_") && secret.len() == 50)
    );
    let list = t.key.get("webhook-endpoints").await;
    let dump = t.dump().await;
    for secret in &secrets {
        assert_eq!(secrets.iter().filter(|other| *other == secret).count(), 1);
        assert!(!list.text.contains(secret.as_str()));
        assert!(!dump.contains(&secret[6..]), "a secret is kept as it is");
    }
    assert_eq!(t.count("idempotency_keys").await, 0);
}

async fn an_endpoint_is_disabled_and_enabled(t: &Bench) {
    let id = endpoint(&t.key, json!(["customer.created"])).await;
    let path = format!("webhook-endpoints/{id}");
    let act = async |what: &str| t.key.post(&format!("{path}/{what}"), json!({})).await;
    let enabled = act("enable").await.ok();
    assert_eq!(enabled["missedSince"], Value::Null);
    let since = text(&act("disable").await.ok()["endpoint"]["disabledAt"]);
    for _ in 0..2 {
        t.advance(HOUR);
        let off = act("disable").await.ok();
        assert_eq!(off["endpoint"]["state"], "disabled");
        assert_eq!(off["endpoint"]["disabledReason"], "by_hand");
        assert_eq!(off["endpoint"]["disabledAt"], since);
    }
    t.customer("ada").await;
    let log = t.key.get(&format!("{path}/deliveries")).await.ok();
    assert_eq!(log, json!({"deliveries": []}));
    let enabled = act("enable").await.ok();
    assert_eq!(enabled["missedSince"], since);
    assert_eq!(enabled["endpoint"]["state"], "active");
    assert_eq!(enabled["endpoint"]["disabledAt"], Value::Null);
    t.customer("grace").await;
    assert_eq!(t.deliveries(&id, 1).await.len(), 1);
}
