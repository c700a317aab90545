//! `Idempotency-Key`.

use billstack_core::time::{DAY, HOUR};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller, KeyClient};
use crate::support::fixture::{apply_body, text};

on_both_engines! {
    a_repeated_request_is_answered_alike_and_done_once,
    another_request_under_the_key_is_422,
    refusals_are_replayed,
    keys_belong_to_whoever_sends_them,
    every_write_of_a_project_takes_a_key,
    odd_keys_are_refused,
    reads_take_no_key,
    what_is_not_an_answer_is_not_kept,
    a_hundred_at_once_do_it_once,
}

async fn keyed(client: &KeyClient, key: &str, method: Method, path: &str, body: &Value) -> Answer {
    let call = client.call(method, path).header("idempotency-key", key);
    call.json(body).send().await
}

async fn apply(client: &KeyClient, key: &str, body: &Value) -> Answer {
    keyed(client, key, Method::POST, "referrals/apply", body).await
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

async fn a_repeated_request_is_answered_alike_and_done_once(t: &Bench) {
    let pair = t.pair("a").await;
    let body = apply_body(&pair.code, &pair.referee);
    let first = apply(&t.key, "k-1", &body).await;
    assert!(!replayed(&first));
    let before = t.dump().await;
    t.advance(HOUR);
    let second = apply(&t.key, "k-1", &body).await;
    assert!(replayed(&second));
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_eq!(t.dump().await, before);
}

async fn another_request_under_the_key_is_422(t: &Bench) {
    let pair = t.pair("a").await;
    let other = t.customer("other").await;
    apply(&t.key, "k", &apply_body(&pair.code, &pair.referee))
        .await
        .created();
    let answer = apply(&t.key, "k", &apply_body(&pair.code, &other)).await;
    assert_eq!(answer.status, 422);
    answer.refused("idempotency_key_reused");
    let path = format!("referrals/codes/{}", pair.code);
    let delete = |key| {
        t.key
            .call(Method::DELETE, &path)
            .header("idempotency-key", key)
    };
    delete("k").send().await.refused("idempotency_key_reused");
    let code = t.key.get(&path).await.ok();
    assert_eq!(code["code"]["isActive"], true);
    // A body that nobody asked for is a part of the request all the same.
    let first = delete("d").json(&json!({})).send().await.ok();
    let second = delete("d").json(&json!({})).send().await;
    assert!(replayed(&second));
    assert_eq!(second.ok(), first);
    delete("d").send().await.refused("idempotency_key_reused");
}

async fn refusals_are_replayed(t: &Bench) {
    let pair = t.pair("a").await;
    t.put_program(&t.key, false, 0, 0).await;
    let body = apply_body(&pair.code, &pair.referee);
    let first = apply(&t.key, "k", &body).await;
    t.program(1, 1).await;
    let second = apply(&t.key, "k", &body).await;
    assert!(replayed(&second));
    assert_eq!(first.text, second.text);
    second.refused("referrals_disabled");
    apply(&t.key, "k-2", &body).await.created();
}

async fn keys_belong_to_whoever_sends_them(t: &Bench) {
    let pair = t.pair("a").await;
    let body = apply_body(&pair.code, &pair.referee);
    apply(&t.key, "k", &body).await.created();
    let (_, other) = t.key(None, &[], None).await;
    let answer = apply(&other, "k", &body).await;
    assert!(!replayed(&answer));
    answer.refused("already_referred");
    let stranger = t.tenant("stranger").await;
    let answer = apply(&stranger.key, "k", &body).await;
    assert!(!replayed(&answer));
    assert_eq!(answer.status, 404);
    let call = t
        .owner
        .call(Method::POST, "referrals/apply")
        .header("idempotency-key", "k");
    call.json(&body).send().await.refused("already_referred");
}

async fn every_write_of_a_project_takes_a_key(t: &Bench) {
    t.program(1, 1).await;
    let customer = json!({"email": "ada@example.com"});
    let first = keyed(&t.key, "1", Method::POST, "customers", &customer).await;
    let id = text(&first.created()["customer"]["id"]);
    let path = format!("customers/{id}");
    let config = json!({"enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1});
    let calls = [
        ("1", Method::POST, "customers".to_owned(), customer),
        ("2", Method::PATCH, path.clone(), json!({"name": "Ada"})),
        ("3", Method::PUT, "referrals/config".to_owned(), config),
        (
            "4",
            Method::POST,
            "referrals/codes".to_owned(),
            json!({"customerId": id}),
        ),
        ("5", Method::DELETE, path, json!({})),
    ];
    for (key, method, path, body) in calls {
        let first = keyed(&t.key, key, method.clone(), &path, &body).await;
        let second = keyed(&t.key, key, method, &path, &body).await;
        if path.starts_with("customers/") && key == "5" {
            // The answer goes with the person; or it names nobody and may stay.
            assert!(matches!(second.status, 200 | 404), "{second:?}");
            continue;
        }
        assert!(first.status < 300, "{first:?}");
        assert!(replayed(&second), "{second:?}");
        assert_eq!(first.text, second.text);
    }
}

async fn odd_keys_are_refused(t: &Bench) {
    let body = json!({"email": "ada@example.com"});
    let long = "k".repeat(256);
    for odd in ["", long.as_str(), "caf\u{e9}"] {
        let answer = keyed(&t.key, odd, Method::POST, "customers", &body).await;
        answer.invalid("Idempotency-Key");
    }
    let call = t
        .key
        .call(Method::POST, "customers")
        .header("idempotency-key", "a");
    let answer = call.header("idempotency-key", "b").json(&body).send().await;
    answer.invalid("Idempotency-Key");
    let longest = "k".repeat(255);
    let answer = keyed(&t.key, &longest, Method::POST, "customers", &body).await;
    answer.created();
}

async fn reads_take_no_key(t: &Bench) {
    for _ in 0..2 {
        let call = t
            .key
            .call(Method::GET, "customers")
            .header("idempotency-key", "k");
        let answer = call.send().await;
        assert!(!replayed(&answer));
        answer.ok();
    }
    t.key.get("customers").await.ok();
    assert_eq!(t.count("idempotency_keys").await, 0);
}

async fn what_is_not_an_answer_is_not_kept(t: &Bench) {
    let pair = t.pair("a").await;
    let body = apply_body(&pair.code, &pair.referee);
    let nobody = t.nobody.call(Method::POST, "referrals/apply");
    let nobody = nobody
        .header("idempotency-key", "k")
        .json(&body)
        .send()
        .await;
    nobody.refused("unauthenticated");
    apply(&t.key, "k", &body).await.created();
    // A key is good for a day, give or take how often the job runs.
    t.advance(3 * DAY);
    let answer = apply(&t.key, "k", &body).await;
    assert!(matches!(answer.status, 201 | 409), "{answer:?}");
}

async fn a_hundred_at_once_do_it_once(t: &Bench) {
    let pair = t.pair("a").await;
    let body = apply_body(&pair.code, &pair.referee);
    let call = |_| {
        let call = t.key.call(Method::POST, "referrals/apply");
        call.header("idempotency-key", "k").json(&body).send()
    };
    let answers = Bench::at_once((0..100).map(call)).await;
    let fresh = answers
        .iter()
        .filter(|a| a.status == 201 && !replayed(a))
        .count();
    assert_eq!(fresh, 1);
    for answer in answers {
        if answer.status != 201 {
            answer.refused("idempotency_key_in_use");
        }
    }
    assert_eq!(t.count("referrals").await, 1);
}
