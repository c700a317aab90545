//! Customers' own pages: who is let in, and what they are shown.

mod embed;
mod enter;
mod page;
mod shown;

use billstack_core::access::{Role, Scope};
use billstack_core::time::{MINUTE, SECOND};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller, KeyClient};
use crate::support::fixture::text;

on_both_engines! {
    a_key_that_may_read_gets_sessions_that_may,
    a_session_ends_by_time_and_at_once,
    only_what_we_wrote_is_a_token,
    pages_of_allowed_origins_may_read_and_no_others,
    a_code_is_made_once_and_named_where_it_may_be,
    a_session_may_ask_sixty_times_a_minute,
}

on_two_nodes! {
    all_nodes_know_that_sessions_have_ended with two_nodes_at_once,
}

fn two_nodes_at_once() -> Setup {
    Setup {
        nodes: 2,
        ..Setup::default()
    }
}

/// Asks for a session of a customer.
pub(crate) async fn session(t: &Bench, customer: &str, body: Value) -> Value {
    let path = format!("customers/{customer}/portal-sessions");
    t.key.post(&path, body).await.created()["portalSession"].take()
}

/// A client that shows the token of a session of this customer.
pub(crate) async fn visitor(t: &Bench, customer: &str) -> KeyClient {
    let made = session(t, customer, json!({})).await;
    with_token(t, &text(&made["token"]))
}

fn with_token(t: &Bench, token: &str) -> KeyClient {
    KeyClient::new(t.key.wire(), token)
}

/// What no session is needed for to be refused alike.
const READS: [&str; 3] = [
    "/api/portal/me",
    "/api/portal/referrals",
    "/api/portal/credits",
];

async fn refused_everywhere(client: &KeyClient) {
    for path in READS {
        client.get(path).await.refused("invalid_portal_token");
    }
    let code = client.post("/api/portal/code", json!({})).await;
    code.refused("invalid_portal_token");
}

async fn a_key_that_may_read_gets_sessions_that_may(t: &Bench) {
    let ada = t.customer("ada").await;
    let path = format!("customers/{ada}/portal-sessions");
    let (_, reads) = t.key(None, &[Scope::ReferralsRead], None).await;
    let (_, writes) = t.key(None, &[Scope::ReferralsWrite], None).await;
    let viewer = t.member(Role::Viewer).await;
    let member = t.member(Role::Member).await;
    reads
        .post(&path, json!({}))
        .await
        .refused("insufficient_scope");
    let not = json!({"readOnly": false});
    reads.post(&path, not).await.refused("insufficient_scope");
    viewer.post(&path, json!({})).await.refused("forbidden");
    writes.post(&path, json!({})).await.created();
    member.post(&path, json!({})).await.created();
    let read_only = json!({"readOnly": true, "expiresInSeconds": 60, "locale": "de"});
    for answer in [
        reads.post(&path, read_only.clone()).await,
        viewer.post(&path, read_only.clone()).await,
    ] {
        let made = answer.created()["portalSession"].take();
        let client = with_token(t, &text(&made["token"]));
        assert_eq!(client.get("/api/portal/me").await.ok()["readOnly"], true);
        let code = client.post("/api/portal/code", json!({})).await;
        code.refused("forbidden");
    }
    let stranger = t.customer("nobody").await.replace("pc_", "pc_x");
    let path = format!("customers/{stranger}/portal-sessions");
    t.key
        .post(&path, json!({}))
        .await
        .refused("customer_not_found");
    let path = format!("customers/{ada}/portal-sessions");
    for (field, value) in [
        ("expiresInSeconds", json!(59)),
        ("expiresInSeconds", json!(3601)),
        ("readOnly", json!("yes")),
        ("locale", json!("it")),
    ] {
        let body = json!({field: value});
        t.key.post(&path, body).await.invalid(field);
    }
    // The same key makes another session: no answer with a token is kept.
    let once = |key: &'static str| {
        let call = t
            .key
            .call(Method::POST, &path)
            .header("idempotency-key", key);
        call.json(&json!({})).send()
    };
    let (one, two) = (once("k").await.created(), once("k").await.created());
    assert_ne!(one, two);
    let dump = t.dump().await;
    for made in [&one, &two] {
        let token = text(&made["portalSession"]["token"]);
        let url = text(&made["portalSession"]["url"]);
        let ticket = url.rsplit('/').next().expect("a ticket");
        assert!(
            !dump.contains(&token) && !dump.contains(ticket),
            "it is kept"
        );
    }
}

