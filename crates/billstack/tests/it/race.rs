//! Many at once: whatever the interleaving, one outcome, and nothing lost.

use billstack_store::api_keys;
use fake_stripe::{EventOptions, body, event, sign};
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller, KeyClient};
use crate::support::fixture::{apply_body, pluck, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    two_hundred_applies_of_one_referee,
    fifty_applies_by_different_codes,
    a_hundred_deliveries_of_one_event,
    an_apply_and_its_webhook_lose_nothing,
    a_link_and_its_webhook_lose_nothing,
    fifty_codes_at_once,
    fifty_customers_of_one_address_at_once,
    deactivating_while_applying,
    erasing_while_making_a_code,
    erasing_whom_a_refusal_shows,
    config_changes_while_applying,
}

behind_a_pooler! {
    two_hundred_applies_of_one_referee,
    a_hundred_deliveries_of_one_event,
    an_apply_and_its_webhook_lose_nothing,
    a_link_and_its_webhook_lose_nothing,
    config_changes_while_applying,
}

/// How many answers are this status; every other must be this refusal.
fn count(answers: Vec<Answer>, status: u16, refusal: &str) -> usize {
    let (good, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == status);
    for answer in refused {
        answer.refused(refusal);
    }
    good.len()
}

async fn two_hundred_applies_of_one_referee(t: &Bench) {
    let pair = t.pair("a").await;
    let body = apply_body(&pair.code, &pair.referee);
    let calls = (0..200).map(|_| t.key.post("referrals/apply", body.clone()));
    let answers = Bench::at_once(calls).await;
    let ids: std::collections::BTreeSet<_> = answers
        .iter()
        .map(|answer| text(&answer.json()["referral"]["id"]))
        .collect();
    assert_eq!(ids.len(), 1, "each refusal holds the one referral");
    assert_eq!(count(answers, 201, "already_referred"), 1);
    assert_eq!(t.count("referrals").await, 1);
}

async fn fifty_applies_by_different_codes(t: &Bench) {
    t.program(1, 1).await;
    let referee = t.customer("referee").await;
    let mut codes = Vec::new();
    for number in 0..50 {
        codes.push(t.code(&t.customer(&format!("r{number}")).await).await);
    }
    let calls = codes
        .iter()
        .map(|code| t.key.post("referrals/apply", apply_body(code, &referee)));
    let answers = Bench::at_once(calls).await;
    assert_eq!(count(answers, 201, "already_referred"), 1);
    assert_eq!(t.count("referrals").await, 1);
}

async fn a_hundred_deliveries_of_one_event(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    let answers = Bench::at_once((0..100).map(|_| t.deliver(&event))).await;
    for answer in answers {
        assert_eq!(answer.ok(), json!({"received": true}));
    }
    assert_converted_once(t, &referral).await;
    assert_eq!(t.count("stripe_events").await, 1);
}

async fn assert_converted_once(t: &Bench, referral: &str) {
    assert_eq!(t.status(referral).await, "converted");
    let path = format!("referrals/credits?referralId={referral}");
    let credits = t.key.get(&path).await.ok();
    let mut sides = pluck(&credits["credits"], "side");
    sides.sort();
    assert_eq!(sides, ["referee", "referrer"]);
    let story = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    let kinds = pluck(&story["events"], "type");
    let conversions = kinds.iter().filter(|kind| *kind == "referral.converted");
    assert_eq!(conversions.count(), 1, "{kinds:?}");
}

const ROUNDS: usize = 120;

async fn an_apply_and_its_webhook_lose_nothing(t: &Bench) {
    t.program(1000, 500).await;
    t.connect().await;
    let code = t.code(&t.customer("referrer").await).await;
    for round in 0..ROUNDS {
        let stripe = format!("cus_{round}");
        let referee = t.linked(&format!("r{round}"), &stripe).await;
        let apply = t.key.post("referrals/apply", apply_body(&code, &referee));
        let deliver = t.deliver(&t.created(&stripe));
        // Sometimes one has a head start, sometimes the other.
        let (applied, delivered) = if round % 2 == 0 {
            tokio::join!(tokio::spawn(apply), tokio::spawn(deliver))
        } else {
            let (delivered, applied) = tokio::join!(tokio::spawn(deliver), tokio::spawn(apply));
            (applied, delivered)
        };
        delivered.expect("an answer").ok();
        let answer = applied.expect("an answer").created();
        assert_converted_once(t, &text(&answer["referral"]["id"])).await;
    }
}

