//! What finance asks: liability, roll-forward, statements and exports.

use billstack_core::money::{Amount, Currency};
use billstack_core::time::{DAY, SECOND};
use billstack_store::credit_moves::{self, Gift};
use billstack_store::{Place, Tx};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    what_is_owed_is_told_by_side_and_age,
    what_was_owed_stays_what_it_was,
    a_month_foots,
    a_statement_ends_in_the_balance,
    exports_hold_every_row_once,
    a_cell_is_no_formula,
    ranges_are_read_strictly,
    the_books_are_verified,
    of_another_project_nothing_is_told,
}

/// Moves a credit.
async fn move_credit(t: &Bench, credit: &Value, how: &str, amount: i64) {
    let path = format!("referrals/credits/{}/{how}", text(&credit["id"]));
    let body = json!({"amount": amount, "reason": "as agreed"});
    t.key.post(&path, body).await.ok();
}

/// A converted referral, of whose credits some has gone: 700 of the referrer are left, 500 of the referee, and 250
/// that were given by hand, of 300.
async fn some_history(t: &Bench) -> [Value; 3] {
    let pair = t.pair("a").await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    let credits = t.credits().await;
    let of = |side: &str| {
        credits
            .iter()
            .find(|c| c["side"] == side)
            .expect("a side")
            .clone()
    };
    let (referrer, referee) = (of("referrer"), of("referee"));
    let body = json!({
        "customerId": pair.referrer, "amount": 300, "currency": "usd", "reason": "=contest",
    });
    let manual = t.key.post("referrals/credits", body).await.created()["credit"].take();
    move_credit(t, &referrer, "reverse", 300).await;
    move_credit(t, &manual, "settle", 50).await;
    [referrer, referee, manual]
}

async fn liability(t: &Bench, query: &str) -> Vec<Value> {
    let answer = t.key.get(&format!("referrals/liability{query}")).await.ok();
    answer["liability"].as_array().expect("a list").clone()
}

fn of_side<'v>(parts: &'v [Value], side: &str) -> &'v Value {
    parts
        .iter()
        .find(|part| part["side"] == side)
        .expect("a side")
}

async fn what_is_owed_is_told_by_side_and_age(t: &Bench) {
    some_history(t).await;
    let parts = liability(t, "").await;
    assert_eq!(parts.len(), 3);
    let referrer = of_side(&parts, "referrer");
    let ages = |open: i64| {
        json!([
            {"fromDays": 0, "toDays": 30, "open": open}, {"fromDays": 31, "toDays": 90, "open": 0},
            {"fromDays": 91, "toDays": 365, "open": 0}, {"fromDays": 366, "toDays": null, "open": 0},
        ])
    };
    assert_eq!(
        *referrer,
        json!({
            "currency": "usd", "side": "referrer", "held": 0, "available": 700, "delivered": 0, "applied": 0,
            "reversed": 300, "settled": 0, "shortfall": 0, "open": 700, "ages": ages(700),
        })
    );
    assert_eq!(of_side(&parts, "referee")["open"], 500);
    let manual = of_side(&parts, "manual");
    assert_eq!(
        (&manual["open"], &manual["settled"]),
        (&json!(250), &json!(50))
    );
    // In forty days the same credits are older.
    let at = billstack_core::time::Micros(t.now().0 + 40 * DAY);
    let later = liability(t, &format!("?at={}", rfc3339(at.0))).await;
    assert_eq!(of_side(&later, "referrer")["ages"][1]["open"], 700);
}

fn rfc3339(micros: i64) -> String {
    billstack::clock::rfc3339(micros)
}

async fn what_was_owed_stays_what_it_was(t: &Bench) {
    let before_all = rfc3339(t.now().0 - DAY);
    let [_, _, manual] = some_history(t).await;
    let given = text(&manual["createdAt"]);
    let then = liability(t, &format!("?at={given}")).await;
    t.later(DAY).await;
    move_credit(t, &manual, "settle", 250).await;
    assert_eq!(liability(t, &format!("?at={given}")).await, then);
    assert_eq!(
        liability(t, &format!("?at={before_all}")).await,
        Vec::<Value>::new()
    );
    let now = liability(t, "").await;
    assert_eq!(of_side(&now, "manual")["open"], 0);
    assert_eq!(of_side(&now, "manual")["settled"], 300);
}

