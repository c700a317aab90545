//! `GET …/referrals/overview`, and the figures of `GET …/referrals/codes`.

use std::time::Duration;

use billstack_core::time::{DAY, MINUTE};
use serde_json::{Value, json};

use crate::links::follow;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{apply_body, pluck, text};

on_both_engines! {
    nothing_yet_is_all_zero,
    a_period_stands_beside_the_one_before,
    currencies_are_never_added,
    it_is_asked_for_strictly,
    codes_tell_what_they_brought_and_are_sorted_by_it,
    clicks_are_told,
}

async fn overview(t: &Bench, query: &str) -> Value {
    let answer = t.key.get(&format!("referrals/overview{query}")).await;
    answer.ok()["overview"].take()
}

/// Whoever converts here does so on the day of the apply.
fn totals(applied: i64, converted: i64, rate: Value, credited: Value) -> Value {
    json!({"clicks": 0, "applied": applied, "converted": converted, "convertedOfApplied": converted, "rate": rate,
        "credited": credited})
}

/// Without the members that are told apart.
fn only_totals(shown: &Value) -> Value {
    let mut shown = shown.clone();
    for member in ["from", "to", "date"] {
        shown.as_object_mut().expect("an object").remove(member);
    }
    shown
}

async fn nothing_yet_is_all_zero(t: &Bench) {
    let shown = overview(t, "").await;
    assert_eq!(
        only_totals(&shown["period"]),
        totals(0, 0, Value::Null, json!([]))
    );
    assert_eq!(
        only_totals(&shown["before"]),
        totals(0, 0, Value::Null, json!([]))
    );
    assert_eq!(shown["period"]["to"], "2026-03-31T00:00:00.000Z");
    assert_eq!(shown["before"]["to"], shown["period"]["from"]);
    assert_eq!(shown["series"].as_array().map(Vec::len), Some(30));
    assert_eq!(shown["changes"], json!([]));
}

async fn a_period_stands_beside_the_one_before(t: &Bench) {
    let (one, _) = t.pending("one").await;
    t.subscribe(&one).await;
    t.pending("two").await;
    t.later(DAY).await;
    let (late, _) = t.pending("three").await;
    t.subscribe(&late).await;
    // The worker may have added up any part of it.
    t.later(MINUTE).await;

    let usd = |amount: i64| json!([{"currency": "usd", "amount": amount}]);
    let shown = overview(t, "?from=2026-03-31T00:00:00Z&to=2026-04-01T00:00:00Z").await;
    assert_eq!(
        only_totals(&shown["period"]),
        totals(1, 1, json!(1.0), usd(1500))
    );
    assert_eq!(
        only_totals(&shown["before"]),
        totals(2, 1, json!(0.5), usd(1500))
    );
    let shown = overview(
        t,
        "?from=2026-03-30T12:00:00Z&to=2026-04-02T00:00:00Z&by=week",
    )
    .await;
    assert_eq!(
        only_totals(&shown["period"]),
        totals(3, 2, json!(2.0 / 3.0), usd(3000))
    );
    assert_eq!(pluck(&shown["series"], "date"), ["2026-03-30"]);
    assert_eq!(
        only_totals(&shown["series"][0]),
        only_totals(&shown["period"])
    );
    let shown = overview(
        t,
        "?from=2026-03-30T12:00:00Z&to=2026-04-02T00:00:00Z&by=month",
    )
    .await;
    assert_eq!(
        pluck(&shown["series"], "date"),
        ["2026-03-01"],
        "April has not begun"
    );
    let change = &shown["changes"][0];
    assert!(
        text(&change["at"]).starts_with("2026-03-30T12:00:"),
        "{change}"
    );
    assert!(text(&change["eventId"]).starts_with("evt_"), "{change}");

    // The rows behind the figures, under the same range.
    let range = "from=2026-03-31T00:00:00Z&to=2026-04-01T00:00:00Z";
    let rows = t.key.get(&format!("referrals?{range}")).await.ok();
    assert_eq!(rows["referrals"].as_array().map(Vec::len), Some(1));
    let rows = t.key.get(&format!("referrals/credits?{range}")).await.ok();
    let sum: i64 = rows["credits"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|c| c["amount"].as_i64())
        .sum();
    assert_eq!(sum, 1500);
}

