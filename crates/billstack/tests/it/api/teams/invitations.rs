//! `…/teams/{teamId}/invitations`.

use billstack_core::access::Role;
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    an_invitation_is_made_as_documented,
    wrong_members_are_refused,
    whoever_is_a_member_is_not_invited,
    only_owners_invite_owners,
    a_revoked_invitation_is_worth_nothing,
}

async fn an_invitation_is_made_as_documented(t: &Bench) {
    let path = t.home.path("invitations");
    let body = json!({"email": "Grace@Example.com", "role": "viewer"});
    let answer = t.owner.post(&path, body).await.created();
    let invitation = &answer["invitation"];
    assert_eq!(invitation["email"], "grace@example.com");
    assert_eq!(invitation["role"], "viewer");
    let token = text(&answer["token"]);
    let list = t.owner.get(&path).await.ok();
    assert_eq!(list, json!({"invitations": [invitation]}));
    assert!(!t.dump().await.contains(&token), "only its hash is kept");
}

async fn wrong_members_are_refused(t: &Bench) {
    let path = t.home.path("invitations");
    for (body, field) in [
        (json!({"role": "viewer"}), "email"),
        (json!({"email": "x", "role": "viewer"}), "email"),
        (json!({"email": "a@example.com"}), "role"),
        (json!({"email": "a@example.com", "role": "root"}), "role"),
    ] {
        t.owner.post(&path, body).await.invalid(field);
    }
}

async fn whoever_is_a_member_is_not_invited(t: &Bench) {
    let body = json!({"email": "HOME@owners.example", "role": "viewer"});
    let answer = t.owner.post(&t.home.path("invitations"), body).await;
    answer.refused("already_member");
}

async fn only_owners_invite_owners(t: &Bench) {
    let admin = t.member(Role::Admin).await;
    let path = t.home.path("invitations");
    let body = |role: &str| json!({"email": format!("{role}@example.com"), "role": role});
    admin.post(&path, body("owner")).await.refused("forbidden");
    admin.post(&path, body("admin")).await.created();
    t.owner.post(&path, body("owner")).await.created();
}

async fn a_revoked_invitation_is_worth_nothing(t: &Bench) {
    let path = t.home.path("invitations");
    let body = json!({"email": "grace@example.com", "role": "member"});
    let answer = t.owner.post(&path, body).await.created();
    let one = format!("{path}/{}", text(&answer["invitation"]["id"]));
    t.owner.delete(&one).await.ok();
    t.owner.delete(&one).await.refused("not_found");
    let list = t.owner.get(&path).await.ok();
    assert!(pluck(&list["invitations"], "id").is_empty());
    let body = json!({
        "name": "Grace", "email": "grace@example.com", "password": "kelp-Onion-77",
        "token": answer["token"],
    });
    t.nobody
        .post("/api/auth/sign-up/email", body)
        .await
        .refused("invalid_token");
}
