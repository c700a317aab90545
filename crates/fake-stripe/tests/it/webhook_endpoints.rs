//! Webhook endpoints and what restricted keys may do, which the official library shows only in part.

use fake_stripe::FakeStripe;
use reqwest::Method;

use crate::client::{Client, send};

const ENDPOINTS: &str = "/v1/webhook_endpoints";

const FORM: [(&str, &str); 4] = [
    ("url", "https://shop.example/hook"),
    ("enabled_events[]", "invoice.paid"),
    ("api_version", "2026-10-28.endive"),
    ("metadata[team]", "team_1"),
];

#[tokio::test]
async fn the_secret_is_in_the_first_answer_only() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let made = client.post_once(ENDPOINTS, &FORM, "k").await;
    let secret = made.json["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(made.json["enabled_events"][0], "invoice.paid");
    let again = client.post_once(ENDPOINTS, &FORM, "k").await;
    assert_eq!(again.json, made.json);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let listed = client.get(ENDPOINTS).await.json;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    assert!(listed["data"][0].get("secret").is_none());
    let kept = fake.with_books(|books| books.webhook_secrets.get(made.id()).cloned());
    assert_eq!(kept, Some(secret));

    let one = format!("{ENDPOINTS}/{}", made.id());
    let changed = client
        .post(&one, &[("enabled_events[]", "charge.refunded")])
        .await;
    assert_eq!(changed.json["enabled_events"][0], "charge.refunded");
    assert!(changed.json.get("secret").is_none());
    let version = client.post(&one, &[("api_version", "2020-08-27")]).await;
    assert_eq!(
        version.status, 400,
        "the version of an endpoint never changes"
    );
    let deleted = send(client.request(Method::DELETE, &one)).await;
    assert_eq!(deleted.expect("an answer").json["deleted"], true);
    assert_eq!(client.get(&one).await.status, 404);
}

#[tokio::test]
async fn an_account_has_sixteen_at_most() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    for _ in 0..16 {
        assert_eq!(client.post(ENDPOINTS, &FORM).await.status, 200);
    }
    let refused = client.post(ENDPOINTS, &FORM).await;
    assert!(refused.error("message").contains("maximum of 16"));
    let live = client.with_key("sk_live_a");
    assert_eq!(live.post(ENDPOINTS, &FORM).await.status, 200);
    let form = [("url", "http://shop.example"), ("enabled_events[]", "*")];
    assert_eq!(
        live.post(ENDPOINTS, &form).await.error("code"),
        "url_invalid"
    );
    for form in [&FORM[..1], &FORM[1..]] {
        let answer = live.post(ENDPOINTS, form).await;
        assert_eq!(answer.error("code"), "parameter_missing");
    }
}

#[tokio::test]
async fn a_restricted_key_does_what_it_may() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake).with_key("rk_test_a");
    fake.restrict("rk_test_a", &["rak_customer_write", "rak_event_read"]);
    for path in ["/v1/customers", "/v1/events", "/v1/nowhere"] {
        assert_ne!(client.get(path).await.status, 403, "{path}");
    }
    assert_eq!(client.post("/v1/customers", &[]).await.status, 200);
    let refused = client.post(ENDPOINTS, &FORM).await;
    assert_eq!(
        (refused.status, refused.error("code")),
        (403, "more_permissions_required")
    );
    let sentence =
        "Having the 'rak_webhook_write' permission would allow this request to continue.";
    assert!(refused.error("message").ends_with(sentence));
    let read = client.get("/v1/invoice_payments").await;
    assert!(read.error("message").contains("'rak_invoice_read'"));
    let form = [("key", "rk_test_a"), ("permissions[]", "rak_webhook_write")];
    assert_eq!(client.post("/_fake/permissions", &form).await.status, 200);
    assert_eq!(client.post(ENDPOINTS, &FORM).await.status, 200);
    assert_eq!(client.get("/v1/events").await.status, 403);
    assert_eq!(
        client.with_key("sk_test_a").get("/v1/events").await.status,
        200
    );
}
