//! Nothing is read of what is not signed.

use std::time::Duration;

use billstack::webhooks::stripe::{LARGE_EVENTS_OF_ADDRESS, LARGEST_EVENT};
use billstack_core::time::{HOUR, SECOND};
use fake_stripe::{body, sign};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::raw;
use crate::support::stripe::SECRET;

/// Long enough for a refusal.
const SOON: Duration = Duration::from_millis(500);

on_both_engines! {
    wrong_signatures_are_refused_alike,
    a_changed_body_is_refused,
    one_good_signature_among_others_is_enough,
    old_and_future_signatures_are_refused,
    the_secret_is_used_whole,
    while_rolling_both_secrets_are_valid,
    without_a_connection_nothing_is_valid,
    the_address_may_have_a_slash_or_a_query_behind_it,
    refusals_are_told_apart_for_the_team,
    unknown_teams_are_404,
    events_may_be_larger_than_other_bodies,
    nothing_is_read_of_what_cannot_be_signed,
    few_large_events_are_read_at_once,
}

async fn send(t: &Bench, signature: Option<&str>, bytes: Vec<u8>) -> Answer {
    let call = t.nobody.call(reqwest::Method::POST, &t.webhook());
    let call = match signature {
        Some(signature) => call.header("stripe-signature", signature),
        None => call,
    };
    call.body("application/json", bytes).send().await
}

