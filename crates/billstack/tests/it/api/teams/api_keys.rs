//! `…/teams/{teamId}/api-keys`.

use billstack_core::access::{Scope, is_api_key};
use billstack_core::time::HOUR;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::text;

on_both_engines! {
    a_key_is_made_as_documented,
    a_key_keeps_to_its_project_scopes_and_time,
    a_key_is_shown_once_and_stored_as_a_hash,
    a_key_may_last_for_ever,
    wrong_members_are_refused,
    a_revoked_key_is_refused_at_once,
    unknown_keys_are_404,
}

async fn make(t: &Bench, body: Value) -> (Value, KeyClient) {
    let answer = t.owner.post(&t.home.path("api-keys"), body).await.created();
    let client = KeyClient::new(t.key.wire(), &text(&answer["rawKey"]));
    (answer, client)
}

async fn a_key_is_made_as_documented(t: &Bench) {
    let (answer, client) = make(t, json!({"name": "Backend"})).await;
    let key = &answer["key"];
    let raw = text(&answer["rawKey"]);
    assert!(is_api_key(&raw) && raw.len() == 51, "{raw}");
    let prefix = text(&key["prefix"]);
    assert!(prefix.len() < 16 && raw.starts_with(&prefix), "{prefix}");
    assert!(text(&key["id"]).starts_with("key_"));
    assert_eq!(key["name"], "Backend");
    assert_eq!(key["projectId"], Value::Null);
    let all = Scope::ALL.iter().map(|scope| scope.as_str());
    assert_eq!(key["scopes"], json!(all.collect::<Vec<_>>()));
    assert_eq!(key["expiresAt"], Value::Null);
    client
        .post("customers", json!({"email": "a@example.com"}))
        .await
        .created();
}

async fn a_key_keeps_to_its_project_scopes_and_time(t: &Bench) {
    let (other, _) = t.project("other").await;
    let body = json!({
        "name": "narrow", "projectId": t.home.project, "expiresAt": "2026-03-30T13:00:00Z",
        "scopes": ["referrals:read", "referrals:read"],
    });
    let (answer, client) = make(t, body).await;
    assert_eq!(answer["key"]["scopes"], json!(["referrals:read"]));
    assert_eq!(answer["key"]["projectId"], t.home.project.as_str());
    assert!(text(&answer["key"]["expiresAt"]).starts_with("2026-03-30T13:00:00"));
    client.get("referrals").await.ok();
    client.get("customers").await.refused("insufficient_scope");
    let wire = t.key.wire().within(&t.home.team, &other);
    client
        .over(&wire)
        .get("referrals")
        .await
        .refused("forbidden");
    t.advance(HOUR);
    client.get("referrals").await.refused("api_key_expired");
}

async fn a_key_is_shown_once_and_stored_as_a_hash(t: &Bench) {
    let (answer, _) = make(t, json!({"name": "x"})).await;
    let raw = text(&answer["rawKey"]);
    let list = t.owner.get(&t.home.path("api-keys")).await;
    assert!(!list.text.contains(&raw[8..]));
    let list = list.ok();
    assert_eq!(list["keys"][0]["id"], answer["key"]["id"]);
    assert!(!t.dump().await.contains(&raw[8..]));
}

async fn a_key_may_last_for_ever(t: &Bench) {
    for never in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000+00:00"] {
        let (answer, client) = make(t, json!({"name": "x", "expiresAt": never})).await;
        let expires_at = text(&answer["key"]["expiresAt"]);
        assert_eq!(expires_at, "9999-12-31T23:59:59.000Z");
        client.get("customers").await.ok();
    }
}

async fn wrong_members_are_refused(t: &Bench) {
    for (member, value) in [
        ("name", json!(null)),
        ("name", json!("")),
        ("scopes", json!(["everything"])),
        ("scopes", json!("referrals:read")),
        ("scopes", json!([7])),
        ("scopes", json!([])),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!(1_800_000_000)),
        ("expiresAt", json!("2026-03-30")),
        ("projectId", json!(7)),
    ] {
        let mut body = json!({"name": "x"});
        body[member] = value;
        t.owner
            .post(&t.home.path("api-keys"), body)
            .await
            .invalid(member);
    }
    let stranger = t.tenant("stranger").await;
    for project in ["proj_unknown", stranger.project.as_str()] {
        let body = json!({"name": "x", "projectId": project});
        let answer = t.owner.post(&t.home.path("api-keys"), body).await;
        assert!(matches!(answer.status, 400 | 404), "{answer:?}");
    }
}

async fn a_revoked_key_is_refused_at_once(t: &Bench) {
    let (answer, client) = make(t, json!({"name": "x"})).await;
    client.get("customers").await.ok();
    let path = t
        .home
        .path(&format!("api-keys/{}", text(&answer["key"]["id"])));
    for _ in 0..2 {
        let revoked = t.owner.delete(&path).await.ok();
        assert!(revoked["key"]["revokedAt"].is_string());
    }
    client.get("customers").await.refused("api_key_revoked");
    let body = json!({"email": "x@example.com"});
    client
        .post("customers", body)
        .await
        .refused("api_key_revoked");
    let list = t.owner.get(&t.home.path("api-keys")).await.ok();
    assert!(list["keys"][0]["revokedAt"].is_string());
}

async fn unknown_keys_are_404(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    let theirs = stranger.owner.get(&stranger.path("api-keys")).await.ok();
    let theirs = text(&theirs["keys"][0]["id"]);
    for id in ["key_unknown", &theirs] {
        let path = t.home.path(&format!("api-keys/{id}"));
        t.owner.delete(&path).await.refused("not_found");
    }
    stranger.key.get("customers").await.ok();
}
