//! `clickToken` of `POST …/referrals/apply`.

use billstack_core::time::DAY;
use serde_json::{Value, json};

use super::{follow, open};
use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;

on_both_engines! {
    a_click_alone_brings_its_referrer,
    a_code_comes_before_a_click,
    a_token_that_is_none_is_refused_alone_and_never_beside_a_code,
    a_click_counts_until_its_window_ends,
    forged_tokens_have_a_budget with few_misses,
}

fn few_misses() -> Setup {
    Setup {
        settings: |args| {
            args.rate_limit = Some("100000".to_owned());
            args.apply_miss_budget_per_minute = Some("3".to_owned());
        },
        ..Setup::default()
    }
}

async fn token(t: &Bench, link: &str) -> String {
    follow(t, link).await.brings("ref_click").expect("a token")
}

async fn apply(t: &Bench, name: &str, body: Value) -> Answer {
    let mut body = body;
    body["refereeCustomerId"] = json!(t.customer(name).await);
    t.key.post("referrals/apply", body).await
}

/// What the story says of the click.
async fn ignored(t: &Bench, referral: &Value) -> Value {
    let id = text(&referral["id"]);
    let story = t.key.get(&format!("referrals/{id}/events")).await.ok();
    story["events"][0]["facts"]["clickIgnored"].clone()
}

async fn a_click_alone_brings_its_referrer(t: &Bench) {
    let (code, slug) = open(t).await;
    let path = format!("referrals/codes/{code}");
    t.key.patch(&path, json!({"vanity": "ADA-L"})).await.ok();
    let token = token(t, &format!("/r/{slug}/adal?s=whatsapp")).await;
    let answer = apply(t, "grace", json!({"clickToken": token})).await;
    let referral = answer.created()["referral"].take();
    assert_eq!(referral["code"], code.as_str());
    let attribution = &referral["attribution"];
    assert_eq!(attribution["source"], "click");
    assert_eq!(attribution["channel"], "whatsapp");
    let at = text(&attribution["clickedAt"]);
    assert!(at.starts_with("2026-03-30T12:00:"), "{at}");
    assert_eq!(t.referral(&text(&referral["id"])).await, referral);
    let list = t.key.get("referrals").await.ok();
    assert_eq!(list["referrals"][0]["attribution"], *attribution);
    for (source, count) in [("click", 1), ("code", 0)] {
        let list = t.key.get(&format!("referrals?source={source}")).await.ok();
        assert_eq!(list["referrals"].as_array().map(Vec::len), Some(count));
    }
    // The same again is told whose referral it is.
    let grace = json!({"clickToken": token, "refereeCustomerId": referral["refereeCustomerId"]});
    let again = t.key.post("referrals/apply", grace).await;
    again.refused("already_referred");
    assert_eq!(ignored(t, &referral).await, Value::Null);
    let neither = apply(t, "eve", json!({})).await;
    neither.invalid("code");
}

async fn a_code_comes_before_a_click(t: &Bench) {
    let (ada, _) = open(t).await;
    let bob = t.code(&t.customer("bob").await).await;
    let token = token(t, &format!("/r/{ada}?s=qr")).await;
    let other = apply(t, "grace", json!({"code": bob, "clickToken": token})).await;
    let other = other.created()["referral"].take();
    assert_eq!(other["code"], bob.as_str());
    let bare = json!({"source": "code", "channel": null, "clickedAt": null});
    assert_eq!(other["attribution"], bare);
    assert_eq!(ignored(t, &other).await, "other code");
    let same = apply(t, "eve", json!({"code": ada, "clickToken": token})).await;
    let same = same.created()["referral"].take();
    assert_eq!(same["attribution"]["source"], "code");
    assert_eq!(same["attribution"]["channel"], "qr");
    assert_eq!(ignored(t, &same).await, Value::Null);
    let unknown = json!({"code": "ZZZZZZZZ", "clickToken": token});
    apply(t, "joe", unknown).await.refused("code_not_found");
}

async fn a_token_that_is_none_is_refused_alone_and_never_beside_a_code(t: &Bench) {
    let (code, _) = open(t).await;
    let good = token(t, &format!("/r/{code}")).await;
    let mut bytes = good.clone().into_bytes();
    bytes[40] = if bytes[40] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(bytes).expect("text");
    let (_, other) = t.project("other").await;
    let body = json!({"enabled": true, "landingUrl": "https://other.example/"});
    let slug = text(&other.put("links/settings", body).await.ok()["settings"]["slug"]);
    let body = json!({"enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1});
    other.put("referrals/config", body).await.ok();
    let body = json!({"email": "x@example.com"});
    let owner = other.post("customers", body).await.created()["customer"]["id"].take();
    let theirs = other.post("referrals/codes", json!({"customerId": owner}));
    let theirs = text(&theirs.await.created()["code"]["code"]);
    let foreign = token(t, &format!("/r/{slug}/{theirs}")).await;
    for (number, bad) in [forged, foreign, "ct_".to_owned(), "x".repeat(4096)]
        .iter()
        .enumerate()
    {
        let alone = apply(t, &format!("a{number}"), json!({"clickToken": bad})).await;
        assert_eq!(alone.status, 400);
        assert_eq!(alone.refused("invalid_click_token")["field"], "clickToken");
        let body = json!({"clickToken": bad, "code": code});
        let beside = apply(t, &format!("b{number}"), body).await;
        let beside = beside.created()["referral"].take();
        assert_eq!(ignored(t, &beside).await, "invalid");
    }
    let nobody = json!({"clickToken": "ct_", "refereeCustomerId": "pc_unknown"});
    let nobody = t.key.post("referrals/apply", nobody).await;
    nobody.refused("customer_not_found");
    apply(t, "n", json!({"clickToken": 5, "code": code}))
        .await
        .invalid("clickToken");
}

async fn a_click_counts_until_its_window_ends(t: &Bench) {
    let (code, _) = open(t).await;
    let token = token(t, &format!("/r/{code}")).await;
    t.advance(59 * DAY);
    let early = apply(t, "early", json!({"clickToken": token})).await;
    early.created();
    t.advance(2 * DAY);
    let late = apply(t, "late", json!({"clickToken": token})).await;
    assert_eq!(late.status, 409);
    late.refused("click_expired");
    let beside = apply(t, "beside", json!({"clickToken": token, "code": code})).await;
    let beside = beside.created()["referral"].take();
    assert_eq!(ignored(t, &beside).await, "expired");
    let body = json!({"enabled": true, "windowDays": 365});
    t.key.put("links/settings", body).await.ok();
    let longer = apply(t, "longer", json!({"clickToken": token})).await;
    longer.created();
}

async fn forged_tokens_have_a_budget(t: &Bench) {
    let (code, _) = open(t).await;
    for number in 0..3 {
        let forged = apply(t, &format!("a{number}"), json!({"clickToken": "ct_x"})).await;
        forged.refused("invalid_click_token");
    }
    let next = apply(t, "b", json!({"code": code})).await;
    next.refused("too_many_misses");
}
