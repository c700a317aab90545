//! `/api/billstack/teams/…`.

mod activity;
mod api_keys;
mod invitations;
mod members;
mod projects;
mod status;
mod stripe;

use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    whoever_makes_a_team_owns_it,
    names_are_read_strictly,
}

const TEAMS: &str = "/api/billstack/teams";

async fn whoever_makes_a_team_owns_it(t: &Bench) {
    let answer = t
        .owner
        .post(TEAMS, json!({"name": "Rockets"}))
        .await
        .created();
    let team = &answer["team"];
    let id = text(&team["id"]);
    assert!(id.starts_with("team_"), "{id}");
    assert_eq!(
        answer,
        json!({"team": {
            "id": id, "name": "Rockets", "role": "owner", "createdAt": team["createdAt"],
        }})
    );
    let list = t.owner.get(TEAMS).await.ok();
    assert_eq!(pluck(&list["teams"], "id"), [id, t.home.team.clone()]);
    let stranger = t.tenant("stranger").await;
    let list = stranger.owner.get(TEAMS).await.ok();
    assert_eq!(pluck(&list["teams"], "id"), [stranger.team]);
}

async fn names_are_read_strictly(t: &Bench) {
    for odd in [
        json!(null),
        json!(""),
        json!(7),
        json!("x".repeat(256)),
        json!("a\0b"),
    ] {
        t.owner
            .post(TEAMS, json!({"name": odd}))
            .await
            .invalid("name");
        let answer = t.owner.post(&t.home.path("projects"), json!({"name": odd}));
        answer.await.invalid("name");
    }
}
