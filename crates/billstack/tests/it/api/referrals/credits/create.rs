//! `POST …/referrals/credits`.

use billstack_core::access::Scope;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    a_credit_is_given_by_hand,
    what_is_wrong_is_named_and_nothing_given,
    a_repetition_under_a_key_gives_once,
    it_needs_the_right_to_write,
}

fn body(customer: &str) -> Value {
    json!({"customerId": customer, "amount": 1200, "currency": "USD", "reason": "Contest of May"})
}

fn with(customer: &str, member: &str, value: Value) -> Value {
    let mut body = body(customer);
    body[member] = value;
    body
}

async fn a_credit_is_given_by_hand(t: &Bench) {
    let customer = t.customer("ada").await;
    let answer = t.key.post("referrals/credits", body(&customer)).await;
    let made = answer.created();
    let credit = &made["credit"];
    let id = text(&credit["id"]);
    let expected = json!({"credit": {
        "id": id, "kind": "manual", "referralId": null, "customerId": customer, "side": null,
        "amount": 1200, "currency": "usd", "status": "granted",
        "amounts": {"held": 0, "available": 1200, "delivered": 0, "applied": 0, "settled": 0, "reversed": 0,
            "shortfall": 0},
        "delivery": {"state": "none", "reason": null, "message": null, "stripeCustomerId": null,
            "transactionId": null, "attempts": 0, "nextAttemptAt": null},
        "heldUntil": null, "createdAt": credit["createdAt"],
    }});
    assert_eq!(made, expected);
    assert_eq!(
        t.key.get(&format!("referrals/credits/{id}")).await.ok(),
        expected
    );
    let list = t.key.get("referrals/credits?kind=manual").await.ok();
    assert_eq!(list["credits"], json!([expected["credit"]]));
    let balance = t.key.get(&format!("customers/{customer}/credit-balance"));
    assert_eq!(
        balance.await.ok(),
        json!({"balances": [{"currency": "usd", "amount": 1200}]})
    );
    let path = format!("referrals/credits/{id}/postings");
    let postings = t.key.get(&path).await.ok();
    let author = text(&postings["postings"][0]["causeId"]);
    assert!(author.starts_with("api_key:key_"), "{author}");
    let posting = |account: &str, amount: i64| {
        json!({
            "id": format!("{id}.1.{account}"), "account": account, "amount": amount,
            "currency": "usd", "cause": "user", "causeId": author,
            "reason": "Contest of May", "reference": null, "stripeObject": null, "effectiveAt": credit["createdAt"],
            "createdAt": credit["createdAt"],
        })
    };
    let expected = [posting("customer", 1200), posting("program", -1200)];
    assert_eq!(postings, json!({"postings": expected}));
    let first = t.key.get(&format!("{path}?limit=1")).await.ok();
    let rest = format!("{path}?limit=1&cursor={}", text(&first["nextCursor"]));
    assert_eq!(
        t.key.get(&rest).await.ok()["postings"],
        json!([expected[1]])
    );
}

async fn what_is_wrong_is_named_and_nothing_given(t: &Bench) {
    let customer = t.customer("ada").await;
    let gone = t.customer("gone").await;
    t.erase(&gone).await;
    let before = t.dump().await;
    for (member, wrong) in [
        ("amount", json!(0)),
        ("amount", json!(-5)),
        ("amount", json!(100_000_000)),
        ("amount", json!("1200")),
        ("amount", json!(null)),
        ("currency", json!("xxx")),
        ("currency", json!(null)),
        ("reason", json!("")),
        ("reason", json!("x".repeat(501))),
        ("reason", json!(null)),
        ("customerId", json!("")),
    ] {
        let answer = t
            .key
            .post("referrals/credits", with(&customer, member, wrong));
        answer.await.invalid(member);
    }
    for missing in ["customerId", "amount", "currency", "reason"] {
        let mut body = body(&customer);
        body.as_object_mut().expect("an object").remove(missing);
        t.key.post("referrals/credits", body).await.invalid(missing);
    }
    let mut unbillable = with(&customer, "currency", json!("isk"));
    unbillable["amount"] = json!(1250);
    t.key
        .post("referrals/credits", unbillable)
        .await
        .invalid("amount");
    for nobody in ["pc_unknown", gone.as_str()] {
        let answer = t.key.post("referrals/credits", body(nobody)).await;
        answer.refused("customer_not_found");
    }
    assert_eq!(t.dump().await, before);
}

async fn a_repetition_under_a_key_gives_once(t: &Bench) {
    let customer = t.customer("ada").await;
    let send = async |amount: i64| {
        let call = t.key.call(reqwest::Method::POST, "referrals/credits");
        let body = with(&customer, "amount", json!(amount));
        call.header("Idempotency-Key", "gift-1")
            .json(&body)
            .send()
            .await
    };
    let first = send(900).await.created();
    assert_eq!(send(900).await.created(), first);
    send(901).await.refused("idempotency_key_reused");
    let list = t.key.get("referrals/credits").await.ok();
    assert_eq!(list["credits"].as_array().expect("a list").len(), 1);
}

async fn it_needs_the_right_to_write(t: &Bench) {
    let customer = t.customer("ada").await;
    let scopes = [Scope::ReferralsRead, Scope::CustomersWrite];
    let (_, reader) = t.key(None, &scopes, None).await;
    let answer = reader.post("referrals/credits", body(&customer)).await;
    answer.refused("insufficient_scope");
    let (_, other) = t.project("other").await;
    let answer = other.post("referrals/credits", body(&customer)).await;
    answer.refused("customer_not_found");
}
