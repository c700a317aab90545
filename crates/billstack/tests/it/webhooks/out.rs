//! Webhooks on their way to endpoints that answer, and to those that do not.

mod addresses;
mod endings;
mod hostile;
mod https;

use std::collections::BTreeSet;

use billstack::settings::SettingsArgs;
use billstack::webhooks::out::{secret, signature};
use billstack_core::time::{HOUR, MINUTE, Micros, SECOND};
use billstack_core::webhook::endpoint::{DeliveryState, Types};
use billstack_store::Place;
use billstack_store::list::Page;
use billstack_store::webhooks::log::Shown;
use billstack_store::webhooks::{DeliveryFilter, Endpoint, NewEndpoint, endpoints, log};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller as _;
use crate::support::fixture::{Pair, apply_body};
use crate::support::receiver::{Behaviour, Received, Receiver, eventually};

/// Servers that may send to receivers on this machine.
fn loopback() -> Setup {
    Setup {
        settings: allow_loopback,
        ..Setup::default()
    }
}

fn allow_loopback(args: &mut SettingsArgs) {
    args.webhook_allowed_networks = Some("127.0.0.0/8".to_owned());
    args.shutdown_grace_seconds = Some("0".to_owned());
}

/// An endpoint as a test knows it.
struct Known {
    id: String,
    secret: String,
}

impl Bench {
    fn place(&self) -> Place {
        Place::new(self.home.team_id(), self.home.project.as_str())
    }

    /// Makes an endpoint that wants these types.
    async fn endpoint_of(&self, url: &str, types: Types) -> Known {
        let (place, cipher) = (self.place(), self.app().cipher.clone());
        let fresh = signature::new_secret();
        let new = NewEndpoint {
            url: url.to_owned(),
            description: None,
            types,
        };
        let shown = fresh.expose().to_owned();
        let made = self.write(move |tx, act| {
            let seal = |id: &str| secret::seal(&cipher, &place.team_id, id, &fresh);
            endpoints::create(tx, act, &place, &new, seal)
        });
        Known {
            id: made.await.id,
            secret: shown,
        }
    }

    async fn endpoint(&self, url: &str) -> Known {
        self.endpoint_of(url, Types::Every).await
    }

    /// What is known of an endpoint now.
    async fn look_at(&self, endpoint: &Known) -> Endpoint {
        let (place, id) = (self.place(), endpoint.id.clone());
        let found = self
            .app()
            .store
            .scan(move |tx| endpoints::get(tx, &place, &id));
        found.await.expect("an endpoint")
    }

    /// Its deliveries, the oldest first.
    async fn log_of(&self, endpoint: &Known) -> Vec<Shown> {
        let (place, id) = (self.place(), endpoint.id.clone());
        let page = Page {
            limit: 100,
            offset: 0,
            after: None,
        };
        let filter = DeliveryFilter::default();
        let found = self.app().store.scan(move |tx| {
            let part = log::list(tx, &place, &id, &filter, &page)?;
            Ok(part.rows)
        });
        let mut shown = found.await.expect("deliveries");
        shown.reverse();
        shown
    }

    /// Waits until the first delivery to an endpoint was tried so often, and what came of that was kept.
    async fn tried(&self, endpoint: &Known, attempts: usize) -> Shown {
        let what = format!("attempt {attempts}");
        eventually(&what, || async {
            let first = self.log_of(endpoint).await.into_iter().next();
            first.filter(|shown| shown.attempts.len() >= attempts)
        })
        .await
    }
}

async fn each_change_is_told_to_each_endpoint_that_wants_it(bench: &Bench) {
    let (all, some) = (Receiver::start().await, Receiver::start().await);
    let to_all = bench.endpoint(&all.url()).await;
    let only = Types::from_text("code.created customer.created").expect("types");
    let to_some = bench.endpoint_of(&some.url(), only).await;
    let pair = bench.pair("ada").await;
    let referral = bench.apply(&pair).await;
    some.wait_for(3).await;
    let expected = [
        "code.created",
        "customer.created",
        "customer.created",
        "program.updated",
        "referral.applied",
    ];
    for received in all.wait_for(expected.len()).await {
        assert!(received.is_signed_with(&to_all.secret));
        assert!(!received.is_signed_with(&to_some.secret));
        assert_eq!(received.attempt(), "1");
        let seconds = bench.seconds().to_string();
        assert_eq!(received.headers["webhook-timestamp"], seconds);
        assert_eq!(received.headers["content-type"], "application/json");
        let body = received.json();
        assert_eq!(body["id"], received.id());
        assert_eq!(body["projectId"], bench.home.project.as_str());
        assert!(received.text.len() < 20_000);
    }
    assert_eq!(all.kinds(), expected);
    assert_eq!(some.kinds(), expected[..3]);
    let applied = all.seen().into_iter();
    let applied = applied.filter(|received| received.kind() == "referral.applied");
    let sequence = applied.map(|received| received.json()["sequence"].clone());
    assert_eq!(sequence.collect::<Vec<_>>(), [1]);
    assert!(referral["id"].is_string());
    for endpoint in [&to_all, &to_some] {
        let done = eventually("all to be concluded", || async {
            let shown = bench.log_of(endpoint).await;
            let over = shown
                .iter()
                .all(|shown| shown.delivery.state == DeliveryState::Delivered);
            over.then_some(shown)
        });
        for shown in done.await {
            let attempt = &shown.attempts[0];
            assert_eq!((attempt.status, attempt.error), (Some(204), None));
            assert_eq!(
                attempt.answer, None,
                "nothing is kept from an inner network"
            );
            assert_eq!(shown.next_attempt_at, None);
        }
        assert!(
            bench
                .look_at(endpoint)
                .await
                .health
                .last_success_at
                .is_some()
        );
    }
}

