//! `…/webhook-endpoints/{endpointId}/deliveries`: what was sent to an endpoint, and what waits.

pub mod get;
pub mod list;
pub mod replay;

use billstack_core::webhook::attempt::AttemptError;
use billstack_core::webhook::endpoint::DeliveryState;
use billstack_core::webhook::types::Type;
use billstack_store::webhooks::Attempt;
use billstack_store::webhooks::log::Shown;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// How far a delivery has come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookDeliveryState)]
pub enum DeliveryStateJson {
    /// The endpoint took it.
    Delivered,
    /// It was given up: after ten attempts, at once where somebody had asked for it, or because the endpoint was
    /// disabled.
    Failed,
    /// It is to be sent, or sent again.
    Waiting,
}

/// One time that an event was sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookAttempt)]
pub struct AttemptJson {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The status of the answer; null where there was none.
    #[schema(minimum = 100, maximum = 999, example = 204)]
    status: Option<i64>,
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, example = 87)]
    duration_ms: i64,
    /// Why it failed; null where it did not.
    #[schema(value_type = Option<String>, example = "timeout")]
    error: Option<AttemptError>,
    /// How the answer begins, 1 KiB at most. Null where there was none, and from networks of the operator's own.
    #[schema(example = "ok")]
    answer: Option<String>,
}

impl AttemptJson {
    fn new(attempt: &Attempt) -> AttemptJson {
        AttemptJson {
            at: rfc3339(attempt.at.0),
            status: attempt.status,
            duration_ms: attempt.duration_ms,
            error: attempt.error,
            answer: attempt.answer.clone(),
        }
    }
}

/// An event on its way to an endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookDelivery)]
pub struct DeliveryJson {
    /// Its id.
    #[schema(example = "whd_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The endpoint.
    #[schema(example = "whe_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    endpoint_id: String,
    /// The event, which is `webhook-id` on every attempt.
    #[schema(example = "evt_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    event_id: String,
    /// What it tells.
    #[serde(rename = "type")]
    #[schema(example = "referral.converted")]
    kind: String,
    /// How far it has come.
    #[schema(value_type = DeliveryStateJson)]
    state: DeliveryState,
    /// Whether somebody asked for it.
    is_replay: bool,
    /// How it went each time, the first one first.
    attempts: Vec<AttemptJson>,
    /// When it is sent next; null when it is over.
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

impl DeliveryJson {
    fn new(shown: &Shown) -> DeliveryJson {
        let delivery = &shown.delivery;
        DeliveryJson {
            id: delivery.id.clone(),
            endpoint_id: delivery.endpoint_id.clone(),
            event_id: delivery.event_id.clone(),
            kind: delivery.kind.as_str().to_owned(),
            state: delivery.state,
            is_replay: delivery.is_replay,
            attempts: shown.attempts.iter().map(AttemptJson::new).collect(),
            next_attempt_at: shown.next_attempt_at.map(|at| rfc3339(at.0)),
            created_at: rfc3339(delivery.created_at.0),
        }
    }
}

/// A test as a delivery: it is over at once, and not kept.
pub(super) struct Tested<'t> {
    pub(super) id: String,
    pub(super) endpoint_id: &'t str,
    pub(super) event_id: &'t str,
    pub(super) kind: Type,
    pub(super) attempt: &'t Attempt,
}

impl From<Tested<'_>> for DeliveryJson {
    fn from(tested: Tested<'_>) -> DeliveryJson {
        DeliveryJson {
            id: tested.id,
            endpoint_id: tested.endpoint_id.to_owned(),
            event_id: tested.event_id.to_owned(),
            kind: tested.kind.as_str().to_owned(),
            state: match tested.attempt.error {
                None => DeliveryState::Delivered,
                Some(_) => DeliveryState::Failed,
            },
            is_replay: true,
            attempts: vec![AttemptJson::new(tested.attempt)],
            next_attempt_at: None,
            created_at: rfc3339(tested.attempt.at.0),
        }
    }
}

/// A delivery as the one resource of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveryAnswer)]
pub struct DeliveryAnswer {
    /// The delivery.
    delivery: DeliveryJson,
}

impl DeliveryAnswer {
    fn new(shown: &Shown) -> DeliveryAnswer {
        DeliveryAnswer {
            delivery: DeliveryJson::new(shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_spelled_alike_everywhere() {
        let described = [
            DeliveryStateJson::Delivered,
            DeliveryStateJson::Failed,
            DeliveryStateJson::Waiting,
        ];
        let described = described.map(|state| serde_json::to_value(state).ok());
        let known = DeliveryState::ALL.iter();
        let known: Vec<_> = known
            .map(|state| serde_json::to_value(state).ok())
            .collect();
        assert_eq!(described.as_slice(), known);
    }
}
