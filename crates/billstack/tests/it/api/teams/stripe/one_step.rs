//! Connecting with a secret key alone.

use billstack_core::stripe_access::EVENTS;
use fake_stripe::{Fault, Injection, body, sign};
use reqwest::Method;
use serde_json::{Value, json};

use super::{status, stripe};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;
use crate::support::stripe::SECRET;

on_both_engines! {
    a_key_alone_makes_the_endpoint with stripe,
    an_endpoint_that_is_there_is_kept_and_mended with stripe,
    an_endpoint_whose_secret_was_lost_is_deleted_first with stripe,
    a_cut_leaves_one_endpoint with stripe,
    of_many_at_once_one_endpoint_is_left with stripe,
    without_the_permission_a_person_makes_it with stripe,
    an_account_with_sixteen_endpoints_gets_no_other with stripe,
    live_events_are_not_sent_to_a_machine_of_its_own with stripe,
    the_secret_of_before_stays_where_none_can_be_made with stripe,
    disconnecting_deletes_what_we_made_and_nothing_else with stripe,
}

const ENDPOINTS: &str = "/v1/webhook_endpoints";

async fn try_connect(t: &Bench, key: &str) -> Answer {
    let path = t.home.path("stripe/connect");
    t.owner.post(&path, json!({"secretKey": key})).await
}

async fn connect(t: &Bench) -> Value {
    try_connect(t, "rk_test_1").await.ok()["webhook"].clone()
}

fn endpoints(t: &Bench) -> Vec<Value> {
    let all = |books: &mut fake_stripe::Books| {
        let all = books.webhook_endpoints.newest_first();
        all.into_iter().cloned().collect()
    };
    t.fake().with_books(all)
}

fn url(t: &Bench) -> String {
    format!("{}{}", t.nodes[0].origin, t.webhook())
}

/// An endpoint in the account, of this team or of nobody here.
fn put(t: &Bench, id: &str, team: Option<&str>, url: &str) {
    let metadata = team.map_or(json!({}), |team| json!({"billstack_team_id": team}));
    let endpoint = json!({
        "id": id, "object": "webhook_endpoint", "api_version": "2026-10-28.endive", "url": url,
        "created": 1, "enabled_events": ["*"], "metadata": metadata, "status": "enabled",
    });
    t.fake()
        .with_books(|books| books.webhook_endpoints.put(endpoint));
}

/// The status of the answer to an event that is signed with this secret.
async fn attempt(t: &Bench, secret: &str) -> u16 {
    let bytes = body(&t.created("cus_x"));
    let signature = sign(&bytes, secret, t.seconds());
    let call = t.nobody.call(Method::POST, &t.webhook());
    let call = call.header("stripe-signature", &signature);
    call.body("application/json", bytes).send().await.status
}

/// The secret of the one endpoint that there is.
fn secret(t: &Bench) -> String {
    let endpoints = endpoints(t);
    assert_eq!(endpoints.len(), 1, "{endpoints:?}");
    let id = text(&endpoints[0]["id"]);
    t.fake()
        .with_books(|books| books.webhook_secrets[&id].clone())
}

async fn a_key_alone_makes_the_endpoint(t: &Bench) {
    let answer = try_connect(t, "rk_test_1").await.ok();
    let webhook = &answer["webhook"];
    assert_eq!(webhook["created"], true);
    assert_eq!(webhook["reason"], Value::Null);
    assert_eq!(webhook["events"], json!(EVENTS));
    assert_eq!(webhook["url"], answer["webhookUrl"]);
    let made = endpoints(t).pop().expect("an endpoint");
    assert_eq!(made["id"], webhook["id"]);
    assert_eq!(made["url"], url(t));
    assert_eq!(made["api_version"], "2026-10-28.endive");
    assert_eq!(made["enabled_events"], json!(EVENTS));
    assert_eq!(made["metadata"]["billstack_team_id"], t.home.team);
    let requests = t.fake().requests();
    let post = |one: &&fake_stripe::Received| one.method == "POST" && one.path == ENDPOINTS;
    let post = requests.iter().find(post).expect("a request");
    assert!(post.idempotency_key.is_some());

    let secret = secret(t);
    assert_eq!(attempt(t, &secret).await, 200);
    let shown = status(t).await.to_string() + &t.dump().await + &answer.to_string();
    assert!(!shown.contains(&secret[6..]));
}

