//! Credits of a program with a hold.

use std::time::Duration;

use billstack_core::time::DAY;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    a_hold_ends_by_itself,
    a_hold_is_ended_by_hand,
    what_is_held_is_taken_back_first,
    a_hold_is_promised_when_the_code_is_applied,
}

async fn hold(t: &Bench, days: i64) {
    let body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "holdDays": days,
    });
    t.key.put("referrals/config", body).await.ok();
}

/// A converted referral of a program that holds for so many days; both credits, the referrer's first.
async fn converted(t: &Bench, days: i64) -> [Value; 2] {
    let pair = t.pair("a").await;
    hold(t, days).await;
    let referral = t.apply(&pair).await;
    assert_eq!(referral["terms"]["holdDays"], days);
    t.subscribe(&pair).await;
    let credits = t.credits().await;
    ["referrer", "referee"].map(|side| {
        let credit = credits.iter().find(|credit| credit["side"] == side);
        credit.expect("a credit of each side").clone()
    })
}

async fn now(t: &Bench, credit: &Value) -> Value {
    let path = format!("referrals/credits/{}", text(&credit["id"]));
    t.key.get(&path).await.ok()["credit"].take()
}

async fn balances(t: &Bench, credit: &Value) -> Value {
    let path = format!("customers/{}/credit-balance", text(&credit["customerId"]));
    t.key.get(&path).await.ok()["balances"].take()
}

async fn a_hold_ends_by_itself(t: &Bench) {
    let [referrer, referee] = converted(t, 5).await;
    for credit in [&referrer, &referee] {
        assert_eq!(credit["status"], "held");
        assert_eq!(credit["amounts"]["held"], credit["amount"]);
        assert_eq!(credit["amounts"]["available"], 0);
        assert_eq!(balances(t, credit).await[0]["amount"], 0);
    }
    let until = text(&referrer["heldUntil"]);
    assert_eq!(referee["heldUntil"], until.as_str());
    t.later(5 * DAY).await;
    let path = format!("referrals/credits/{}", text(&referrer["id"]));
    let mut now = now(t, &referrer).await;
    for _ in 0..200 {
        if now["status"] != "held" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        now = t.key.get(&path).await.ok()["credit"].take();
    }
    assert_eq!(now["status"], "granted", "nobody ended the hold");
    assert_eq!(now["amounts"]["available"], 1000);
    assert_eq!(now["heldUntil"], until.as_str());
    assert_eq!(balances(t, &now).await[0]["amount"], 1000);
    let postings = t.key.get(&format!("{path}/postings")).await.ok();
    let ended = &postings["postings"][2];
    assert_eq!(
        (&ended["cause"], &ended["causeId"]),
        (&json!("job"), &json!("end_of_hold"))
    );
    assert_eq!(ended["effectiveAt"], until.as_str());
    let story = format!("referrals/{}/events", text(&now["referralId"]));
    let story = t.key.get(&story).await.ok();
    let told = story["events"].as_array().expect("a list");
    let released = told
        .iter()
        .filter(|event| event["type"] == "credit.released");
    assert!(released.count() >= 1);
}

async fn a_hold_is_ended_by_hand(t: &Bench) {
    let [referrer, referee] = converted(t, 30).await;
    let path = format!("referrals/credits/{}", text(&referrer["id"]));
    let settle = format!("{path}/settle");
    let why = json!({"reason": "A friend of the house"});
    t.key
        .post(&settle, why.clone())
        .await
        .refused("illegal_transition");
    let release = format!("{path}/release");
    let part = json!({"reason": "A first part", "amount": 300});
    let answer = t.key.post(&release, part).await.ok();
    assert_eq!(answer["credit"]["status"], "held");
    assert_eq!(answer["credit"]["amounts"]["available"], 300);
    let answer = t.key.post(&release, why.clone()).await.ok();
    assert_eq!(answer["credit"]["status"], "granted");
    assert_eq!(answer["credit"]["amounts"]["available"], 1000);
    t.key
        .post(&release, why.clone())
        .await
        .refused("illegal_transition");
    t.key.post(&settle, why).await.ok();
    assert_eq!(now(t, &referee).await["status"], "held");
}

async fn what_is_held_is_taken_back_first(t: &Bench) {
    let [referrer, referee] = converted(t, 30).await;
    for (credit, amount) in [(&referrer, Some(400)), (&referee, None)] {
        let path = format!("referrals/credits/{}/reverse", text(&credit["id"]));
        let mut body = json!({"reason": "Fraud"});
        if let Some(amount) = amount {
            body["amount"] = json!(amount);
        }
        t.key.post(&path, body).await.ok();
    }
    let left = now(t, &referrer).await;
    assert_eq!(
        (&left["status"], &left["amounts"]["held"]),
        (&json!("held"), &json!(600))
    );
    assert_eq!(now(t, &referee).await["status"], "reversed");
    // Only the one that is still held is waited for.
    let waiting = "SELECT COUNT(*) FROM work WHERE kind = 'end_of_hold'";
    let rows = t
        .write(move |tx, _| Ok(tx.one(waiting, &[], |row| row.int(0))?))
        .await;
    assert_eq!(rows, Some(1));
}

async fn a_hold_is_promised_when_the_code_is_applied(t: &Bench) {
    let pair = t.pair("a").await;
    let referral = t.apply(&pair).await;
    assert_eq!(referral["terms"]["holdDays"], 0);
    hold(t, 60).await;
    t.subscribe(&pair).await;
    for credit in t.credits().await {
        assert_eq!(
            (&credit["status"], &credit["heldUntil"]),
            (&json!("granted"), &Value::Null)
        );
    }
}
