//! `GET …/reports/{month}`.

use billstack_core::time::DAY;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    a_month_foots_with_its_roll_forward,
    months_without_bookings_are_zero,
    a_month_to_come_is_refused,
    what_is_no_month_is_not_found,
}

async fn report(t: &Bench, month: &str) -> Value {
    let answer = t.key.get(&format!("reports/{month}")).await;
    answer.ok()["report"].take()
}

async fn give(t: &Bench, customer: &str, amount: i64, currency: &str) -> String {
    let body =
        json!({"customerId": customer, "amount": amount, "currency": currency, "reason": "thanks"});
    let answer = t.key.post("referrals/credits", body).await.created();
    text(&answer["credit"]["id"])
}

async fn a_month_foots_with_its_roll_forward(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    give(t, &pair.referrer, 1_000, "jpy").await;
    let settled = give(t, &pair.referrer, 300, "usd").await;
    t.later(2 * DAY).await;
    let path = format!("referrals/credits/{settled}/settle");
    t.key
        .post(&path, json!({"reason": "paid", "amount": 100}))
        .await
        .ok();
    give(t, &pair.referrer, 50, "usd").await;

    let march = report(t, "2026-03").await;
    let row = |currency: &str, opening: i64, granted: i64, settled: i64, credits: i64| {
        json!({
            "currency": currency, "opening": opening, "granted": granted, "applied": 0, "reversed": 0,
            "settled": settled, "closing": opening + granted - settled, "shortfall": 0, "unexplained": 0,
            "credits": credits,
        })
    };
    assert_eq!(
        march["currencies"],
        json!([row("jpy", 0, 1_000, 0, 1), row("usd", 0, 1_800, 0, 3)])
    );
    assert_eq!(march["isOver"], true);
    let april = report(t, "2026-04").await;
    assert_eq!(
        april["currencies"],
        json!([row("jpy", 1_000, 0, 0, 0), row("usd", 1_800, 50, 100, 1)])
    );
    assert_eq!(april["isOver"], false);

    let range = "from=2026-04-01T00:00:00Z&to=2026-05-01T00:00:00Z";
    let roll = t
        .key
        .get(&format!("referrals/roll-forward?{range}"))
        .await
        .ok();
    for row in april["currencies"].as_array().expect("a list") {
        let sides = roll["rollForward"].as_array().expect("a list").iter();
        let sides: Vec<_> = sides
            .filter(|side| side["currency"] == row["currency"])
            .collect();
        for member in [
            "opening", "granted", "applied", "reversed", "settled", "closing",
        ] {
            let sum: i64 = sides.iter().filter_map(|side| side[member].as_i64()).sum();
            assert_eq!(row[member], sum, "{member} of {row}");
        }
    }
    let liability = t.key.get("referrals/liability").await.ok();
    let open: i64 = liability["liability"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|row| row["currency"] == "usd")
        .filter_map(|row| row["open"].as_i64())
        .sum();
    assert_eq!(april["currencies"][1]["closing"], open);
}

async fn months_without_bookings_are_zero(t: &Bench) {
    assert_eq!(report(t, "2026-03").await["currencies"], json!([]));
    let ada = t.customer("ada").await;
    give(t, &ada, 300, "usd").await;
    t.later(2 * DAY).await;
    for (month, owed) in [("2026-02", 0), ("2026-04", 300)] {
        let shown = report(t, month).await;
        let row = &shown["currencies"][0];
        assert_eq!(
            (&row["granted"], &row["credits"]),
            (&json!(0), &json!(0)),
            "{month}"
        );
        assert_eq!(row["closing"], owed, "{month}");
    }
}

async fn a_month_to_come_is_refused(t: &Bench) {
    let ada = t.customer("ada").await;
    give(t, &ada, 300, "usd").await;
    for month in ["2026-04", "2027-01", "9999-11"] {
        t.key
            .get(&format!("reports/{month}"))
            .await
            .invalid("month");
    }
    assert_eq!(report(t, "2026-03").await["isOver"], false);
    t.later(2 * DAY).await;
    assert_eq!(report(t, "2026-04").await["isOver"], false);
    t.key.get("reports/2026-05").await.invalid("month");
}

async fn what_is_no_month_is_not_found(t: &Bench) {
    for month in [
        "2026-13",
        "2026-3",
        "march",
        "1969-12",
        "9999-12",
        "2026-03-01",
    ] {
        t.key
            .get(&format!("reports/{month}"))
            .await
            .refused("not_found");
    }
}
