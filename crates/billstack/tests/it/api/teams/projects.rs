//! `…/teams/{teamId}/projects`.

use billstack_core::access::Role;
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    a_project_is_made_and_listed,
    members_see_projects_and_administrators_make_them,
    a_key_of_every_project_is_good_for_a_new_one,
}

async fn a_project_is_made_and_listed(t: &Bench) {
    let path = t.home.path("projects");
    let answer = t.owner.post(&path, json!({"name": "Shop"})).await.created();
    let project = &answer["project"];
    let id = text(&project["id"]);
    assert!(id.starts_with("proj_"), "{id}");
    assert_eq!(
        answer,
        json!({"project": {
            "id": id, "name": "Shop", "mode": "live", "teamId": t.home.team, "createdAt": project["createdAt"],
        }})
    );
    let list = t.owner.get(&path).await.ok();
    assert_eq!(pluck(&list["projects"], "id"), [id, t.home.project.clone()]);
}

async fn members_see_projects_and_administrators_make_them(t: &Bench) {
    let path = t.home.path("projects");
    for (role, may_make) in [
        (Role::Viewer, false),
        (Role::Member, false),
        (Role::Admin, true),
    ] {
        let member = t.member(role).await;
        member.get(&path).await.ok();
        let answer = member.post(&path, json!({"name": "x"})).await;
        assert_eq!(answer.status, if may_make { 201 } else { 403 }, "{role:?}");
    }
}

async fn a_key_of_every_project_is_good_for_a_new_one(t: &Bench) {
    let answer = t
        .owner
        .post(&t.home.path("projects"), json!({"name": "Shop"}));
    let id = text(&answer.await.created()["project"]["id"]);
    let wire = t.key.wire().within(&t.home.team, &id);
    let config = t.key.over(&wire).get("referrals/config").await.ok();
    assert_eq!(config["config"]["projectId"], id);
}
