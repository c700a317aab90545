//! How endpoints end: gone at once, or after days of failures; and what comes after.

use std::collections::BTreeMap;

use billstack_core::time::{DAY, HOUR, SECOND};
use billstack_core::webhook::endpoint::{DeliveryState, Disabled};
use billstack_core::webhook::health::EndpointState;
use billstack_store::webhooks::{endpoints, replay};

use super::{Known, loopback};
use crate::support::bench::Bench;
use crate::support::receiver::{Behaviour, Receiver, eventually};

impl Bench {
    pub(super) async fn disable(&self, endpoint: &Known) {
        let (place, id) = (self.place(), endpoint.id.clone());
        self.write(move |tx, act| endpoints::disable(tx, act, &place, &id))
            .await;
    }

    async fn enable(&self, endpoint: &Known) {
        let (place, id) = (self.place(), endpoint.id.clone());
        self.write(move |tx, act| endpoints::enable(tx, act, &place, &id))
            .await;
    }

    async fn until(&self, endpoint: &Known, state: EndpointState) {
        eventually(state.as_str(), || async {
            let now = self.look_at(endpoint).await.health.state;
            (now == state).then_some(())
        })
        .await;
    }
}

async fn an_endpoint_that_is_gone_gets_nothing_more(bench: &Bench) {
    let (gone, other) = (
        Receiver::with(Behaviour::Answer(410, "")).await,
        Receiver::start().await,
    );
    let endpoint = bench.endpoint(&gone.url()).await;
    bench.endpoint(&other.url()).await;
    bench.customer("ada").await;
    bench.until(&endpoint, EndpointState::Disabled).await;
    let found = bench.look_at(&endpoint).await;
    assert_eq!(found.disabled.expect("it is").1, Disabled::Gone);
    let shown = bench.tried(&endpoint, 1).await;
    assert_eq!(shown.delivery.state, DeliveryState::Failed);
    other.wait_for(2).await;
    assert_eq!(
        other.kinds(),
        ["customer.created", "webhook_endpoint.disabled"]
    );
    bench.customer("grace").await;
    other.wait_for(3).await;
    assert_eq!(gone.seen().len(), 1);
}

async fn days_of_failures_are_told_of_and_end_it(bench: &Bench) {
    let (failing, other) = (
        Receiver::with(Behaviour::Answer(500, "")).await,
        Receiver::start().await,
    );
    let endpoint = bench.endpoint(&failing.url()).await;
    bench.endpoint(&other.url()).await;
    let start = bench.now();
    let mut told = Vec::new();
    for number in 0..21 {
        let before = failing.seen().len();
        bench.customer(&format!("ada{number}")).await;
        eventually("another attempt", || async {
            (failing.seen().len() > before).then_some(())
        })
        .await;
        let day = bench.now().since(start) / DAY;
        let state = eventually("what came of it", || async {
            let health = bench.look_at(&endpoint).await.health;
            let is_new = health.last_failure_at == Some(bench.now());
            is_new.then_some(health.state)
        })
        .await;
        told.push((day, state));
        if state == EndpointState::Disabled {
            break;
        }
        bench.advance(6 * HOUR);
    }
    let expected = |day| match day {
        0 => EndpointState::Active,
        1..5 => EndpointState::Failing,
        _ => EndpointState::Disabled,
    };
    assert!(told.len() == 21, "five days: {told:?}");
    assert!(
        told.iter().all(|(day, state)| *state == expected(*day)),
        "{told:?}"
    );
    let about = eventually("both to be told", || async {
        // Whoever moves the clock while one is under way may have it sent again, under the same id.
        let seen = other.seen();
        let events: BTreeMap<_, _> = seen.iter().map(|one| (one.id(), one.kind())).collect();
        let mut kinds: Vec<_> = events.into_values().collect();
        kinds.retain(|kind| kind.starts_with("webhook_endpoint."));
        kinds.sort_unstable();
        (kinds.len() >= 2).then_some(kinds)
    });
    let expected = ["webhook_endpoint.disabled", "webhook_endpoint.failing"];
    assert_eq!(about.await, expected);
    enabled_it_stays_so(bench, &endpoint, &failing).await;
}

/// And what it missed comes on request.
async fn enabled_it_stays_so(bench: &Bench, endpoint: &Known, failing: &Receiver) {
    failing.behave(Behaviour::Answer(200, ""));
    let disabled_at = bench.look_at(endpoint).await.disabled.expect("it is").0;
    bench.advance(HOUR);
    let missed = bench.customer("missed").await;
    bench.enable(endpoint).await;
    let before = failing.seen().len();
    bench.customer("after").await;
    failing.wait_for(before + 1).await;
    bench.until(endpoint, EndpointState::Active).await;
    let place = bench.place();
    let range = replay::Range {
        since: disabled_at.plus(1),
        until: bench.now(),
        state: None,
        types: None,
    };
    let id = endpoint.id.clone();
    let number = bench.write(move |tx, act| {
        let number = replay::count(tx, &place, &id, &range)?;
        replay::begin(tx, act, &place, &id, &range, number)?;
        Ok(number)
    });
    assert_eq!(number.await, 1, "the customer that was missed");
    let received = eventually("what was missed", || async {
        // The clock of the bench stands still, and the log is read once nothing can be added to it any more.
        bench.advance(10 * SECOND);
        let seen = failing.seen();
        seen.into_iter().find(|one| one.text.contains(&missed))
    })
    .await;
    assert!(received.is_signed_with(&endpoint.secret));
}

async fn a_replay_is_one_attempt_that_does_not_count(bench: &Bench) {
    let receiver = Receiver::with(Behaviour::Answer(500, "")).await;
    let endpoint = bench.endpoint(&receiver.url()).await;
    bench.customer("ada").await;
    let first = bench.tried(&endpoint, 1).await;
    bench.disable(&endpoint).await;
    let health = bench.look_at(&endpoint).await.health;
    let (place, id, delivery) = (
        bench.place(),
        endpoint.id.clone(),
        first.delivery.id.clone(),
    );
    bench
        .write(move |tx, act| replay::one(tx, act, &place, &id, &delivery))
        .await;
    let seen = receiver.wait_for(2).await;
    assert_eq!((seen[0].id(), seen[1].attempt()), (seen[1].id(), "1"));
    let replayed = eventually("the replay to end", || async {
        let shown = bench.log_of(&endpoint).await;
        let replay = shown.into_iter().find(|shown| shown.delivery.is_replay);
        replay.filter(|shown| shown.delivery.ended_at.is_some())
    })
    .await;
    assert_eq!(replayed.delivery.state, DeliveryState::Failed);
    assert_eq!(bench.look_at(&endpoint).await.health, health);
}

on_both_engines! {
    an_endpoint_that_is_gone_gets_nothing_more with loopback,
    days_of_failures_are_told_of_and_end_it with loopback,
    a_replay_is_one_attempt_that_does_not_count with loopback,
}
