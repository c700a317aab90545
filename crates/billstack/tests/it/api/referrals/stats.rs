//! `GET …/referrals/stats`.

use billstack_core::time::DAY;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    nothing_yet_is_all_zero,
    counts_and_sums_are_those_of_the_project,
    days_are_asked_for_strictly,
}

async fn nothing_yet_is_all_zero(t: &Bench) {
    let answer = t.key.get("referrals/stats?days=2").await.ok();
    let day = |date: &str| json!({"date": date, "referrals": 0, "conversions": 0, "credits": 0});
    assert_eq!(
        answer,
        json!({"stats": {
            "codes": {"total": 0, "active": 0},
            "referrals": {"total": 0, "pending": 0, "converted": 0, "expired": 0},
            "conversionRate": null,
            "credits": [],
            "byDay": [day("2026-03-29"), day("2026-03-30")],
        }})
    );
}

async fn counts_and_sums_are_those_of_the_project(t: &Bench) {
    let (converted, _) = t.pending("one").await;
    t.subscribe(&converted).await;
    let (off, _) = t.pending("two").await;
    let code = format!("referrals/codes/{}", off.code);
    t.key.delete(&code).await.ok();
    let (gone, _) = t.pending("three").await;
    t.erase(&gone.referee).await;
    t.later(DAY).await;
    t.pending("four").await;
    let (_, other) = t.project("other").await;
    let body = json!({"email": "x@example.com"});
    let elsewhere = other.post("customers", body).await.created();
    let elsewhere = json!({"customerId": text(&elsewhere["customer"]["id"])});
    other.post("referrals/codes", elsewhere).await.created();

    let stats = t.key.get("referrals/stats?days=2").await.ok()["stats"].take();
    assert_eq!(stats["codes"], json!({"total": 4, "active": 3}));
    assert_eq!(
        stats["referrals"],
        json!({"total": 4, "pending": 2, "converted": 1, "expired": 1})
    );
    assert_eq!(stats["conversionRate"], 0.25);
    let mut credits = stats["credits"].as_array().expect("a list").clone();
    credits.sort_by_key(|sum| text(&sum["side"]));
    assert_eq!(
        credits,
        [
            json!({"side": "referee", "currency": "usd", "count": 1, "amount": 500}),
            json!({"side": "referrer", "currency": "usd", "count": 1, "amount": 1000}),
        ]
    );
    assert_eq!(
        stats["byDay"],
        json!([
            {"date": "2026-03-30", "referrals": 3, "conversions": 1, "credits": 2},
            {"date": "2026-03-31", "referrals": 1, "conversions": 0, "credits": 0},
        ])
    );
}

async fn days_are_asked_for_strictly(t: &Bench) {
    for days in ["0", "367", "-1", "x", "1.5", ""] {
        let answer = t.key.get(&format!("referrals/stats?days={days}")).await;
        answer.invalid("days");
    }
    let length = |answer: &Value| answer["stats"]["byDay"].as_array().map(Vec::len);
    let answer = t.key.get("referrals/stats").await.ok();
    assert_eq!(length(&answer), Some(30));
    let answer = t.key.get("referrals/stats?days=366").await.ok();
    assert_eq!(length(&answer), Some(366));
}