async fn a_month_foots(t: &Bench) {
    let begin = rfc3339(t.now().0);
    let [_, referee, _] = some_history(t).await;
    t.later(DAY).await;
    let middle = rfc3339(t.now().0);
    t.later(DAY).await;
    move_credit(t, &referee, "settle", 500).await;
    let get = async |query: String| {
        let answer = t
            .key
            .get(&format!("referrals/roll-forward?{query}"))
            .await
            .ok();
        answer["rollForward"].as_array().expect("a list").clone()
    };
    let first = get(format!("from={begin}&to={middle}")).await;
    let part = |side: &str,
                opening: i64,
                granted: i64,
                reversed: i64,
                settled: i64,
                closing: i64| {
        json!({
            "currency": "usd", "side": side, "opening": opening, "granted": granted, "applied": 0,
            "reversed": reversed, "settled": settled, "closing": closing, "shortfall": 0, "unexplained": 0,
        })
    };
    assert_eq!(
        first,
        [
            part("manual", 0, 300, 0, 50, 250),
            part("referee", 0, 500, 0, 0, 500),
            part("referrer", 0, 1000, 300, 0, 700),
        ]
    );
    let second = get(format!("from={middle}")).await;
    assert_eq!(
        of_side(&second, "referee"),
        &part("referee", 500, 0, 0, 500, 0)
    );
    assert_eq!(
        of_side(&second, "referrer"),
        &part("referrer", 700, 0, 0, 0, 700)
    );
    // What is closed stays as it was.
    assert_eq!(get(format!("from={begin}&to={middle}")).await, first);
}