async fn what_was_refused_is_not_told(bench: &Bench) {
    let receiver = Receiver::start().await;
    bench.endpoint(&receiver.url()).await;
    let pair = bench.pair("ada").await;
    receiver.wait_for(4).await;
    let own = serde_json::json!({"code": pair.code, "refereeCustomerId": pair.referrer});
    bench
        .key
        .post("referrals/apply", own)
        .await
        .refused("self_referral");
    bench.apply(&pair).await;
    receiver.wait_for(5).await;
    bench.apply_refused(&pair).await;
    bench.customer("last").await;
    let kinds = receiver.wait_for(6).await;
    assert_eq!(kinds.last().expect("some").kind(), "customer.created");
    let applied = kinds.iter().filter(|one| one.kind() == "referral.applied");
    assert_eq!(applied.count(), 1);
}

impl Bench {
    async fn apply_refused(&self, pair: &Pair) {
        let body = apply_body(&pair.code, &pair.referee);
        self.key
            .post("referrals/apply", body)
            .await
            .refused("already_referred");
    }
}

/// How far a pause lies from what it should be is at most a fifth.
fn assert_near(pause: i64, usual: i64) {
    let within = usual * 4 / 5..=usual * 6 / 5;
    assert!(within.contains(&pause), "{pause} for {usual}");
}

const PAUSES: [i64; 9] = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

async fn attempts_follow_the_schedule_and_end(bench: &Bench) {
    let receiver = Receiver::with(Behaviour::Answer(500, "")).await;
    let endpoint = bench.endpoint(&receiver.url()).await;
    bench.customer("ada").await;
    for (number, usual) in (1..).zip(PAUSES) {
        let shown = bench.tried(&endpoint, number).await;
        let last = shown.attempts.last().expect("an attempt");
        assert_eq!(last.status, Some(500));
        let next = shown.next_attempt_at.expect("it goes on");
        assert_near(next.since(last.at), usual);
        bench.advance(next.since(bench.now()));
    }
    let shown = bench.tried(&endpoint, 10).await;
    assert_eq!(shown.delivery.state, DeliveryState::Failed);
    assert_eq!(shown.next_attempt_at, None);
    let seen = receiver.wait_for(10).await;
    let attempts: Vec<_> = seen.iter().map(|one| one.attempt()).collect();
    let expected: Vec<_> = (1..=10).map(|number| number.to_string()).collect();
    assert_eq!(attempts, expected);
    let first = &seen[0];
    let stamps: Vec<i64> = seen
        .iter()
        .map(|one| one.headers["webhook-timestamp"].parse().expect("seconds"))
        .collect();
    assert!(
        stamps.is_sorted_by(|a, b| a < b),
        "each is signed anew: {stamps:?}"
    );
    for one in &seen {
        assert!(one.is_signed_with(&endpoint.secret));
        assert_eq!((one.id(), &one.text), (first.id(), &first.text));
    }
}

async fn an_answer_may_ask_for_a_longer_pause(bench: &Bench) {
    let receiver = Receiver::with(Behaviour::Answer(503, "retry-after: 3600\r\n")).await;
    let endpoint = bench.endpoint(&receiver.url()).await;
    bench.customer("ada").await;
    let shown = bench.tried(&endpoint, 1).await;
    let pause = |next: Option<Micros>| next.expect("it goes on").since(bench.now());
    assert_eq!(pause(shown.next_attempt_at), HOUR);
    receiver.behave(Behaviour::Answer(429, "retry-after: 9999999\r\n"));
    bench.advance(HOUR);
    let shown = bench.tried(&endpoint, 2).await;
    assert_eq!(pause(shown.next_attempt_at), 24 * HOUR);
    receiver.behave(Behaviour::Answer(200, ""));
    bench.advance(24 * HOUR);
    let shown = bench.tried(&endpoint, 3).await;
    assert_eq!(shown.delivery.state, DeliveryState::Delivered);
}

async fn a_day_of_outage_is_caught_up_with(bench: &Bench) {
    let receiver = Receiver::start().await;
    let endpoint = bench.endpoint(&receiver.url()).await;
    let (port, url) = (receiver.port, receiver.url());
    bench.customer("before").await;
    receiver.wait_for(1).await;
    drop(receiver);
    for number in 0..40 {
        bench.customer(&format!("meanwhile{number}")).await;
    }
    for _ in 0..24 {
        bench.advance(HOUR);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let down = bench.look_at(&endpoint).await.health;
    assert!(down.failures > 40, "{down:?}");
    let receiver = Receiver::at(port, Behaviour::Answer(200, "")).await;
    assert_eq!(receiver.url(), url);
    bench.advance(24 * HOUR);
    // The clock ran on while some were under way: these may come twice, and what was refused a moment ago is put off
    // once more.
    let seen = eventually("all that was missed", || async {
        let seen = receiver.seen();
        let ids: BTreeSet<&str> = seen.iter().map(Received::id).collect();
        if ids.len() >= 40 {
            return Some(seen.clone());
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        bench.advance(HOUR);
        None
    })
    .await;
    assert!(seen.iter().all(|one| one.is_signed_with(&endpoint.secret)));
}

on_both_engines! {
    each_change_is_told_to_each_endpoint_that_wants_it with loopback,
    what_was_refused_is_not_told with loopback,
    attempts_follow_the_schedule_and_end with loopback,
    an_answer_may_ask_for_a_longer_pause with loopback,
    a_day_of_outage_is_caught_up_with with loopback,
}
