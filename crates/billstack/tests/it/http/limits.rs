//! Rate limits.

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;

on_both_engines! {
    whoever_asks_too_much_is_told_to_wait with five_a_second,
    others_are_not_held_back with five_a_second,
    health_is_exempt with five_a_second,
    without_a_limit_there_are_no_headers,
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
