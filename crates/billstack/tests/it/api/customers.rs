//! `…/customers`.

mod cut;
mod erase;
mod stripe;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};
use crate::support::raw;

on_both_engines! {
    a_customer_is_made_as_documented,
    addresses_are_compared_after_folding,
    external_ids_are_unique_and_stripe_ids_are_not,
    wrong_members_are_refused,
    metadata_may_be_as_large_as_stripes,
    metadata_stays_as_it_was_sent,
    a_refusal_shows_metadata_as_it_was_sent,
    metadata_holds_numbers_of_any_size,
    members_of_the_server_have_no_effect,
    each_filter_finds_its_customer,
    a_patch_changes_what_it_names,
    a_patch_of_nothing_leaves_no_trace,
    a_patch_keeps_what_is_unique,
    unknown_customers_are_404,
}

async fn a_customer_is_made_as_documented(t: &Bench) {
    let body = json!({
        "email": "  Ada@Example.COM ", "name": "Ada", "externalId": "u-1",
        "stripeCustomerId": "cus_1", "metadata": {"plan": "pro", "n": 1},
    });
    let answer = t.key.post("customers", body).await.created();
    let customer = &answer["customer"];
    let id = text(&customer["id"]);
    assert!(id.starts_with("pc_") && id.len() == 29, "{id}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    assert!(id[3..].chars().all(plain), "{id}");
    assert_eq!(
        answer,
        json!({"customer": {
            "id": id, "email": "ada@example.com", "name": "Ada", "externalId": "u-1",
            "stripeCustomerId": "cus_1", "metadata": {"plan": "pro", "n": 1},
            "projectId": t.home.project, "createdAt": customer["createdAt"],
            "updatedAt": customer["createdAt"],
        }})
    );
    assert_eq!(t.key.get(&format!("customers/{id}")).await.ok(), answer);
    let least = t
        .key
        .post("customers", json!({"email": "b@example.com"}))
        .await;
    let least = least.created()["customer"].take();
    for member in ["name", "externalId", "stripeCustomerId"] {
        assert_eq!(least[member], Value::Null, "{member}");
    }
    assert_eq!(least["metadata"], json!({}));
    let list = t.key.get("customers").await.ok();
    assert_eq!(
        list,
        json!({"customers": [least, *customer]}),
        "the newest first"
    );
}

async fn addresses_are_compared_after_folding(t: &Bench) {
    let first = t.customer_with(json!({"email": "ada@example.com"})).await;
    for email in ["ada@example.com", " ADA@EXAMPLE.COM\t"] {
        let answer = t.key.post("customers", json!({"email": email})).await;
        assert_eq!(answer.status, 409);
        assert_eq!(answer.refused("customer_exists")["customer"], first);
    }
    // A tag or another letter makes another address, and an accent is a letter whatever its case.
    for email in ["ada+x@example.com", "\u{e0}da@example.com"] {
        t.key
            .post("customers", json!({"email": email}))
            .await
            .created();
    }
    for email in ["\u{c0}da@example.com", "a\u{300}da@example.com"] {
        let answer = t.key.post("customers", json!({"email": email})).await;
        answer.refused("customer_exists");
    }
    let (_, key) = t.project("other").await;
    key.post("customers", json!({"email": "ada@example.com"}))
        .await
        .created();
}

async fn external_ids_are_unique_and_stripe_ids_are_not(t: &Bench) {
    let body =
        |email: &str| json!({"email": email, "externalId": "u", "stripeCustomerId": "cus_1"});
    t.key
        .post("customers", body("a@example.com"))
        .await
        .created();
    let answer = t.key.post("customers", body("b@example.com")).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.refused("external_id_taken")["field"], "externalId");
    let mut shared = body("b@example.com");
    shared["externalId"] = json!("v");
    t.key.post("customers", shared).await.created();
    let (_, key) = t.project("other").await;
    key.post("customers", body("a@example.com")).await.created();
}

async fn wrong_members_are_refused(t: &Bench) {
    let large = json!({"k": "x".repeat(33 * 1024)});
    for (member, value) in [
        ("email", json!(null)),
        ("email", json!("")),
        ("email", json!("ada")),
        ("email", json!("ada@")),
        ("email", json!("@example.com")),
        ("email", json!("a da@example.com")),
        ("email", json!("a@b@example.com")),
        ("email", json!(["ada@example.com"])),
        ("email", json!(format!("{}@example.com", "a".repeat(300)))),
        ("email", json!("ada\0@example.com")),
        ("name", json!(7)),
        ("name", json!("n".repeat(256))),
        ("externalId", json!({})),
        ("externalId", json!("")),
        ("externalId", json!("x".repeat(256))),
        ("stripeCustomerId", json!("sub_1")),
        ("stripeCustomerId", json!("cus_1/../x")),
        ("stripeCustomerId", json!(1)),
        ("metadata", json!("{}")),
        ("metadata", json!([1])),
        ("metadata", large),
    ] {
        let mut body = json!({"email": "ada@example.com"});
        body[member] = value;
        t.key.post("customers", body).await.invalid(member);
    }
    t.key.post("customers", json!({})).await.invalid("email");
    assert_eq!(t.count("customers").await, 0);
}