async fn a_link_and_its_webhook_lose_nothing(t: &Bench) {
    t.program(1000, 500).await;
    t.connect().await;
    let code = t.code(&t.customer("referrer").await).await;
    for round in 0..ROUNDS / 2 {
        let stripe = format!("cus_{round}");
        let referee = t.customer(&format!("r{round}")).await;
        let answer = t
            .key
            .post("referrals/apply", apply_body(&code, &referee))
            .await;
        let referral = text(&answer.created()["referral"]["id"]);
        let link = json!({"stripeCustomerId": stripe});
        let link = t.key.patch(&format!("customers/{referee}"), link);
        let session = t.session(&stripe).client_reference_id(&referee);
        let session = t.event("checkout.session.completed", &session);
        let events = [t.created(&stripe), session].map(|event| t.deliver(&event));
        let [first, second] = events.map(tokio::spawn);
        let (linked, first, second) = tokio::join!(tokio::spawn(link), first, second);
        linked.expect("an answer").ok();
        first.expect("an answer").ok();
        second.expect("an answer").ok();
        assert_converted_once(t, &referral).await;
    }
}

async fn fifty_codes_at_once(t: &Bench) {
    let customer = t.customer("ada").await;
    let body = json!({"customerId": customer});
    let calls = (0..50).map(|_| t.key.post("referrals/codes", body.clone()));
    let answers = Bench::at_once(calls).await;
    let codes: std::collections::BTreeSet<_> = answers
        .iter()
        .map(|answer| text(&answer.json()["code"]["code"]))
        .collect();
    assert_eq!(codes.len(), 1);
    assert_eq!(count(answers, 201, "active_code_exists"), 1);
    assert_eq!(t.count("codes").await, 1);
}

async fn fifty_customers_of_one_address_at_once(t: &Bench) {
    let body = json!({"email": "ada@example.com"});
    let calls = (0..50).map(|_| t.key.post("customers", body.clone()));
    assert_eq!(
        count(Bench::at_once(calls).await, 201, "customer_exists"),
        1
    );
    assert_eq!(t.count("customers").await, 1);
}

async fn deactivating_while_applying(t: &Bench) {
    t.program(1, 1).await;
    for round in 0..10 {
        let code = t.code(&t.customer(&format!("owner{round}")).await).await;
        let mut referees = Vec::new();
        for number in 0..8 {
            referees.push(t.customer(&format!("r{round}-{number}")).await);
        }
        let path = format!("referrals/codes/{code}");
        let off = tokio::spawn(t.key.delete(&path));
        let applies = referees
            .iter()
            .map(|referee| t.key.post("referrals/apply", apply_body(&code, referee)));
        let answers = Bench::at_once(applies).await;
        off.await.expect("an answer").ok();
        let applied = count(answers, 201, "code_inactive");
        let history = t.key.get(&path).await.ok();
        assert_eq!(history["referrals"].as_array().map(Vec::len), Some(applied));
        let late = t.customer(&format!("late{round}")).await;
        let answer = t
            .key
            .post("referrals/apply", apply_body(&code, &late))
            .await;
        answer.refused("code_inactive");
    }
}

async fn erasing_while_making_a_code(t: &Bench) {
    for round in 0..20 {
        let customer = t.customer(&format!("c{round}")).await;
        let make = t
            .key
            .post("referrals/codes", json!({"customerId": customer}));
        let erase = t.key.delete(&format!("customers/{customer}"));
        let (made, erased) = tokio::join!(tokio::spawn(make), tokio::spawn(erase));
        erased.expect("an answer").ok();
        let made = made.expect("an answer");
        if made.status != 201 {
            made.refused("customer_not_found");
        }
    }
    let active = t.key.get("referrals/codes").await.ok();
    assert_eq!(active, json!({"codes": []}), "nobody is left to have one");
}

/// What was kept for a repetition goes with the person, whichever came first.
async fn erasing_whom_a_refusal_shows(t: &Bench) {
    for round in 0..40 {
        let name = format!("person{round}");
        let path = format!("customers/{}", t.customer(&name).await);
        let body = json!({"email": format!("{name}@example.com")});
        let call = |number: usize| {
            let call = t.key.call(reqwest::Method::POST, "customers");
            let call = call.header("idempotency-key", &format!("{round}-{number}"));
            call.json(&body).send()
        };
        let calls: Vec<_> = (0..6).map(|number| tokio::spawn(call(number))).collect();
        let erase = tokio::spawn(t.key.delete(&path));
        let calls = calls
            .into_iter()
            .chain((6..12).map(|number| tokio::spawn(call(number))));
        let calls: Vec<_> = calls.collect();
        erase.await.expect("an answer").ok();
        let mut answers = Vec::new();
        for answer in calls {
            answers.push(answer.await.expect("an answer"));
        }
        assert!(count(answers, 201, "customer_exists") <= 1);
        for number in 0..12 {
            let again = call(number).await;
            let shown = again.json()["customer"]["name"].take();
            assert_eq!(shown, serde_json::Value::Null, "{again:?}");
        }
    }
}

