//! `POST …/referrals/credits/{id}/reverse`, `settle` and `release`.

use billstack_core::access::Scope;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    a_credit_is_taken_back_in_parts,
    a_credit_is_settled_in_parts,
    the_state_forbids_before_the_amount_does,
    wrong_members_are_named,
    a_move_is_told_with_its_author,
    a_repetition_under_a_key_moves_once,
    moves_need_the_right_and_the_project,
}

/// Gives a credit of 1000 and returns its path.
async fn given(t: &Bench, currency: &str) -> (String, String) {
    let customer = t.customer(&format!("of-{currency}")).await;
    let body = json!({
        "customerId": customer, "amount": 1000, "currency": currency, "reason": "Contest",
    });
    let made = t.key.post("referrals/credits", body).await.created();
    let path = format!("referrals/credits/{}", text(&made["credit"]["id"]));
    (customer, path)
}

fn part(amount: i64) -> Value {
    json!({"amount": amount, "reason": "because"})
}

fn all() -> Value {
    json!({"reason": "because"})
}

/// Available, settled and reversed.
fn amounts(answer: &Value) -> [i64; 3] {
    let of = |part: &str| {
        answer["credit"]["amounts"][part]
            .as_i64()
            .expect("an amount")
    };
    [of("available"), of("settled"), of("reversed")]
}

async fn balance(t: &Bench, customer: &str) -> Value {
    let path = format!("customers/{customer}/credit-balance");
    t.key.get(&path).await.ok()["balances"][0]["amount"].take()
}

async fn a_credit_is_taken_back_in_parts(t: &Bench) {
    let (customer, path) = given(t, "usd").await;
    let reverse = format!("{path}/reverse");
    let answer = t.key.post(&reverse, part(300)).await.ok();
    assert_eq!(amounts(&answer), [700, 0, 300]);
    assert_eq!(answer["credit"]["status"], "partially_reversed");
    assert_eq!(balance(t, &customer).await, 700);
    let answer = t.key.post(&reverse, all()).await.ok();
    assert_eq!(amounts(&answer), [0, 0, 1000]);
    assert_eq!(answer["credit"]["status"], "reversed");
    assert_eq!(answer["credit"]["amount"], 1000);
    assert_eq!(t.key.get(&path).await.ok(), answer);
    assert_eq!(balance(t, &customer).await, 0);
    let list = t.key.get("referrals/credits?status=reversed").await.ok();
    assert_eq!(list["credits"], json!([answer["credit"]]));
}

async fn a_credit_is_settled_in_parts(t: &Bench) {
    let (customer, path) = given(t, "usd").await;
    let mut body = part(400);
    body["reference"] = json!("PAY-118");
    let answer = t.key.post(&format!("{path}/settle"), body).await.ok();
    assert_eq!(amounts(&answer), [600, 400, 0]);
    assert_eq!(answer["credit"]["status"], "granted");
    let answer = t.key.post(&format!("{path}/reverse"), part(100)).await.ok();
    assert_eq!(amounts(&answer), [500, 400, 100]);
    let answer = t.key.post(&format!("{path}/settle"), all()).await.ok();
    assert_eq!(amounts(&answer), [0, 900, 100]);
    assert_eq!(answer["credit"]["status"], "partially_reversed");
    assert_eq!(balance(t, &customer).await, 0);
    let postings = t.key.get(&format!("{path}/postings")).await.ok();
    let postings = postings["postings"].as_array().expect("a list");
    let shown: Vec<_> = postings
        .iter()
        .map(|p| (text(&p["account"]), p["amount"].as_i64().expect("units")))
        .collect();
    let expected = [
        ("customer", 1000),
        ("program", -1000),
        ("customer", -400),
        ("settled", 400),
        ("customer", -100),
        ("program", 100),
        ("customer", -500),
        ("settled", 500),
    ];
    assert_eq!(
        shown,
        expected.map(|(account, units)| (account.to_owned(), units))
    );
    assert_eq!(postings[3]["reference"], "PAY-118");
    assert_eq!(postings[5]["reason"], "because");
}

async fn the_state_forbids_before_the_amount_does(t: &Bench) {
    let (_, path) = given(t, "usd").await;
    let (reverse, settle) = (format!("{path}/reverse"), format!("{path}/settle"));
    let release = format!("{path}/release");
    for path in [&reverse, &settle] {
        let answer = t.key.post(path, part(1001)).await;
        let refused = answer.refused("amount_exceeds_credit");
        assert_eq!(refused["field"], "amount");
    }
    t.key
        .post(&release, all())
        .await
        .refused("illegal_transition");
    t.key.post(&reverse, all()).await.ok();
    let before = t.dump().await;
    for path in [&reverse, &settle] {
        t.key
            .post(path, part(2000))
            .await
            .refused("illegal_transition");
        t.key.post(path, all()).await.refused("illegal_transition");
    }
    for verb in ["release", "reverse", "settle"] {
        let answer = t
            .key
            .post(&format!("referrals/credits/cr_unknown/{verb}"), all());
        answer.await.refused("credit_not_found");
    }
    assert_eq!(t.dump().await, before);
}

