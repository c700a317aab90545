//! Limits on what a caller may ask, and hold.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::bench::{Bench, Setup};
use crate::support::client::{Caller, KeyClient};
use crate::support::raw;

on_both_engines! {
    whoever_asks_too_much_is_told_to_wait with five_a_second,
    others_are_not_held_back with five_a_second,
    health_is_exempt with five_a_second,
    without_a_limit_there_are_no_headers,
    a_caller_holds_a_bounded_number_of_bytes,
}

fn five_a_second() -> Setup {
    Setup {
        settings: |args| args.rate_limit = Some("5".to_owned()),
        ..Setup::default()
    }
}

async fn whoever_asks_too_much_is_told_to_wait(t: &Bench) {
    let answers = Bench::at_once((0..40).map(|_| t.key.get("referrals/config"))).await;
    let (allowed, held): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 200);
    assert!((5..30).contains(&allowed.len()), "{}", allowed.len());
    for answer in &allowed {
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"default\";q=5;w=1")
        );
        let left = answer.header("ratelimit").expect("what is left");
        assert!(left.starts_with("\"default\";r="), "{left}");
    }
    for answer in held {
        assert_eq!(answer.status, 429);
        assert!(answer.header("ratelimit").is_some());
        let wait = answer.header("retry-after").expect("a time to wait");
        assert!(
            wait.parse::<u32>().is_ok_and(|seconds| seconds >= 1),
            "{wait}"
        );
        answer.refused("rate_limited");
    }
}

async fn others_are_not_held_back(t: &Bench) {
    let (_, other) = t.key(None, &[], None).await;
    Bench::at_once((0..40).map(|_| t.key.get("referrals/config"))).await;
    other.get("referrals/config").await.ok();
    t.owner.get("referrals/config").await.ok();
}

async fn health_is_exempt(t: &Bench) {
    let calls = (0..40).map(|number| t.nobody.get(["/healthz", "/readyz"][number % 2]));
    for answer in Bench::at_once(calls).await {
        assert_eq!(answer.status, 200);
    }
}

async fn without_a_limit_there_are_no_headers(t: &Bench) {
    let answer = t.key.get("referrals/config").await;
    assert_eq!(answer.header("ratelimit"), None);
    assert_eq!(answer.header("ratelimit-policy"), None);
}

/// The largest body, and how many of them one caller may have on their way.
const LARGEST: usize = 256 * 1024;
const AT_ONCE: usize = 32;

/// The head of a request whose body waits until it is asked for.
fn head(key: &KeyClient) -> String {
    format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: {LARGEST}\r\nconnection: close\r\n\r\n",
        key.wire().path("customers"),
        key.key,
    )
}

/// Begins a request, and waits until the server reads its body.
async fn begin(origin: &str, key: &KeyClient) -> TcpStream {
    let address = origin.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let sent = stream.write_all(head(key).as_bytes()).await;
    sent.expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 100");
    stream
}

async fn a_caller_holds_a_bounded_number_of_bytes(t: &Bench) {
    let origin = &t.nodes[0].origin;
    let mut held = Vec::new();
    for _ in 0..AT_ONCE {
        held.push(begin(origin, &t.key).await);
    }
    let (status, answer) = raw::exchange(origin, head(&t.key).as_bytes()).await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains("overloaded"), "{answer}");
    // Small ones are read all the same, and so are those of others.
    t.customer("small").await;
    let (_, other) = t.key(None, &[], None).await;
    begin(origin, &other).await;
    drop(held);
}
