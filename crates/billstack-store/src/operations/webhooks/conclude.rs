//! What came of sending a webhook, and what that says of its endpoint.

use billstack_core::event::Event;
use billstack_core::webhook::attempt::{AttemptError, Meaning};
use billstack_core::webhook::endpoint::{DeliveryState, Disabled};
use billstack_core::webhook::health::{EndpointState, Outcome};
use billstack_core::webhook::schedule;

use super::{Attempt, Job};
use crate::operations::test_clock;
use crate::seam::{Act, Fault, Tx};
use crate::tables::webhook_endpoints::{self, Endpoint};
use crate::tables::{events, webhook_attempts, webhook_deliveries, work};

/// How far apart the times of two successes are at least that an endpoint is shown with: whoever takes hundreds in a
/// second need not be written anew for each.
const SHOWN_APART: i64 = billstack_core::time::SECOND;

/// What came of an attempt, and what chance and the answer add.
#[derive(Clone, Debug)]
pub struct Told {
    /// How it went; `at` is the time of day.
    pub attempt: Attempt,
    /// What that means.
    pub meaning: Meaning,
    /// How long the answer asks to wait, in microseconds.
    pub retry_after: Option<i64>,
    /// Any number.
    pub chance: u64,
}

/// What has become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concluded {
    /// The endpoint took it.
    Delivered,
    /// It will be sent again.
    Again,
    /// It is over.
    Failed,
    /// Somebody else has taken it over meanwhile; nothing was kept.
    Lost,
}

/// Keeps how it went.
pub fn conclude(
    tx: &mut dyn Tx,
    act: &mut Act,
    job: &Job,
    told: &Told,
) -> Result<Concluded, Fault> {
    let (place, delivery) = (&job.to_send.place, &job.to_send.delivery);
    test_clock::enter(tx, act, place)?;
    let next = match told.meaning {
        Meaning::Again if !delivery.is_replay => {
            schedule::next(job.attempt(), act.at, told.chance, told.retry_after)
        }
        Meaning::Delivered | Meaning::Gone | Meaning::Again => None,
    };
    let is_ours = match next {
        Some(at) => work::put_back(tx, &job.key(), job.until, at.plus(-act.ahead()), None)?,
        None => work::done_under(tx, &job.key(), job.until)?,
    };
    if !is_ours {
        return Ok(Concluded::Lost);
    }
    let (state, concluded) = match (told.meaning, next) {
        (_, Some(_)) => (DeliveryState::Waiting, Concluded::Again),
        (Meaning::Delivered, None) => (DeliveryState::Delivered, Concluded::Delivered),
        (Meaning::Gone | Meaning::Again, None) => (DeliveryState::Failed, Concluded::Failed),
    };
    let attempt = Attempt {
        at: told.attempt.at.plus(act.ahead()),
        ..told.attempt.clone()
    };
    let ended = (state, next.is_none().then_some(act.real()));
    webhook_attempts::insert(tx, &place.team_id, &delivery.id, job.attempt(), &attempt)?;
    webhook_deliveries::tried(tx, &place.team_id, &delivery.id, job.attempt(), ended)?;
    let is_ours = attempt.error.is_some_and(AttemptError::is_ours);
    if !delivery.is_replay && !is_ours {
        judge(tx, act, job, told.meaning, &attempt)?;
    }
    Ok(concluded)
}

/// Keeps what an attempt says of its endpoint, and tells the others if it does badly.
fn judge(
    tx: &mut dyn Tx,
    act: &mut Act,
    job: &Job,
    meaning: Meaning,
    attempt: &Attempt,
) -> Result<(), Fault> {
    let (place, id) = (&job.to_send.place, &job.to_send.delivery.endpoint_id);
    let Some(endpoint) = webhook_endpoints::get(tx, place, id)? else {
        return Ok(());
    };
    let outcome = match meaning {
        Meaning::Delivered => Outcome::Success,
        Meaning::Again => Outcome::Failure,
        Meaning::Gone => Outcome::Gone,
    };
    if says_nothing_new(&endpoint, outcome, attempt) {
        return Ok(());
    }
    super::hold(tx, id)?;
    let Some(endpoint) = webhook_endpoints::get(tx, place, id)? else {
        return Ok(());
    };
    let before = endpoint.health;
    let after = before.after(outcome, attempt.at);
    let mut disabled = endpoint.disabled;
    let is_new = after.state != before.state;
    if is_new && after.state == EndpointState::Disabled {
        let reason = match outcome {
            Outcome::Gone => Disabled::Gone,
            Outcome::Success | Outcome::Failure => Disabled::Failures,
        };
        disabled = Some((act.at, reason));
        let reason = reason.as_str();
        let event = Event::WebhookEndpointDisabled { reason };
        events::record(tx, act, place, id, &event)?;
    }
    if is_new && after.state == EndpointState::Failing {
        let last_success_at = after.last_success_at;
        let event = Event::WebhookEndpointFailing { last_success_at };
        events::record(tx, act, place, id, &event)?;
    }
    webhook_endpoints::judged(tx, place, id, &after, disabled)
}

/// Whether an endpoint that does well has done so again, a moment after it did.
fn says_nothing_new(endpoint: &Endpoint, outcome: Outcome, attempt: &Attempt) -> bool {
    let health = &endpoint.health;
    let last = health.last_success_at;
    outcome == Outcome::Success
        && health.first_failure_at.is_none()
        && last.is_some_and(|last| attempt.at.since(last) < SHOWN_APART)
}