async fn config_changes_while_applying(t: &Bench) {
    t.program(10, 10).await;
    let code = t.code(&t.customer("owner").await).await;
    let mut referees = Vec::new();
    for number in 0..40 {
        referees.push(t.customer(&format!("r{number}")).await);
    }
    let changes = (0..40).map(|number| {
        let amount = if number % 2 == 0 { 20 } else { 10 };
        t.key.put(
            "referrals/config",
            json!({
                "enabled": true, "referrerCreditAmount": amount, "refereeCreditAmount": amount,
            }),
        )
    });
    let changes: Vec<_> = changes.map(tokio::spawn).collect();
    let applies = referees
        .iter()
        .map(|referee| t.key.post("referrals/apply", apply_body(&code, referee)));
    for answer in Bench::at_once(applies).await {
        let terms = answer.created()["referral"]["terms"].take();
        assert_eq!(terms["referrerCreditAmount"], terms["refereeCreditAmount"]);
    }
    for change in changes {
        change.await.expect("an answer").ok();
    }
}

on_two_nodes! {
    shared,
    raced,
}

/// The usual key on the second server.
fn second(t: &Bench) -> KeyClient {
    t.key.over(&t.key.wire().at(&t.nodes[1].origin))
}

async fn shared(t: &Bench) {
    let other = second(t);
    let (pair, referral) = t.pending("a").await;
    let seen = other.get(&format!("referrals/{referral}")).await.ok();
    assert_eq!(seen["referral"]["status"], "pending");
    // Stripe reaches the second server, whose key to the secrets is the same.
    let bytes = body(&t.created(&pair.stripe));
    let signature = sign(&bytes, SECRET, t.seconds());
    let call = other.call(reqwest::Method::POST, &t.webhook());
    let call = call
        .header("stripe-signature", &signature)
        .body("application/json", bytes);
    call.send().await.ok();
    assert_eq!(t.status(&referral).await, "converted");
    // A key revoked on one is refused by the next request on the other.
    let (id, key) = t.key(None, &[], None).await;
    let there = key.over(other.wire());
    there.get("referrals").await.ok();
    let path = t.home.path(&format!("api-keys/{id}"));
    t.owner.delete(&path).await.ok();
    there.get("referrals").await.refused("api_key_revoked");
    // So is a session.
    let elsewhere = t.owner.over(other.wire());
    elsewhere.get("referrals").await.ok();
    t.owner.post("/api/auth/sign-out", json!({})).await.ok();
    assert_eq!(elsewhere.get("referrals").await.status, 401);
    let team = t.home.team_id();
    t.write(move |tx, act| api_keys::revoke(tx, act, &team, &id))
        .await;
}

async fn raced(t: &Bench) {
    let other = second(t);
    let pair = t.pair("a").await;
    let body_of = apply_body(&pair.code, &pair.referee);
    let calls = (0..200).map(|number| {
        let client = if number % 2 == 0 { &t.key } else { &other };
        client.post("referrals/apply", body_of.clone())
    });
    assert_eq!(
        count(Bench::at_once(calls).await, 201, "already_referred"),
        1
    );

    let options = EventOptions::at(t.seconds());
    let event = event(
        "customer.subscription.created",
        &t.subscription(&pair.stripe),
        &options,
    );
    let bytes = body(&event);
    let signature = sign(&bytes, SECRET, t.seconds());
    let calls = (0..100).map(|number| {
        let client = if number % 2 == 0 { &t.key } else { &other };
        let call = client.call(reqwest::Method::POST, &t.webhook());
        let call = call.header("stripe-signature", &signature);
        call.body("application/json", bytes.clone()).send()
    });
    for answer in Bench::at_once(calls).await {
        answer.ok();
    }
    let list = t.key.get("referrals").await.ok();
    assert_converted_once(t, &text(&list["referrals"][0]["id"])).await;

    for round in 0..100 {
        let stripe = format!("cus_{round}");
        let referee = t.linked(&format!("r{round}"), &stripe).await;
        let apply = tokio::spawn(other.post("referrals/apply", apply_body(&pair.code, &referee)));
        let deliver = tokio::spawn(t.deliver(&t.created(&stripe)));
        let (applied, delivered) = tokio::join!(apply, deliver);
        delivered.expect("an answer").ok();
        let answer = applied.expect("an answer").created();
        assert_converted_once(t, &text(&answer["referral"]["id"])).await;
    }
}