async fn wrong_members_are_named(t: &Bench) {
    let (_, path) = given(t, "isk").await;
    let before = t.dump().await;
    for verb in ["release", "reverse", "settle"] {
        let path = format!("{path}/{verb}");
        t.key.post(&path, json!({})).await.invalid("reason");
        let long = json!({"reason": "x".repeat(501)});
        t.key.post(&path, long).await.invalid("reason");
        t.key
            .post(&path, json!({"reason": 5}))
            .await
            .invalid("reason");
    }
    for verb in ["reverse", "settle", "release"] {
        let path = format!("{path}/{verb}");
        for wrong in [
            json!(0),
            json!(-1),
            json!("100"),
            json!(0.5),
            json!(100_000_000),
        ] {
            let body = json!({"amount": wrong, "reason": "x"});
            t.key.post(&path, body).await.invalid("amount");
        }
    }
    // Stripe bills whole hundreds of it.
    for verb in ["reverse", "settle"] {
        let path = format!("{path}/{verb}");
        t.key.post(&path, part(150)).await.invalid("amount");
    }
    let body = json!({"reason": "x", "reference": ""});
    let answer = t.key.post(&format!("{path}/settle"), body).await;
    answer.invalid("reference");
    assert_eq!(t.dump().await, before);
    t.key.post(&format!("{path}/settle"), part(100)).await.ok();
}

async fn a_move_is_told_with_its_author(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    let credits = t.credits().await;
    let credit = credits.iter().find(|credit| credit["side"] == "referrer");
    let id = text(&credit.expect("a credit")["id"]);
    let path = format!("referrals/credits/{id}");
    t.key.post(&format!("{path}/reverse"), part(300)).await.ok();
    t.owner
        .post(&format!("{path}/settle"), part(200))
        .await
        .ok();
    let story = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    let story = story["events"].as_array().expect("a list");
    let told: Vec<_> = story.iter().rev().take(2).collect();
    let facts = |amount: i64, available: i64, settled: i64| {
        json!({
            "amount": amount, "creditId": id, "currency": "usd", "reason": "because",
            "status": "partially_reversed",
            "amounts": {
                "held": 0, "available": available, "delivered": 0, "applied": 0, "settled": settled,
                "reversed": 300, "shortfall": 0,
            },
        })
    };
    assert_eq!(
        (&told[1]["type"], &told[1]["facts"]),
        (&json!("credit.reversed"), &facts(300, 700, 0))
    );
    assert_eq!(
        (&told[0]["type"], &told[0]["facts"]),
        (&json!("credit.settled"), &facts(200, 500, 200))
    );
    assert!(text(&told[1]["actor"]).starts_with("api_key:key_"));
    let postings = t.key.get(&format!("{path}/postings")).await.ok();
    let postings = postings["postings"].as_array().expect("a list");
    assert_eq!(postings[0]["cause"], "event");
    assert_eq!(postings[2]["causeId"], told[1]["actor"]);
    assert_eq!(postings[4]["causeId"], told[0]["actor"]);
    assert!(text(&told[0]["actor"]).starts_with("user:usr_"));
}

async fn a_repetition_under_a_key_moves_once(t: &Bench) {
    let (_, path) = given(t, "usd").await;
    let send = async |verb: &str, key: &str| {
        let call = t.key.call(reqwest::Method::POST, &format!("{path}/{verb}"));
        call.header("Idempotency-Key", key)
            .json(&part(300))
            .send()
            .await
    };
    let first = send("reverse", "r-1").await.ok();
    assert_eq!(send("reverse", "r-1").await.ok(), first);
    let settled = send("settle", "s-1").await.ok();
    assert_eq!(send("settle", "s-1").await.ok(), settled);
    assert_eq!(amounts(&t.key.get(&path).await.ok()), [400, 300, 300]);
}

async fn moves_need_the_right_and_the_project(t: &Bench) {
    let (_, path) = given(t, "usd").await;
    let (_, reader) = t.key(None, &[Scope::ReferralsRead], None).await;
    let (_, other) = t.project("other").await;
    for verb in ["release", "reverse", "settle"] {
        let path = format!("{path}/{verb}");
        reader
            .post(&path, all())
            .await
            .refused("insufficient_scope");
        other.post(&path, all()).await.refused("credit_not_found");
    }
    let path = format!("{path}/postings");
    assert_eq!(
        reader.get(&path).await.ok()["postings"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    other.get(&path).await.refused("credit_not_found");
}