async fn a_statement_ends_in_the_balance(t: &Bench) {
    let [referrer, _, manual] = some_history(t).await;
    let customer = text(&referrer["customerId"]);
    let path = format!("customers/{customer}/credit-statement");
    let statement = t.key.get(&path).await.ok();
    assert_eq!(statement["customerId"], customer.as_str());
    let usd = &statement["statements"][0];
    assert_eq!((&usd["opening"], &usd["closing"]), (&json!(0), &json!(950)));
    let lines = usd["lines"].as_array().expect("a list");
    let told: Vec<(String, i64, i64)> = lines
        .iter()
        .map(|line| {
            let way = format!("{} to {}", text(&line["from"]), text(&line["to"]));
            (
                way,
                line["amount"].as_i64().unwrap(),
                line["balance"].as_i64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("program to customer", 1000, 1000),
        ("program to customer", 300, 1300),
        ("customer to program", -300, 1000),
        ("customer to settled", -50, 950),
    ];
    let expected = expected.map(|(way, amount, balance)| (way.to_owned(), amount, balance));
    assert_eq!(told, expected);
    let document = text(&lines[0]["document"]);
    assert!(document.starts_with("evt_"), "{document}");
    let balance = t
        .key
        .get(&format!("customers/{customer}/credit-balance"))
        .await
        .ok();
    assert_eq!(balance["balances"][0]["amount"], 950);
    let later = text(&manual["createdAt"]);
    let rest = t
        .key
        .get(&format!("{path}?from={later}&currency=USD"))
        .await
        .ok();
    assert_eq!(rest["statements"][0]["closing"], 950);
    let none = t.key.get(&format!("{path}?currency=eur")).await.ok();
    assert_eq!(none["statements"], json!([]));
    t.key
        .get("customers/pc_none/credit-statement")
        .await
        .refused("customer_not_found");
}

async fn file(t: &Bench, path: &str) -> (String, String) {
    let answer = t.key.call(reqwest::Method::GET, path).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let kind = answer.header("content-type").expect("a type").to_owned();
    (kind, answer.text)
}

async fn exports_hold_every_row_once(t: &Bench) {
    some_history(t).await;
    let customer = t.customer("eve").await;
    // With the three before, three whole pages of credits.
    let place = Place::new(t.home.team.as_str(), t.home.project.as_str());
    t.write(move |tx: &mut dyn Tx, act| {
        for _ in 0..1_497 {
            let gift = Gift {
                customer_id: customer.clone(),
                amount: Amount::new(1).expect("an amount"),
                currency: Currency::USD,
                reason: "one".to_owned(),
            };
            credit_moves::give_by_hand(tx, act, &place, &gift)?;
        }
        Ok(())
    })
    .await;
    // What one operation writes is a microsecond apart.
    t.advance(SECOND);
    let (kind, credits) = file(t, "referrals/exports/credits?format=ndjson").await;
    assert_eq!(kind, "application/x-ndjson");
    let rows: Vec<Value> = credits
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let mut ids: Vec<String> = rows.iter().map(|row| text(&row["id"])).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((rows.len(), ids.len()), (1_500, 1_500));
    let (kind, postings) = file(t, "referrals/exports/postings").await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    let mut lines = postings.split("\r\n").filter(|line| !line.is_empty());
    let names = lines.next().expect("names");
    assert_eq!(
        names,
        "id,credit,side,customer,account,amount,currency,cause,causeId,stripeObject,reason,effectiveAt,createdAt"
    );
    let amounts: Vec<i64> = lines
        .map(|l| l.split(',').nth(5).unwrap().parse().unwrap())
        .collect();
    assert_eq!(amounts.len(), 2 * 1_502);
    assert_eq!(amounts.iter().sum::<i64>(), 0);
    let (_, report) = file(t, "referrals/exports/roll-forward").await;
    assert!(report.starts_with("currency,side,opening,"), "{report}");
    assert!(
        report.contains("usd,manual,0,1797,0,0,50,1747,0,0"),
        "{report}"
    );
}

async fn a_cell_is_no_formula(t: &Bench) {
    some_history(t).await;
    let (_, postings) = file(t, "referrals/exports/postings?format=csv").await;
    assert!(postings.contains(",'=contest,"), "{postings}");
    assert!(postings.contains(",-300,"), "{postings}");
}

async fn ranges_are_read_strictly(t: &Bench) {
    let get = async |path: &str| t.key.get(path).await;
    get("referrals/liability?at=yesterday").await.invalid("at");
    let turned = "from=2031-01-02T00:00:00Z&to=2031-01-01T00:00:00Z";
    for path in [
        "referrals/roll-forward",
        "referrals/exports/credits",
        "referrals/exports/postings",
        "referrals/exports/roll-forward",
    ] {
        get(&format!("{path}?{turned}")).await.invalid("from");
        get(&format!("{path}?to=x")).await.invalid("to");
    }
    get("referrals/exports/credits?format=xlsx")
        .await
        .invalid("format");
}

async fn the_books_are_verified(t: &Bench) {
    some_history(t).await;
    let verify = async || t.key.post("referrals/verify", json!({})).await.ok();
    assert_eq!(verify().await, json!({"ok": true, "breaches": []}));
    let (_, other) = t.project("other").await;
    let damage = "UPDATE credits SET status = 'applied' WHERE kind = 'manual'";
    t.write(|tx: &mut dyn Tx, _| Ok(tx.execute(damage, &[])?))
        .await;
    let found = verify().await;
    assert_eq!(
        (&found["ok"], &found["breaches"][0]["rule"]),
        (&json!(false), &json!("credit_status"))
    );
    let reason = json!({"reason": "close of November"});
    let elsewhere = other.post("referrals/verify", reason).await.ok();
    assert_eq!(elsewhere["ok"], true);
    let mend = "UPDATE credits SET status = 'granted' WHERE kind = 'manual'";
    t.write(|tx: &mut dyn Tx, _| Ok(tx.execute(mend, &[])?))
        .await;
    t.key
        .post("referrals/verify", json!({"reason": ""}))
        .await
        .invalid("reason");
}

async fn of_another_project_nothing_is_told(t: &Bench) {
    some_history(t).await;
    let (_, other) = t.project("other").await;
    assert_eq!(
        other.get("referrals/liability").await.ok()["liability"],
        json!([])
    );
    assert_eq!(
        other.get("referrals/roll-forward").await.ok()["rollForward"],
        json!([])
    );
    let answer = other
        .call(reqwest::Method::GET, "referrals/exports/postings")
        .send()
        .await;
    assert_eq!(answer.text.lines().count(), 1);
}