async fn currencies_are_never_added(t: &Bench) {
    let ada = t.customer("ada").await;
    for (amount, currency) in [(100, "usd"), (1_000, "jpy"), (50, "usd"), (1_000, "kwd")] {
        let body =
            json!({"customerId": ada, "amount": amount, "currency": currency, "reason": "thanks"});
        t.key.post("referrals/credits", body).await.created();
    }
    let shown = overview(t, "").await;
    assert_eq!(
        shown["period"]["credited"],
        json!([
            {"currency": "jpy", "amount": 1000},
            {"currency": "kwd", "amount": 1000},
            {"currency": "usd", "amount": 150},
        ])
    );
}

async fn it_is_asked_for_strictly(t: &Bench) {
    for (query, field) in [
        ("by=year", "by"),
        ("from=2026-03-30", "from"),
        ("to=now", "to"),
        ("from=2026-03-31T00:00:00Z&to=2026-03-30T00:00:00Z", "from"),
        ("from=2020-01-01T00:00:00Z&to=2026-03-30T00:00:00Z", "from"),
    ] {
        let answer = t.key.get(&format!("referrals/overview?{query}")).await;
        answer.invalid(field);
    }
    for query in ["sort=best", "sort=applied&from=2026-03-30T00:00:00Z"] {
        let answer = t.key.get(&format!("referrals/codes?{query}")).await;
        answer.invalid("sort");
    }
}

async fn codes_tell_what_they_brought_and_are_sorted_by_it(t: &Bench) {
    let (one, _) = t.pending("one").await;
    let (two, _) = t.pending("two").await;
    for name in ["three", "four"] {
        let body = apply_body(&one.code, &t.customer(name).await);
        t.key.post("referrals/apply", body).await.created();
    }
    t.subscribe(&two).await;
    let figures = |list: &Value| -> Vec<(String, i64, i64)> {
        let rows = list["codes"].as_array().expect("a list").iter();
        let number = |row: &Value, member: &str| row[member].as_i64().expect("a number");
        rows.map(|row| {
            (
                text(&row["code"]),
                number(row, "applied"),
                number(row, "converted"),
            )
        })
        .collect()
    };
    let (first, second) = ((one.code.clone(), 3, 0), (two.code.clone(), 1, 1));
    let list = t.key.get("referrals/codes").await.ok();
    assert_eq!(figures(&list), [second.clone(), first.clone()]);
    let list = t
        .key
        .get(&format!("referrals/codes?customerId={}", one.referrer))
        .await
        .ok();
    assert_eq!(figures(&list), std::slice::from_ref(&first));
    let list = t
        .key
        .get("referrals/codes?from=2026-03-30T00:00:00Z&to=2026-03-30T12:00:00Z")
        .await
        .ok();
    assert_eq!(figures(&list), []);
    let list = t
        .key
        .get("referrals/codes?from=2026-03-30T00:00:00Z&limit=1")
        .await
        .ok();
    assert_eq!(figures(&list), std::slice::from_ref(&second));

    // In the order of a figure they stand once the worker has come by.
    t.later(MINUTE).await;
    let by = async |sort: &str| {
        let path = format!("referrals/codes?sort={sort}");
        for _ in 0..200 {
            let list = t.key.get(&path).await.ok();
            if list["codes"]
                .as_array()
                .is_some_and(|codes| codes.len() == 2)
            {
                return figures(&list);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            t.advance(MINUTE);
        }
        panic!("no codes are added up");
    };
    assert_eq!(by("applied").await, [first.clone(), second.clone()]);
    assert_eq!(by("converted").await, [second.clone(), first.clone()]);
    let page = t.key.get("referrals/codes?sort=applied&limit=1").await.ok();
    assert_eq!(figures(&page), [first]);
    let path = format!(
        "referrals/codes?sort=applied&limit=1&cursor={}",
        text(&page["nextCursor"])
    );
    assert_eq!(figures(&t.key.get(&path).await.ok()), [second]);
}

async fn clicks_are_told(t: &Bench) {
    let (code, _) = crate::links::open(t).await;
    follow(t, &format!("/r/{code}")).await.target();
    for _ in 0..200 {
        let list = t.key.get("referrals/codes").await.ok();
        if list["codes"][0]["clicks"] == 1 {
            let shown = overview(t, "").await;
            assert_eq!(shown["period"]["clicks"], 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no click was counted");
}