async fn wrong_signatures_are_refused_alike(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let bytes = body(&t.created(&pair.stripe));
    let now = t.seconds();
    let good = sign(&bytes, SECRET, now);
    let hex = good.split_once("v1=").expect("a signature").1.to_owned();
    let before = t.dump().await;
    let mut texts = std::collections::BTreeSet::new();
    for signature in [
        Some(String::new()),
        Some("nonsense".to_owned()),
        Some(sign(&bytes, "whsec_wrong", now)),
        Some(sign(&bytes, "", now)),
        Some(sign(b"{}", SECRET, now)),
        Some(format!("v1={hex}")),
        Some(format!("t={now}")),
        Some(format!("t={now},v0={hex}")),
        Some(format!("t={now},v1=")),
        Some(format!("t={now},v1={}", &hex[..63])),
        Some(format!("t={now},v1={hex}00")),
        Some(format!("t={now},v1={}", "zz".repeat(32))),
        Some(format!("t=1e9,v1={hex}")),
        Some(format!("t=-1,v1={hex}")),
        Some(format!("t=99999999999999999999,v1={hex}")),
        Some(format!("t={},t={now},v1={hex}", now - 1)),
        Some(format!("t={now} ,v1={}", "0".repeat(64))),
        Some(format!(
            "t={now},{}",
            format!("v1={},", "0".repeat(64)).repeat(60)
        )),
    ] {
        let answer = send(t, signature.as_deref(), bytes.clone()).await;
        assert_eq!(answer.status, 400, "{signature:?}");
        texts.insert(answer.text.clone());
        answer.refused("invalid_signature");
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(t.dump().await, before);
    assert_eq!(t.status(&referral).await, "pending");
    let twice = t.nobody.call(reqwest::Method::POST, &t.webhook());
    let twice = twice
        .header("stripe-signature", &good)
        .header("stripe-signature", &good);
    let twice = twice.body("application/json", bytes).send().await;
    twice.ok();
}

async fn refusals_are_told_apart_for_the_team(t: &Bench) {
    let bytes = br#"{"id":"evt_1","type":"x","data":{"object":{}}}"#.to_vec();
    let status = async || t.owner.get(&t.home.path("stripe/status")).await.ok();
    let before = status().await;
    for member in ["lastReceivedAt", "lastRefusedAt", "lastRefusedReason"] {
        assert_eq!(before[member], Value::Null, "{member}");
    }
    let refused = async |signature: Option<&str>, reason: &str| {
        let answer = send(t, signature, bytes.clone()).await;
        let body = answer.refused("invalid_signature");
        let status = status().await;
        assert_eq!(status["lastRefusedReason"], reason);
        assert!(status["lastRefusedAt"].is_string());
        body["error"].as_str().expect("a text").to_owned()
    };
    let (now, hour) = (t.seconds(), 3600);
    let not_connected = refused(Some(&sign(&bytes, SECRET, now)), "no_secret").await;
    t.connect().await;
    let wrong = refused(Some(&sign(&bytes, "whsec_wrong", now)), "wrong_secret").await;
    let malformed = refused(Some("nonsense"), "malformed_signature").await;
    // Whether there is a secret is the team's business.
    assert_eq!((&not_connected, &malformed), (&wrong, &wrong));
    let missing = refused(None, "no_signature").await;
    assert!(missing.contains("missing"), "{missing}");
    let late = refused(Some(&sign(&bytes, SECRET, now - hour)), "out_of_time").await;
    assert!(late.contains("300 seconds"), "{late}");
    assert_eq!(status().await["lastReceivedAt"], Value::Null);
    t.deliver_bytes(bytes.clone()).await.ok();
    assert!(status().await["lastReceivedAt"].is_string());
}

async fn a_changed_body_is_refused(t: &Bench) {
    t.connect().await;
    let bytes = br#"{"id":"evt_1","type":"x","data":{"object":{}}}"#.to_vec();
    let signature = sign(&bytes, SECRET, t.seconds());
    for bit in (0..bytes.len() * 8).step_by(7) {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let answer = send(t, Some(&signature), changed).await;
        answer.refused("invalid_signature");
    }
    let spaced = [bytes.as_slice(), b"\n"].concat();
    send(t, Some(&signature), spaced)
        .await
        .refused("invalid_signature");
    send(t, Some(&signature), bytes).await.ok();
}

async fn one_good_signature_among_others_is_enough(t: &Bench) {
    t.connect().await;
    let bytes = body(&t.created("cus_x"));
    let now = t.seconds();
    let good = sign(&bytes, SECRET, now);
    let hex = good.split_once("v1=").expect("a signature").1;
    let other = "0".repeat(64);
    for signature in [
        format!("t={now},v1={other},v1={hex}"),
        format!("t={now},v1={hex},v1={other}"),
        format!("t={now},v0={other},v1={hex}"),
        format!("v1={hex},t={now}"),
        format!("t={now},v1={hex},v2=whatever"),
        format!("t={now}, v1={other} ,\tv1={hex}"),
    ] {
        send(t, Some(&signature), bytes.clone()).await.ok();
    }
    for lines in [
        vec![format!("t={now}"), format!("v1={hex}")],
        vec![format!("t={now},v1={other}"), format!("v1={hex}, v0=x")],
        vec![format!("v1={hex}"), format!("t={now}")],
    ] {
        let call = t.nobody.call(reqwest::Method::POST, &t.webhook());
        let call = lines
            .iter()
            .fold(call, |call, line| call.header("stripe-signature", line));
        let answer = call.body("application/json", bytes.clone()).send().await;
        answer.ok();
    }
}

async fn old_and_future_signatures_are_refused(t: &Bench) {
    t.connect().await;
    let bytes = body(&t.created("cus_x"));
    for (offset, good) in [
        (-290, true),
        (290, true),
        (-310, false),
        (310, false),
        (-86_400, false),
    ] {
        let signature = sign(&bytes, SECRET, t.seconds() + offset);
        let answer = send(t, Some(&signature), bytes.clone()).await;
        if good {
            answer.ok();
        } else {
            answer.refused("invalid_signature");
        }
    }
}

async fn the_secret_is_used_whole(t: &Bench) {
    t.connect().await;
    let bytes = body(&t.created("cus_x"));
    let without_prefix = SECRET.trim_start_matches("whsec_");
    let signature = sign(&bytes, without_prefix, t.seconds());
    send(t, Some(&signature), bytes)
        .await
        .refused("invalid_signature");
}

async fn while_rolling_both_secrets_are_valid(t: &Bench) {
    t.connect().await;
    let fresh = "whsec_fresh_0123456789";
    let roll = t.home.path("stripe/roll-webhook-secret");
    let answer = t
        .owner
        .post(&roll, json!({"webhookSecret": fresh, "oldValidHours": 2}));
    assert_eq!(answer.await.ok()["success"], true);
    let attempt = async |secret: &str| {
        let bytes = body(&t.created("cus_x"));
        let signature = sign(&bytes, secret, t.seconds());
        send(t, Some(&signature), bytes).await.status
    };
    assert_eq!((attempt(SECRET).await, attempt(fresh).await), (200, 200));
    t.advance(2 * HOUR - SECOND);
    assert_eq!((attempt(SECRET).await, attempt(fresh).await), (200, 200));
    t.advance(SECOND);
    assert_eq!((attempt(SECRET).await, attempt(fresh).await), (400, 200));
}

async fn without_a_connection_nothing_is_valid(t: &Bench) {
    let bytes = body(&t.created("cus_x"));
    for secret in ["", SECRET] {
        let signature = sign(&bytes, secret, t.seconds());
        send(t, Some(&signature), bytes.clone())
            .await
            .refused("invalid_signature");
    }
    t.connect().await;
    t.owner
        .post(&t.home.path("stripe/disconnect"), json!({}))
        .await
        .ok();
    for secret in ["", SECRET] {
        let signature = sign(&bytes, secret, t.seconds());
        send(t, Some(&signature), bytes.clone())
            .await
            .refused("invalid_signature");
    }
}

async fn the_address_may_have_a_slash_or_a_query_behind_it(t: &Bench) {
    t.connect().await;
    for (number, behind) in ["/", "?source=stripe", "/?source=stripe&source"]
        .iter()
        .enumerate()
    {
        let bytes = body(&t.created(&format!("cus_{number}")));
        let path = format!("{}{behind}", t.webhook());
        let call = t.nobody.call(reqwest::Method::POST, &path);
        let unsigned = call.body("application/json", bytes.clone()).send().await;
        unsigned.refused("invalid_signature");
        let call = t.nobody.call(reqwest::Method::POST, &path);
        let call = call.header("stripe-signature", &sign(&bytes, SECRET, t.seconds()));
        let answer = call.body("application/json", bytes).send().await.ok();
        assert_eq!(answer, json!({"received": true}), "{behind}");
    }
    assert_eq!(t.count("stripe_events").await, 3);
}

async fn unknown_teams_are_404(t: &Bench) {
    let bytes = body(&t.created("cus_x"));
    let signature = sign(&bytes, SECRET, t.seconds());
    for team in ["team_unknown", "x", "%00"] {
        let path = format!("/api/webhooks/stripe/{team}");
        let call = t.nobody.call(reqwest::Method::POST, &path);
        let call = call.header("stripe-signature", &signature);
        let answer = call.body("application/json", bytes.clone()).send().await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}

async fn events_may_be_larger_than_other_bodies(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let mut event = t.created(&pair.stripe);
    event["data"]["object"]["description"] = json!("x".repeat(1_500_000));
    t.accept(&event).await;
    assert_eq!(t.status(&referral).await, "converted");
    event["data"]["object"]["description"] = json!("x".repeat(2 * 1024 * 1024));
    t.deliver(&event).await.refused("payload_too_large");
}

/// The head of a request with an event of so many bytes, of which none follows.
fn head(t: &Bench, signature: &str, length: usize) -> String {
    format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nstripe-signature: {signature}\r\n\
         content-length: {length}\r\n\r\n",
        t.webhook()
    )
}

async fn nothing_is_read_of_what_cannot_be_signed(t: &Bench) {
    t.connect().await;
    let late = sign(b"{}", SECRET, t.seconds() - 301);
    for signature in ["", "t=1", &late] {
        let head = head(t, signature, 1_000_000);
        let (status, answer) = raw::exchange(&t.nodes[0].origin, head.as_bytes()).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer.contains("invalid_signature"), "{answer}");
    }
}

async fn few_large_events_are_read_at_once(t: &Bench) {
    t.connect().await;
    let origin = &t.nodes[0].origin;
    let signature = sign(b"{}", SECRET, t.seconds());
    let large = head(t, &signature, LARGEST_EVENT);
    let address = origin.strip_prefix("http://").expect("plain HTTP");
    let large = async || {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(large.as_bytes()).await.expect("sent");
        stream
    };
    let mut held = Vec::new();
    for _ in 0..LARGE_EVENTS_OF_ADDRESS / LARGEST_EVENT as u64 {
        held.push(large().await);
    }
    // Whichever is let in keeps its share, in whatever order they come: sooner or later one is refused.
    let answer = loop {
        let (mut stream, mut answer) = (large().await, vec![0; 4096]);
        match tokio::time::timeout(SOON, stream.read(&mut answer)).await {
            Ok(read) => {
                answer.truncate(read.expect("an answer"));
                break String::from_utf8(answer).expect("text");
            }
            Err(_) => held.push(stream),
        }
    };
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("overloaded"), "{answer}");
    // Those of the usual size are read all the same.
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    assert_eq!(t.status(&referral).await, "converted");
    drop(held);
}
