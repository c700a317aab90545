//! Endpoints that hang, lie, lead elsewhere, or never stop talking.

use billstack_core::webhook::attempt::AttemptError;
use billstack_core::webhook::endpoint::{DeliveryState, Types};

use super::loopback;
use crate::support::bench::Bench;
use crate::support::receiver::{Behaviour, Receiver};

/// More than there are slots for endpoints that each take four.
const HANGING: usize = 10;

async fn endpoints_that_hang_hold_nobody_else_up(bench: &Bench) {
    let hanging = Receiver::with(Behaviour::Hang).await;
    let only = Types::from_text("customer.created").expect("types");
    let mut silent = Vec::new();
    for _ in 1..HANGING {
        silent.push(bench.endpoint_of(&hanging.url(), only.clone()).await);
    }
    let prompt = Receiver::start().await;
    bench.endpoint_of(&prompt.url(), only).await;
    for number in 0..50 {
        bench.customer(&format!("ada{number}")).await;
    }
    prompt.wait_for(50).await;
    for endpoint in &silent {
        let tried = bench.log_of(endpoint).await;
        let tried = tried.iter().filter(|shown| !shown.attempts.is_empty());
        assert_eq!(tried.count(), 0, "nobody has waited until it was given up");
    }
    assert!(
        hanging.connections() <= silent.len(),
        "one at a time for each"
    );
    let shown = bench.tried(&silent[0], 1).await;
    assert_eq!(shown.attempts[0].error, Some(AttemptError::Timeout));
    assert!((15_000..20_000).contains(&shown.attempts[0].duration_ms));
}

async fn who_does_not_answer_properly_has_failed(bench: &Bench) {
    let inside = Receiver::start().await;
    let location = format!("location: {}\r\n", inside.url());
    let location: &'static str = Box::leak(location.into_boxed_str());
    let all = [
        (
            Behaviour::Close,
            None,
            Some(AttemptError::Closed),
            DeliveryState::Waiting,
        ),
        (
            Behaviour::Trickle,
            None,
            Some(AttemptError::Timeout),
            DeliveryState::Waiting,
        ),
        (Behaviour::Flood, Some(200), None, DeliveryState::Delivered),
        (
            Behaviour::Answer(302, location),
            Some(302),
            Some(AttemptError::Status),
            DeliveryState::Waiting,
        ),
        (
            Behaviour::Answer(404, ""),
            Some(404),
            Some(AttemptError::Status),
            DeliveryState::Waiting,
        ),
    ];
    for (number, (behaviour, status, error, state)) in all.into_iter().enumerate() {
        let receiver = Receiver::with(behaviour.clone()).await;
        let endpoint = bench.endpoint(&receiver.url()).await;
        bench.customer(&format!("ada{number}")).await;
        let shown = bench.tried(&endpoint, 1).await;
        let attempt = &shown.attempts[0];
        assert_eq!(
            (attempt.status, attempt.error),
            (status, error),
            "{behaviour:?}"
        );
        assert_eq!(shown.delivery.state, state, "{behaviour:?}");
        // What was read is 16 KiB; the rest of it is what the kernel had taken over.
        assert!(receiver.written() < 8 << 20, "{}", receiver.written());
        bench.disable(&endpoint).await;
    }
    assert_eq!(inside.connections(), 0, "a redirect is not followed");
}

async fn nobody_listening_is_a_failure_like_any_other(bench: &Bench) {
    let receiver = Receiver::start().await;
    let endpoint = bench.endpoint(&receiver.url()).await;
    drop(receiver);
    bench.customer("ada").await;
    let shown = bench.tried(&endpoint, 1).await;
    assert_eq!(shown.attempts[0].error, Some(AttemptError::Connect));
    assert_eq!(shown.attempts[0].status, None);
}

on_both_engines! {
    endpoints_that_hang_hold_nobody_else_up with loopback,
    who_does_not_answer_properly_has_failed with loopback,
    nobody_listening_is_a_failure_like_any_other with loopback,
}