async fn a_session_ends_by_time_and_at_once(t: &Bench) {
    t.program(1000, 500).await;
    let ada = t.customer("ada").await;
    let short = session(t, &ada, json!({"expiresInSeconds": 60})).await;
    let short = with_token(t, &text(&short["token"]));
    let long = session(t, &ada, json!({"expiresInSeconds": 3600})).await;
    let long = with_token(t, &text(&long["token"]));
    short.get("/api/portal/me").await.ok();
    t.advance(61 * SECOND);
    refused_everywhere(&short).await;
    long.get("/api/portal/me").await.ok();
    t.key.post("portal/end-sessions", json!({})).await.ok();
    refused_everywhere(&long).await;
    let fresh = visitor(t, &ada).await;
    fresh.get("/api/portal/me").await.ok();
    // What was set up stays, and setting up ends nothing.
    t.key
        .put("portal/settings", json!({"names": "hidden"}))
        .await
        .ok();
    fresh.get("/api/portal/me").await.ok();
    t.key.post("portal/end-sessions", json!({})).await.ok();
    let settings = t.key.get("portal/settings").await.ok();
    assert_eq!(settings["settings"]["names"], "hidden");
    let (other, bob) = (visitor(t, &ada).await, t.customer("bob").await);
    let of_bob = visitor(t, &bob).await;
    t.erase(&ada).await;
    refused_everywhere(&other).await;
    of_bob.get("/api/portal/me").await.ok();
}

async fn only_what_we_wrote_is_a_token(t: &Bench) {
    let ada = t.customer("ada").await;
    let token = text(&session(t, &ada, json!({})).await["token"]);
    with_token(t, &token).get("/api/portal/me").await.ok();
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    let forged = format!("{}{last}", &token[..token.len() - 1]);
    // Of the last letter of some tokens only a part counts, so the first one is changed too.
    let early = token.replacen("bp_A", "bp_B", 1);
    for bad in [
        &*forged,
        &early,
        "bp_",
        "x",
        &t.key.key,
        &t.home.owner.cookie,
    ] {
        refused_everywhere(&with_token(t, bad)).await;
    }
    for path in READS {
        t.nobody.get(path).await.refused("invalid_portal_token");
        // Neither a key nor a session of a person is one.
        t.key.get(path).await.refused("invalid_portal_token");
        t.owner.get(path).await.refused("invalid_portal_token");
    }
    // Nor is a token a key.
    let path = format!("customers/{ada}");
    let as_key = with_token(t, &token).get(&path).await;
    as_key.refused("invalid_api_key");
    // That of another server, under another secret.
    let mut session =
        billstack_core::portal::Session::read(&token, &t.app().portal_key).expect("ours");
    let foreign = session.token(&[7; 32]).expect("a token");
    refused_everywhere(&with_token(t, &foreign)).await;
    session.project_id = t.project("other").await.0.into();
    let misplaced = session.token(&t.app().portal_key).expect("a token");
    refused_everywhere(&with_token(t, &misplaced)).await;
}

async fn ask_from(client: &KeyClient, origin: &str, path: &str) -> Answer {
    let call = client.call(Method::GET, path).header("origin", origin);
    call.send().await
}

