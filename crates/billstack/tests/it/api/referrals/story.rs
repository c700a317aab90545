//! `GET …/referrals/{id}/events`.

use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    a_conversion_is_told_in_order,
    why_something_did_not_convert_is_told,
    the_request_behind_a_change_is_named,
    of_another_project_nothing_is_told,
}

async fn a_conversion_is_told_in_order(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let answer = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    assert_eq!(
        pluck(&answer["events"], "type"),
        [
            "referral.applied",
            "referral.converted",
            "credit.granted",
            "credit.granted"
        ]
    );
    let [applied, converted, ..] = answer["events"].as_array().expect("a list").as_slice() else {
        unreachable!("there are four");
    };
    assert_eq!(applied["subject"], referral.as_str());
    assert_eq!(applied["facts"]["code"], pair.code.as_str());
    assert!(text(&applied["actor"]).starts_with("api_key:key_"));
    assert_eq!(converted["actor"], format!("stripe:{}", text(&event["id"])));
}

async fn why_something_did_not_convert_is_told(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let subscription = t.subscription(&pair.stripe).status("incomplete");
    t.accept(&t.event("customer.subscription.created", &subscription))
        .await;
    let answer = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    let last = &answer["events"][1];
    assert_eq!(last["type"], "referral.not_converted");
    assert_eq!(last["facts"]["reason"], "subscription incomplete");
}

async fn the_request_behind_a_change_is_named(t: &Bench) {
    let pair = t.pair("a").await;
    let body = crate::support::fixture::apply_body(&pair.code, &pair.referee);
    let answer = t.key.post("referrals/apply", body).await;
    let request_id = answer.header("x-request-id").expect("an id").to_owned();
    let referral = text(&answer.created()["referral"]["id"]);
    let answer = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    assert_eq!(answer["events"][0]["requestId"], request_id.as_str());
}

async fn of_another_project_nothing_is_told(t: &Bench) {
    let (_, referral) = t.pending("a").await;
    let (_, key) = t.project("other").await;
    let path = format!("referrals/{referral}/events");
    key.get(&path).await.refused("referral_not_found");
    let page = t.key.get(&format!("{path}?limit=1&offset=1")).await.ok();
    assert_eq!(page, json!({"events": []}));
}