async fn an_endpoint_that_is_there_is_kept_and_mended(t: &Bench) {
    let first = connect(t).await;
    let before = secret(t);
    let id = text(&first["id"]);
    t.fake().with_books(|books| {
        let endpoint = books.webhook_endpoints.get_mut(&id).expect("an endpoint");
        endpoint["enabled_events"] = json!(["invoice.paid"]);
        endpoint["status"] = json!("disabled");
    });
    assert_eq!(connect(t).await, first);
    assert_eq!(secret(t), before);
    let mended = &endpoints(t)[0];
    assert_eq!(mended["enabled_events"], json!(EVENTS));
    assert_eq!(mended["status"], "enabled");
    assert_eq!(attempt(t, &before).await, 200);
    // One of another version would send other shapes than the calls are answered in.
    t.fake().with_books(|books| {
        let endpoint = books.webhook_endpoints.get_mut(&id).expect("an endpoint");
        endpoint["api_version"] = json!("2020-08-27");
    });
    assert_ne!(connect(t).await["id"], first["id"]);
    assert_eq!(attempt(t, &secret(t)).await, 200);
    assert_eq!(attempt(t, &before).await, 400);
}

async fn an_endpoint_whose_secret_was_lost_is_deleted_first(t: &Bench) {
    put(t, "we_lost", Some(&t.home.team), &url(t));
    put(t, "we_theirs", None, &url(t));
    put(t, "we_other", Some("team_other"), &url(t));
    put(
        t,
        "we_elsewhere",
        Some(&t.home.team),
        "https://other.example/x",
    );
    // The sixteenth place is that of the lost one.
    for number in 0..12 {
        put(t, &format!("we_{number}"), None, "https://shop.example");
    }
    assert_eq!(connect(t).await["created"], true);
    let there = endpoints(t);
    let is_there = |id: &str| there.iter().any(|one| one["id"] == id);
    assert!(!is_there("we_lost"));
    assert!(is_there("we_theirs") && is_there("we_other") && is_there("we_elsewhere"));
    assert_eq!(there.len(), 16);
}

async fn a_cut_leaves_one_endpoint(t: &Bench) {
    let cut = |fault, times| {
        let cut = Injection::new(fault).path(ENDPOINTS).method("POST");
        t.fake().inject(cut.times(times));
    };
    // Asked again under the same key, Stripe repeats the secret.
    cut(Fault::ResetAfterCommit, 1);
    assert_eq!(connect(t).await["created"], true);
    assert_eq!(attempt(t, &secret(t)).await, 200);
    let path = t.home.path("stripe/disconnect");
    t.owner.post(&path, json!({})).await.ok();
    assert_eq!(endpoints(t).len(), 0);

    // Nobody hears of the secret: the team is not connected, and the endpoint is replaced.
    cut(Fault::ResetAfterCommit, 2);
    let answer = try_connect(t, "rk_test_1").await;
    answer.refused("stripe_unavailable");
    assert_eq!(status(t).await["connected"], false);
    assert_eq!(endpoints(t).len(), 1);
    assert_eq!(connect(t).await["created"], true);
    assert_eq!(attempt(t, &secret(t)).await, 200);

    // The endpoint was deleted by hand while its answer is still kept by Stripe.
    t.owner.post(&path, json!({})).await.ok();
    cut(Fault::ResetAfterCommit, 2);
    let answer = try_connect(t, "rk_test_1").await;
    answer.refused("stripe_unavailable");
    let id = text(&endpoints(t)[0]["id"]);
    t.fake()
        .with_books(|books| books.webhook_endpoints.remove(&id));
    assert_eq!(connect(t).await["created"], true);
    assert_eq!(attempt(t, &secret(t)).await, 200);

    // Whether an error came before the work or after it does not matter.
    t.owner.post(&path, json!({})).await.ok();
    cut(Fault::StatusAfterCommit(500), 1);
    cut(Fault::Status(500), 1);
    assert_eq!(connect(t).await["created"], true);
    assert_eq!(attempt(t, &secret(t)).await, 200);
}