async fn pages_of_allowed_origins_may_read_and_no_others(t: &Bench) {
    const ALLOW: &str = "access-control-allow-origin";
    t.program(1000, 500).await;
    let ada = t.customer("ada").await;
    let client = visitor(t, &ada).await;
    let app = "https://app.example.com";
    for path in READS {
        let answer = ask_from(&client, app, path).await;
        assert_eq!((answer.status, answer.header(ALLOW)), (200, None));
    }
    let body = json!({"allowedOrigins": [app, "http://localhost:*"]});
    t.key.put("portal/settings", body).await.ok();
    for path in READS {
        for (origin, named) in [
            (app, Some(app)),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("https://evil.example", None),
            ("https://app.example.com.evil.example", None),
            ("null", None),
        ] {
            let answer = ask_from(&client, origin, path).await;
            assert_eq!(answer.header(ALLOW), named, "{origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert_eq!(answer.header("vary"), Some("Origin"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    let preflight = client.call(Method::OPTIONS, "/api/portal/me");
    let preflight = preflight
        .header("origin", app)
        .header("access-control-request-method", "GET");
    let preflight = preflight.send().await;
    assert_eq!(
        (preflight.status, preflight.header(ALLOW)),
        (204, Some(app))
    );
    let heads = preflight.header("access-control-allow-headers");
    assert_eq!(heads, Some("authorization, content-type"));
    // A page that may not read may not write either.
    let write = |origin: &str| {
        let call = client
            .call(Method::POST, "/api/portal/code")
            .json(&json!({}));
        call.header("origin", origin).send()
    };
    write("https://evil.example")
        .await
        .refused("cross_site_request");
    assert_eq!(t.count("codes").await, 0);
    assert_eq!(write(app).await.header(ALLOW), Some(app));
    assert_eq!(t.count("codes").await, 1);
    // A session that has ended says so to the pages that may know.
    t.key.post("portal/end-sessions", json!({})).await.ok();
    let ended = ask_from(&client, app, READS[0]).await;
    assert_eq!((ended.status, ended.header(ALLOW)), (401, Some(app)));
}

async fn a_code_is_made_once_and_named_where_it_may_be(t: &Bench) {
    let ada = t.customer("ada").await;
    let client = visitor(t, &ada).await;
    let take = |body: Value| client.post("/api/portal/code", body);
    take(json!({})).await.refused("referrals_disabled");
    t.program(1000, 500).await;
    assert_eq!(client.get("/api/portal/me").await.ok()["code"], Value::Null);
    let calls = (0..8).map(|_| take(json!({})));
    let answers = Bench::at_once(calls).await;
    let codes: Vec<String> = answers.into_iter().map(|a| text(&a.ok()["code"])).collect();
    assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
    assert_eq!(t.count("codes").await, 1);
    let vanity = json!({"vanity": "Ada-L"});
    take(vanity.clone()).await.refused("forbidden");
    t.key
        .put("portal/settings", json!({"allowVanity": true}))
        .await
        .ok();
    let named = take(vanity.clone()).await.ok();
    assert_eq!(
        (&named["vanity"], &named["allowVanity"]),
        (&json!("ADA-L"), &json!(true))
    );
    assert_eq!(take(vanity).await.ok()["vanity"], "ADA-L");
    take(json!({"vanity": "x!y"}))
        .await
        .refused("vanity_not_allowed");
    let bob = visitor(t, &t.customer("bob").await).await;
    let taken = bob
        .post("/api/portal/code", json!({"vanity": "adal"}))
        .await;
    taken.refused("vanity_taken");
    assert_eq!(t.count("codes").await, 1);
    let rude = bob
        .post("/api/portal/code", json!({"vanity": "admin"}))
        .await;
    rude.refused("vanity_not_allowed");
    let code = t
        .key
        .get(&format!("referrals/codes/{}", codes[0]))
        .await
        .ok();
    assert_eq!(code["code"]["customerId"], json!(ada));
}

async fn a_session_may_ask_sixty_times_a_minute(t: &Bench) {
    let ada = t.customer("ada").await;
    let client = visitor(t, &ada).await;
    // Of the same second and customer it would be the same.
    t.advance(SECOND);
    let other = visitor(t, &ada).await;
    let mut refused = None;
    for _ in 0..200 {
        let answer = client.get("/api/portal/me").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert!(refused.header("retry-after").is_some());
    refused.refused("too_many_requests");
    // Another session of the same address goes on.
    other.get("/api/portal/me").await.ok();
}

async fn all_nodes_know_that_sessions_have_ended(t: &Bench) {
    let ada = t.customer("ada").await;
    let client = visitor(t, &ada).await;
    let there = client.over(&t.key.wire().at(&t.nodes[1].origin));
    there.get("/api/portal/me").await.ok();
    t.key.post("portal/end-sessions", json!({})).await.ok();
    refused_everywhere(&there).await;
    let fresh = visitor(t, &ada).await;
    let there = fresh.over(&t.key.wire().at(&t.nodes[1].origin));
    t.erase(&ada).await;
    refused_everywhere(&there).await;
    t.advance(MINUTE);
}
