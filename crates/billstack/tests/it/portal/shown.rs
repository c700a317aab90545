//! What a customer is shown.

use std::time::Duration;

use billstack_core::time::{DAY, HOUR, SECOND};
use serde_json::{Value, json};

use super::visitor;
use crate::support::bench::Bench;
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::{Pair, apply_body, text};

on_both_engines! {
    what_was_earned_is_added_up_by_currency,
    there_are_four_states_and_the_first_says_what_is_missing,
    nothing_of_a_friend_is_told,
    a_list_goes_on_without_an_id_or_a_time,
    while_the_program_is_off_what_was_earned_stays,
}

/// A friend of the owner of a code, whom Stripe knows.
pub(super) async fn friend(t: &Bench, code: &str, name: &str) -> Pair {
    let body = json!({
        "email": format!("{name}@friends.example"), "name": format!("{name} Canaryson"),
        "externalId": format!("ext-{name}"), "stripeCustomerId": format!("cus_{name}"),
        "metadata": {"plan": format!("meta-{name}")},
    });
    let referee = text(&t.customer_with(body).await["id"]);
    t.key
        .post("referrals/apply", apply_body(code, &referee))
        .await
        .created();
    Pair {
        referrer: String::new(),
        referee,
        code: code.to_owned(),
        stripe: format!("cus_{name}"),
    }
}

async fn program(t: &Bench, change: Value) {
    let mut body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "currency": "usd",
    });
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }
    t.key.put("referrals/config", body).await.ok();
}

/// Ada, with a code and links, and a client of hers.
pub(super) async fn ada(t: &Bench) -> (String, String, KeyClient) {
    program(t, json!({})).await;
    t.connect().await;
    let ada = t.customer("ada").await;
    let code = t.code(&ada).await;
    let client = visitor(t, &ada).await;
    (ada, code, client)
}

fn money(amount: i64, currency: &str, text: &str) -> Value {
    json!({"amount": amount, "currency": currency, "text": text})
}

async fn what_was_earned_is_added_up_by_currency(t: &Bench) {
    let (_, code, client) = ada(t).await;
    let mut me = client.get("/api/portal/me").await.ok();
    let expires = me["expiresAt"].take();
    assert!(expires.is_string(), "{expires}");
    assert_eq!(
        me,
        json!({
            "code": code, "vanity": null, "shareUrl": null, "qrUrl": null,
            "offer": {
                "referrerCredit": money(1000, "usd", "10.00 USD"),
                "refereeCredit": money(500, "usd", "5.00 USD"),
            },
            "totals": [], "counts": {"friends": 0, "waiting": 0, "earned": 0},
            "readOnly": false, "allowVanity": false, "expiresAt": null,
        })
    );
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
    friend(t, &code, "gil").await;
    let hal = friend(t, &code, "hal").await;
    t.subscribe(&hal).await;
    program(t, json!({"currency": "jpy"})).await;
    friend(t, &code, "ina").await;
    let path = format!("referrals/codes/{code}");
    t.key.patch(&path, json!({"vanity": "ADA-L"})).await.ok();
    let me = client.get("/api/portal/me").await.ok();
    let base = &t.nodes[0].origin;
    assert_eq!(me["shareUrl"], format!("{base}/r/ADA-L"));
    assert_eq!(me["qrUrl"], format!("{base}/r/ADA-L/qr.svg"));
    assert_eq!(
        me["counts"],
        json!({"friends": 3, "waiting": 2, "earned": 1})
    );
    let total = |currency: &str, earned: Value, pending: Value| json!({"currency": currency, "earned": earned, "pending": pending});
    assert_eq!(
        me["totals"],
        json!([
            total(
                "jpy",
                money(0, "jpy", "0 JPY"),
                money(1000, "jpy", "1,000 JPY")
            ),
            total(
                "usd",
                money(1000, "usd", "10.00 USD"),
                money(1000, "usd", "10.00 USD")
            ),
        ])
    );
    let credits = client.get("/api/portal/credits").await.ok();
    assert_eq!(
        credits,
        json!({"credits": [{
            "kind": "friend", "state": "earned", "credit": money(1000, "usd", "10.00 USD"),
            "earnedOn": "2026-03-30", "heldUntil": null,
        }]})
    );
    // Who was brought has a welcome.
    let of_hal = visitor(t, &hal.referee).await;
    let credits = of_hal.get("/api/portal/credits").await.ok();
    assert_eq!(credits["credits"][0]["kind"], "welcome");
    assert_eq!(
        of_hal.get("/api/portal/me").await.ok()["counts"]["friends"],
        0
    );
}

