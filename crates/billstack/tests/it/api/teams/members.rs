//! `…/teams/{teamId}/members`.

use billstack_core::access::Role;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Caller, CookieClient};
use crate::support::fixture::{pluck, text};

on_both_engines! {
    members_are_listed,
    roles_are_changed_and_take_effect_at_once,
    the_last_owner_stays,
    administrators_do_not_touch_owners,
    whoever_is_removed_is_out_at_once,
    members_may_leave,
    unknown_members_are_404,
}

async fn id_of(t: &Bench, role: &str) -> String {
    let list = t.owner.get(&t.home.path("members")).await.ok();
    let members = list["members"].as_array().expect("a list").clone();
    let found = members.iter().find(|member| member["name"] == role);
    text(&found.expect("a member")["userId"])
}

async fn set_role(
    t: &Bench,
    by: &CookieClient,
    user: &str,
    role: &str,
) -> crate::support::client::Answer {
    let path = t.home.path(&format!("members/{user}"));
    by.patch(&path, json!({"role": role})).await
}

async fn members_are_listed(t: &Bench) {
    t.member(Role::Viewer).await;
    let list = t.owner.get(&t.home.path("members")).await.ok();
    assert_eq!(pluck(&list["members"], "role"), ["viewer", "owner"]);
    let owner = &list["members"][1];
    assert_eq!(
        *owner,
        json!({
            "userId": t.home.owner_id, "name": "Owner of home", "email": "home@owners.example",
            "role": "owner", "createdAt": owner["createdAt"],
        })
    );
}

async fn roles_are_changed_and_take_effect_at_once(t: &Bench) {
    let member = t.member(Role::Viewer).await;
    let id = id_of(t, "viewer").await;
    let body = json!({"email": "x@example.com"});
    member
        .post("customers", body.clone())
        .await
        .refused("forbidden");
    let answer = set_role(t, &t.owner, &id, "member").await.ok();
    assert_eq!(answer["member"]["role"], "member");
    member.post("customers", body).await.created();
    set_role(t, &t.owner, &id, "viewer").await.ok();
    member
        .post("customers", json!({"email": "y@example.com"}))
        .await
        .refused("forbidden");
    for odd in [json!("boss"), json!(""), json!(1), Value::Null] {
        let path = t.home.path(&format!("members/{id}"));
        t.owner
            .patch(&path, json!({"role": odd}))
            .await
            .invalid("role");
    }
}

async fn the_last_owner_stays(t: &Bench) {
    let own = t.home.owner_id.clone();
    set_role(t, &t.owner, &own, "admin")
        .await
        .refused("last_owner");
    let path = t.home.path(&format!("members/{own}"));
    t.owner.delete(&path).await.refused("last_owner");
    let second = t.member(Role::Admin).await;
    let id = id_of(t, "admin").await;
    set_role(t, &t.owner, &id, "owner").await.ok();
    set_role(t, &t.owner, &own, "admin").await.ok();
    set_role(t, &second, &id, "member")
        .await
        .refused("last_owner");
}

async fn administrators_do_not_touch_owners(t: &Bench) {
    let admin = t.member(Role::Admin).await;
    let own = t.home.owner_id.clone();
    let id = id_of(t, "admin").await;
    set_role(t, &admin, &id, "owner").await.refused("forbidden");
    set_role(t, &admin, &own, "member")
        .await
        .refused("forbidden");
    let path = t.home.path(&format!("members/{own}"));
    admin.delete(&path).await.refused("forbidden");
}

async fn whoever_is_removed_is_out_at_once(t: &Bench) {
    let member = t.member(Role::Member).await;
    let id = id_of(t, "member").await;
    member.get("customers").await.ok();
    let path = t.home.path(&format!("members/{id}"));
    let answer = t.owner.delete(&path).await.ok();
    assert_eq!(answer, json!({"member": {"userId": id, "deleted": true}}));
    member.get("customers").await.refused("forbidden");
}

async fn members_may_leave(t: &Bench) {
    let viewer = t.member(Role::Viewer).await;
    t.member(Role::Member).await;
    let (own, other) = (id_of(t, "viewer").await, id_of(t, "member").await);
    let path = |id: &str| t.home.path(&format!("members/{id}"));
    viewer.delete(&path(&other)).await.refused("forbidden");
    viewer.delete(&path(&own)).await.ok();
    viewer.get("customers").await.refused("forbidden");
}

async fn unknown_members_are_404(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    for id in ["usr_unknown", stranger.owner_id.as_str()] {
        set_role(t, &t.owner, id, "viewer")
            .await
            .refused("not_found");
        let path = t.home.path(&format!("members/{id}"));
        t.owner.delete(&path).await.refused("not_found");
    }
}