async fn metadata_may_be_as_large_as_stripes(t: &Bench) {
    let member = |number: usize| (format!("{number:040}"), json!("x".repeat(500)));
    let metadata: Value = (0..50)
        .map(member)
        .collect::<serde_json::Map<_, _>>()
        .into();
    let body = json!({"email": "ada@example.com", "metadata": metadata});
    let customer = t.customer_with(body).await;
    assert_eq!(customer["metadata"], metadata);
    let largest = json!({"k": "x".repeat(32 * 1024 - 8)});
    assert_eq!(largest.to_string().len(), 32 * 1024);
    let path = format!("customers/{}", text(&customer["id"]));
    let answer = t.key.patch(&path, json!({"metadata": largest})).await.ok();
    assert_eq!(answer["customer"]["metadata"], largest);
    let too_large = json!({"metadata": {"k": "x".repeat(32 * 1024 - 7)}});
    t.key.patch(&path, too_large).await.invalid("metadata");
}

/// Whatever it says: order and digits count, and no name in it means anything.
async fn metadata_stays_as_it_was_sent(t: &Bench) {
    let sent = concat!(
        r#"{"z":1,"a":123456789012345678901234567890,"n":1.50,"#,
        r#""in":{"$serde_json::private::RawValue":"[1,2]"},"#,
        r#""$serde_json::private::RawValue":"1","$serde_json::private::Number":"2"}"#,
    );
    let body = format!(r#"{{"email":"ada@example.com","metadata":{sent}}}"#);
    let call = t.key.call(Method::POST, "customers");
    let made = call.body("application/json", body).send().await;
    let made = made.created();
    let path = format!("customers/{}", text(&made["customer"]["id"]));
    for path in [path.as_str(), "customers"] {
        let answer = t.key.get(path).await;
        let kept = format!(r#""metadata":{sent}"#);
        assert!(answer.text.contains(&kept), "{answer:?}");
    }
}

/// Sends bytes that a client which reads every answer could not take back.
async fn send_raw(t: &Bench, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
    let request = format!(
        "{method} {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: \
         application/json\r\n{key}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        t.key.wire().path(path),
        t.key.key,
        body.len(),
    );
    raw::exchange(&t.nodes[0].origin, request.as_bytes()).await
}

/// JSON knows no largest number. Whoever reads it as a float gets what that makes of it.
async fn metadata_holds_numbers_of_any_size(t: &Bench) {
    let sent = r#"{"a":1e400,"b":[-1E+400,{"c":1e-400}]}"#;
    let body = format!(r#"{{"email":"a@example.com","metadata":{sent},"createdAt":[1e400]}}"#);
    let id = t.customer("b").await;
    let path = format!("customers/{id}");
    let patch = format!(r#"{{"metadata":{sent},"createdAt":{{"a":1e400}}}}"#);
    for (method, path, body) in [
        ("POST", "customers", body.as_str()),
        ("PATCH", &path, &patch),
        ("GET", &path, ""),
        ("GET", "customers?limit=1", ""),
    ] {
        let (status, answer) = send_raw(t, method, path, "", body).await;
        assert!(matches!(status, 200 | 201), "{answer}");
        assert!(
            answer.contains(&format!(r#""metadata":{sent}"#)),
            "{answer}"
        );
    }
    assert!(t.dump().await.contains("[-1E+400,"));
    t.key.delete(&path).await.ok();
}

async fn a_refusal_shows_metadata_as_it_was_sent(t: &Bench) {
    let other = t.customer("other").await;
    let other = format!("customers/{other}");
    for (number, sent) in [
        r#"{"$serde_json::private::RawValue":"no JSON"}"#,
        r#"{"$serde_json::private::RawValue":"[1,2]"}"#,
        r#"{"in":[{"$serde_json::private::RawValue":"no JSON"}],"n":null}"#,
        r#"{"big":12345678901234567890123,"f":1.10,"e":1E2}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!(r#"{{"email":"a{number}@example.com","metadata":{sent}}}"#);
        let email = format!(r#"{{"email":"a{number}@example.com"}}"#);
        let (status, made) = send_raw(t, "POST", "customers", "", &body).await;
        assert_eq!(status, 201, "{made}");
        let kept = format!(r#""metadata":{sent}"#);
        let key = format!("idempotency-key: k{number}\r\n");
        let patch_key = format!("idempotency-key: p{number}\r\n");
        for (method, path, key) in [
            ("POST", "customers", ""),
            ("POST", "customers", &key),
            ("POST", "customers", &key),
            ("PATCH", &other, ""),
            ("PATCH", &other, &patch_key),
            ("PATCH", &other, &patch_key),
        ] {
            let (status, answer) = send_raw(t, method, path, key, &email).await;
            assert_eq!(status, 409, "{answer}");
            assert!(answer.contains(&kept), "{answer}");
            assert!(answer.contains(r#""reason":"customer_exists""#), "{answer}");
        }
    }
}

async fn members_of_the_server_have_no_effect(t: &Bench) {
    let body = json!({
        "email": "ada@example.com", "id": "pc_mine", "projectId": "proj_theirs",
        "createdAt": "2020-01-01T00:00:00Z", "updatedAt": 1,
    });
    let customer = t.customer_with(body).await;
    assert_ne!(customer["id"], "pc_mine");
    assert_eq!(customer["projectId"], t.home.project.as_str());
    assert!(text(&customer["createdAt"]).starts_with("2026-"));
    let path = format!("customers/{}", text(&customer["id"]));
    let body = json!({"id": "pc_mine", "projectId": "x", "createdAt": "2020-01-01T00:00:00Z"});
    let patched = t.key.patch(&path, body).await.ok()["customer"].take();
    assert_eq!(patched["id"], customer["id"]);
    assert_eq!(patched["createdAt"], customer["createdAt"]);
}

async fn each_filter_finds_its_customer(t: &Bench) {
    let body = json!({"email": "a@example.com", "externalId": "u&1", "stripeCustomerId": "cus_a"});
    let one = text(&t.customer_with(body).await["id"]);
    t.customer("other").await;
    for query in [
        "email=a@example.com",
        "email=%20A%40EXAMPLE.com",
        "externalId=u%261",
        "stripeCustomerId=cus_a",
        "stripeCustomerId=cus_a&email=a@example.com",
    ] {
        let list = t.key.get(&format!("customers?{query}")).await.ok();
        assert_eq!(pluck(&list["customers"], "id"), [one.as_str()], "{query}");
    }
    for query in [
        "email=nobody",
        "externalId=u",
        "email=a@example.com&externalId=x",
    ] {
        let list = t.key.get(&format!("customers?{query}")).await.ok();
        assert_eq!(list, json!({"customers": []}), "{query}");
    }
    t.key.get("customers?email=").await.invalid("email");
}

async fn a_patch_changes_what_it_names(t: &Bench) {
    let body = json!({
        "email": "a@example.com", "name": "A", "externalId": "u", "metadata": {"k": 1},
    });
    let customer = t.customer_with(body).await;
    let path = format!("customers/{}", text(&customer["id"]));
    let patch = async |body: Value| t.key.patch(&path, body).await.ok()["customer"].take();
    let mut expected = patch(json!({"name": "B", "email": "B@example.com"})).await;
    assert!(text(&expected["updatedAt"]) > text(&customer["updatedAt"]));
    assert_eq!(expected["name"], "B");
    assert_eq!(expected["email"], "b@example.com");
    assert_eq!(expected["externalId"], "u");
    assert_eq!(expected["metadata"], json!({"k": 1}));
    let cleared = patch(json!({"name": null, "externalId": null, "metadata": null})).await;
    expected["name"] = Value::Null;
    expected["externalId"] = Value::Null;
    expected["metadata"] = json!({});
    expected["updatedAt"] = cleared["updatedAt"].clone();
    assert_eq!(cleared, expected);
    for (member, value) in [
        ("email", json!(null)),
        ("email", json!("x")),
        ("name", json!(1)),
        ("externalId", json!("")),
        ("stripeCustomerId", json!("sub_1")),
    ] {
        t.key
            .patch(&path, json!({member: value}))
            .await
            .invalid(member);
    }
    assert_eq!(t.key.get(&path).await.ok()["customer"], cleared);
}

async fn a_patch_of_nothing_leaves_no_trace(t: &Bench) {
    let body = json!({"email": "a@example.com", "name": "A", "metadata": {"k": 1}});
    let customer = t.customer_with(body.clone()).await;
    let path = format!("customers/{}", text(&customer["id"]));
    let before = t.dump().await;
    for nothing in [
        json!({}),
        json!({"id": "a", "createdAt": "2020-01-01T00:00:00Z"}),
        json!({"externalId": null}),
        body,
    ] {
        let answer = t.key.patch(&path, nothing).await.ok();
        assert_eq!(answer["customer"], customer);
    }
    assert_eq!(t.dump().await, before);
}

async fn a_patch_keeps_what_is_unique(t: &Bench) {
    let first = t
        .customer_with(json!({"email": "a@example.com", "externalId": "u"}))
        .await;
    let second = t.customer("b").await;
    let path = format!("customers/{second}");
    let answer = t.key.patch(&path, json!({"email": "A@example.com"})).await;
    assert_eq!(answer.refused("customer_exists")["customer"], first);
    let answer = t.key.patch(&path, json!({"externalId": "u"})).await;
    answer.refused("external_id_taken");
}

async fn unknown_customers_are_404(t: &Bench) {
    let id = t.customer("a").await;
    let (_, key) = t.project("other").await;
    let elsewhere = format!("customers/{id}");
    for (client, path) in [(&t.key, "customers/pc_unknown"), (&key, elsewhere.as_str())] {
        client.get(path).await.refused("customer_not_found");
        let answer = client.patch(path, json!({"name": "x"})).await;
        answer.refused("customer_not_found");
        client.delete(path).await.refused("customer_not_found");
    }
    t.key.get(&elsewhere).await.ok();
}