/// The friends of a client, by the time they came: state, what is missing, and the reward.
async fn states(client: &KeyClient) -> Vec<(String, Value, Value)> {
    let shown = client.get("/api/portal/referrals").await.ok();
    let mut all: Vec<_> = shown["referrals"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let reward = one["reward"]["amount"].clone();
            (text(&one["state"]), one["waitingFor"].clone(), reward)
        })
        .collect();
    all.reverse();
    all
}

/// Lets time pass until the newest friend of a customer has ended.
async fn in_time_nothing_comes(t: &Bench, customer: &str) -> KeyClient {
    t.advance(DAY + HOUR);
    let client = visitor(t, customer).await;
    for _ in 0..200 {
        if states(&client).await.last().expect("a friend").0 == "ended" {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        t.advance(SECOND);
    }
    panic!("nothing ends");
}

async fn there_are_four_states_and_the_first_says_what_is_missing(t: &Bench) {
    let (ada, code, client) = ada(t).await;
    friend(t, &code, "first").await;
    program(t, json!({"conversionTrigger": "first_paid_invoice"})).await;
    friend(t, &code, "second").await;
    program(
        t,
        json!({"conversionTrigger": "subscription_created", "holdDays": 14}),
    )
    .await;
    let held = friend(t, &code, "third").await;
    t.subscribe(&held).await;
    program(t, json!({"holdDays": 0})).await;
    let earned = friend(t, &code, "fourth").await;
    t.subscribe(&earned).await;
    let taken_back = friend(t, &code, "fifth").await;
    t.subscribe(&taken_back).await;
    let credits = t.credits().await;
    let of_ada = credits.iter().find(|credit| credit["side"] == "referrer");
    let id = text(&of_ada.expect("a credit")["id"]);
    let reverse = json!({"reason": "canary reason"});
    let path = format!("referrals/credits/{id}/reverse");
    t.key.post(&path, reverse).await.ok();
    let erased = friend(t, &code, "sixth").await;
    t.erase(&erased.referee).await;
    program(t, json!({"referralExpiryDays": 1})).await;
    friend(t, &code, "seventh").await;
    let (waits, none) = (|what: &str| json!(what), Value::Null);
    let expected = |last: (&str, Value, Value)| {
        let state = |state: &str, what: Value, reward: Value| (state.to_owned(), what, reward);
        vec![
            state("waiting", waits("subscription"), json!(1000)),
            state("waiting", waits("payment"), json!(1000)),
            state("waiting", waits("hold"), json!(1000)),
            state("earned", none.clone(), json!(1000)),
            state("not_counted", none.clone(), none.clone()),
            state("ended", none.clone(), none.clone()),
            state(last.0, last.1, last.2),
        ]
    };
    let waiting = ("waiting", waits("subscription"), json!(1000));
    assert_eq!(states(&client).await, expected(waiting));
    let shown = client.get("/api/portal/referrals").await.ok();
    let shown = &shown["referrals"];
    assert_eq!(shown[4]["heldUntil"], "2026-04-13");
    assert_eq!(shown[4]["earnedOn"], "2026-03-30");
    assert_eq!(
        (&shown[1]["isFormer"], &shown[1]["name"]),
        (&json!(true), &none)
    );
    assert_eq!(shown[2]["earnedOn"], none);
    let client = in_time_nothing_comes(t, &ada).await;
    let ended = ("ended", none.clone(), none.clone());
    assert_eq!(states(&client).await, expected(ended));
    let me = client.get("/api/portal/me").await.ok();
    assert_eq!(
        me["counts"],
        json!({"friends": 7, "waiting": 3, "earned": 1})
    );
}

async fn nothing_of_a_friend_is_told(t: &Bench) {
    let (_, code, client) = ada(t).await;
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
    let gil = friend(t, &code, "gil").await;
    t.subscribe(&gil).await;
    let referral = t.key.get("referrals").await.ok();
    let referral = text(&referral["referrals"][0]["id"]);
    let credit = text(&t.credits().await[0]["id"]);
    for (names, shown) in [
        ("initial", json!("G…")),
        ("first", json!("gil")),
        ("hidden", Value::Null),
    ] {
        t.key
            .put("portal/settings", json!({"names": names}))
            .await
            .ok();
        let mut bytes = String::new();
        for path in [
            "me",
            "referrals",
            "referrals?limit=1",
            "credits",
            "credits?limit=1",
        ] {
            bytes += &client.get(&format!("/api/portal/{path}")).await.text;
        }
        for canary in [
            "friends.example",
            "Canaryson",
            "ext-gil",
            "cus_gil",
            "meta-gil",
            &gil.referee,
            &referral,
            &credit,
            "pc_",
            "ref_",
            "cr_",
            "sub_",
            "evt_",
        ] {
            assert!(!bytes.contains(canary), "{canary}: {bytes}");
        }
        assert!(!bytes.contains("12:00"), "a time: {bytes}");
        let friends = client.get("/api/portal/referrals").await.ok();
        assert_eq!(friends["referrals"][0]["name"], shown);
    }
}

async fn a_list_goes_on_without_an_id_or_a_time(t: &Bench) {
    let (_, code, client) = ada(t).await;
    for name in ["a", "b", "c", "d", "e"] {
        t.subscribe(&friend(t, &code, name).await).await;
    }
    t.key
        .put("portal/settings", json!({"names": "first"}))
        .await
        .ok();
    for list in ["referrals", "credits"] {
        let mut path = format!("/api/portal/{list}?limit=2");
        let mut pages = Vec::new();
        loop {
            let page = client.get(&path).await.ok();
            pages.push(page[list].as_array().expect("a list").clone());
            let Some(cursor) = page["nextCursor"].as_str() else {
                break;
            };
            assert!(cursor.starts_with("v1."), "{cursor}");
            path = format!("/api/portal/{list}?limit=2&cursor={cursor}");
        }
        let whole = client.get(&format!("/api/portal/{list}")).await.ok();
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(json!(pages.concat()), whole[list]);
    }
    // A place is of one list of one customer.
    let page = client.get("/api/portal/referrals?limit=2").await.ok();
    let cursor = text(&page["nextCursor"]);
    let other = visitor(t, &t.customer("bob").await).await;
    let foreign = other
        .get(&format!("/api/portal/referrals?cursor={cursor}"))
        .await;
    foreign.invalid("cursor");
    let misplaced = client
        .get(&format!("/api/portal/credits?cursor={cursor}"))
        .await;
    misplaced.invalid("cursor");
    client
        .get("/api/portal/credits?limit=101")
        .await
        .invalid("limit");
}

async fn while_the_program_is_off_what_was_earned_stays(t: &Bench) {
    let (_, code, client) = ada(t).await;
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
    t.subscribe(&friend(t, &code, "gil").await).await;
    program(t, json!({"enabled": false})).await;
    let me = client.get("/api/portal/me").await.ok();
    assert_eq!(
        (&me["offer"], &me["shareUrl"], &me["qrUrl"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(me["code"], json!(code));
    assert_eq!(me["totals"][0]["earned"]["amount"], 1000);
    assert_eq!(
        me["counts"],
        json!({"friends": 1, "waiting": 0, "earned": 1})
    );
    let friends = client.get("/api/portal/referrals").await.ok();
    assert_eq!(friends["referrals"][0]["state"], "earned");
}
