//! `GET /api/public/…/offer`.

use billstack_core::time::DAY;
use reqwest::Method;
use serde_json::{Value, json};

use crate::links::{follow, open};
use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;

on_both_engines! {
    who_comes_by_a_code_or_a_click_is_told_what_they_get,
    what_promises_nothing_looks_alike,
    the_name_is_told_where_the_project_lets_it,
    only_allowed_origins_may_read,
    an_address_misses_twenty_times_a_minute with behind_a_proxy,
}

fn behind_a_proxy() -> Setup {
    Setup {
        settings: |args| args.trust_forwarded_for = Some("true".to_owned()),
        ..Setup::default()
    }
}

fn path(t: &Bench, query: &str) -> String {
    let (team, project) = (&t.home.team, &t.home.project);
    format!("/api/public/teams/{team}/projects/{project}/offer?{query}")
}

async fn ask(t: &Bench, query: &str) -> Answer {
    t.nobody.get(&path(t, query)).await
}

fn offer(code: &str, name: Value) -> Value {
    json!({"offer": {
        "valid": true, "code": code, "referrerName": name,
        "refereeCredit": {"amount": 500, "currency": "usd", "text": "5.00 USD"},
    }})
}

async fn who_comes_by_a_code_or_a_click_is_told_what_they_get(t: &Bench) {
    let (code, _) = open(t).await;
    let asked = ask(t, &format!("code={}", code.to_lowercase())).await;
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    assert_eq!(asked.ok(), offer(&code, Value::Null));
    let path = format!("referrals/codes/{code}");
    t.key.patch(&path, json!({"vanity": "Ada-L"})).await.ok();
    for query in [format!("code={code}"), "code=ada_l".to_owned()] {
        assert_eq!(ask(t, &query).await.ok(), offer("ADA-L", Value::Null));
    }
    let click = follow(t, &format!("/r/{code}")).await.brings("ref_click");
    let click = click.expect("a token");
    let by_click = ask(t, &format!("clickToken={click}")).await.ok();
    assert_eq!(by_click, offer("ADA-L", Value::Null));
    // What was typed comes first.
    let both = ask(t, &format!("code=ZZZZZZZZ&clickToken={click}")).await;
    assert_eq!(both.ok(), json!({"offer": {"valid": false}}));
    t.advance(61 * DAY);
    let late = ask(t, &format!("clickToken={click}")).await;
    assert_eq!(late.ok(), json!({"offer": {"valid": false}}));
    ask(t, "").await.invalid("code");
}

async fn what_promises_nothing_looks_alike(t: &Bench) {
    let (code, _) = open(t).await;
    let gone = t.code(&t.customer("gone").await).await;
    t.key.delete(&format!("referrals/codes/{gone}")).await.ok();
    let erased = t.customer("erased").await;
    let of_erased = t.code(&erased).await;
    t.erase(&erased).await;
    let (_, other) = t.project("other").await;
    t.put_program(&other, true, 1000, 500).await;
    let new = other
        .post("customers", json!({"email": "o@example.com"}))
        .await;
    let body = json!({"customerId": new.created()["customer"]["id"]});
    let foreign = other.post("referrals/codes", body).await.created();
    let foreign = text(&foreign["code"]["code"]);
    let mut answers = Vec::new();
    for query in [
        "code=ZZZZZZZZ".to_owned(),
        "code=no-such-name".to_owned(),
        "code=%F0%9F%92%A9".to_owned(),
        format!("code={gone}"),
        format!("code={of_erased}"),
        format!("code={foreign}"),
        "clickToken=ct_x".to_owned(),
    ] {
        answers.push(ask(t, &query).await);
    }
    let here = path(t, &format!("code={code}"));
    for (of, instead) in [
        (&t.home.project, "proj_unknown"),
        (&t.home.team, "team_unknown"),
    ] {
        answers.push(t.nobody.get(&here.replace(of, instead)).await);
    }
    t.put_program(&t.key, false, 1000, 500).await;
    answers.push(ask(t, &format!("code={code}")).await);
    for answer in &answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.text, r#"{"offer":{"valid":false}}"#, "{answer:?}");
        let names = |answer: &Answer| {
            let names = answer.headers.keys().map(|name| name.as_str().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(answer), names(&answers[0]));
    }
}

async fn the_name_is_told_where_the_project_lets_it(t: &Bench) {
    t.program(1000, 500).await;
    let settings = json!({"offerName": true});
    t.key.put("portal/settings", settings).await.ok();
    for (name, told) in [
        (json!("Grace Canaryson"), json!("Grace")),
        (json!("grace@friends.example"), Value::Null),
        (json!("4711"), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let email = format!("{}@friends.example", name.to_string().len());
        let body = json!({"email": email, "name": name, "externalId": name.to_string()});
        let owner = t.customer_with(body).await;
        let code = t.code(&text(&owner["id"])).await;
        let answer = ask(t, &format!("code={code}")).await;
        for canary in ["Canaryson", "friends.example", "pc_"] {
            assert!(!answer.text.contains(canary), "{}", answer.text);
        }
        assert_eq!(answer.ok(), offer(&code, told));
    }
}

async fn only_allowed_origins_may_read(t: &Bench) {
    let (code, _) = open(t).await;
    let body = json!({"allowedOrigins": ["https://app.example.com"]});
    t.key.put("portal/settings", body).await.ok();
    for (origin, named) in [
        ("https://app.example.com", Some("https://app.example.com")),
        ("https://evil.example", None),
    ] {
        for query in [format!("code={code}"), "code=ZZZZZZZZ".to_owned()] {
            let call = t.nobody.call(Method::GET, &path(t, &query));
            let answer = call.header("origin", origin).send().await;
            assert_eq!(answer.header("access-control-allow-origin"), named);
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
    }
}

async fn an_address_misses_twenty_times_a_minute(t: &Bench) {
    let (code, _) = open(t).await;
    let from = |address: &'static str, query: String| {
        let call = t.nobody.call(Method::GET, &path(t, &query));
        call.header("x-forwarded-for", address).send()
    };
    let good = format!("code={code}");
    for number in 0..20 {
        from("192.0.2.1", good.clone()).await.ok();
        from("192.0.2.1", format!("code=MISS{number:04}"))
            .await
            .ok();
    }
    let refused = from("192.0.2.1", good.clone()).await;
    assert!(refused.header("retry-after").is_some());
    refused.refused("too_many_requests");
    from("192.0.2.2", good).await.ok();
}