async fn of_many_at_once_one_endpoint_is_left(t: &Bench) {
    let path = t.home.path("stripe/connect");
    let calls = (0..6).map(|_| {
        let call = t.owner.call(Method::POST, &path);
        call.json(&json!({"secretKey": "sk_test_1"})).send()
    });
    let answers = Bench::at_once(calls).await;
    // Whoever was overtaken too often is told to come again.
    let overtaken = |one: &Answer| one.status == 503 || one.status == 502;
    if answers.iter().any(overtaken) {
        connect(t).await;
    }
    let connected = |one: &Answer| one.status == 200 || overtaken(one);
    assert!(answers.iter().all(connected), "{answers:?}");
    assert_eq!(attempt(t, &secret(t)).await, 200);
}

async fn without_the_permission_a_person_makes_it(t: &Bench) {
    t.fake().restrict("rk_test_1", &["rak_customer_write"]);
    for _ in 0..2 {
        let webhook = connect(t).await;
        assert_eq!(webhook["created"], false);
        assert_eq!(webhook["reason"], "stripe_permission_missing");
        assert!(text(&webhook["message"]).contains("rak_webhook_write"));
        assert_eq!(webhook["events"], json!(EVENTS));
        assert_eq!(webhook["url"], url(t));
    }
    assert_eq!(endpoints(t).len(), 0);
    let connected = status(t).await;
    assert_eq!(connected["connected"], true);
    assert_eq!(connected["keyValid"], true);
    assert_eq!(attempt(t, SECRET).await, 400);
    assert_eq!(status(t).await["lastRefusedReason"], "no_secret");
    // A secret that is rolled in takes the place of none.
    let roll = t.home.path("stripe/roll-webhook-secret");
    let rolled = t.owner.post(&roll, json!({"webhookSecret": SECRET}));
    assert_eq!(rolled.await.ok()["oldValidUntil"], Value::Null);
    assert_eq!(attempt(t, SECRET).await, 200);
    let answer = json!({"secretKey": "rk_test_1", "webhookSecret": SECRET});
    t.connect_with(answer).await;
    assert_eq!(attempt(t, SECRET).await, 200);
}

async fn an_account_with_sixteen_endpoints_gets_no_other(t: &Bench) {
    for number in 0..16 {
        put(t, &format!("we_{number}"), None, "https://shop.example");
    }
    let webhook = connect(t).await;
    assert_eq!(webhook["created"], false);
    assert_eq!(webhook["reason"], "too_many_endpoints");
    assert_eq!(endpoints(t).len(), 16);
    assert_eq!(status(t).await["connected"], true);
}

async fn live_events_are_not_sent_to_a_machine_of_its_own(t: &Bench) {
    let answer = try_connect(t, "sk_live_1").await.ok();
    assert_eq!(answer["webhook"]["created"], false);
    assert_eq!(answer["webhook"]["reason"], "address_not_public");
    assert_eq!(status(t).await["connected"], true);
}

async fn the_secret_of_before_stays_where_none_can_be_made(t: &Bench) {
    t.connect().await;
    assert_eq!(attempt(t, SECRET).await, 200);
    t.fake().restrict("rk_test_1", &["rak_customer_write"]);
    assert_eq!(connect(t).await["created"], false);
    assert_eq!(attempt(t, SECRET).await, 200);
    assert_eq!(status(t).await["keyValid"], true);
}

async fn disconnecting_deletes_what_we_made_and_nothing_else(t: &Bench) {
    let path = t.home.path("stripe/disconnect");
    put(t, "we_theirs", None, &url(t));
    t.connect_with(json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}))
        .await;
    t.owner.post(&path, json!({})).await.ok();
    assert_eq!(endpoints(t).len(), 1);
    connect(t).await;
    assert_eq!(endpoints(t).len(), 2);
    t.owner.post(&path, json!({})).await.ok();
    let left = endpoints(t);
    assert_eq!((left.len(), &left[0]["id"]), (1, &json!("we_theirs")));
    // Stripe may be down; connecting again tidies up.
    connect(t).await;
    t.fake()
        .inject(Injection::new(Fault::Status(503)).method("DELETE"));
    t.owner.post(&path, json!({})).await.ok();
    assert_eq!(endpoints(t).len(), 2);
    assert_eq!(connect(t).await["created"], true);
    assert_eq!(endpoints(t).len(), 2);
}
