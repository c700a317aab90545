//! The credits of a team that are on their way into balances in Stripe.

use billstack_core::delivery::Pause;
use billstack_core::time::Micros;
use billstack_store::stripe_connection::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// The credits of a team that are on their way into balances in Stripe.
#[derive(Serialize, ToSchema)]
#[schema(as = StripeQueue)]
#[serde(rename_all = "camelCase")]
pub struct QueueJson {
    /// Whether nothing is delivered at present. It is tried again every 15 minutes, and when the team is connected
    /// anew.
    paused: bool,
    /// Why.
    #[schema(value_type = Option<PauseJson>)]
    reason: Option<Pause>,
    /// The permission that the secret key lacks, where Stripe names it.
    missing_permission: Option<String>,
    /// How many are not delivered, those that need attention included.
    #[schema(minimum = 0, example = 0)]
    pending: i64,
    /// When the oldest of them was caused.
    #[schema(format = DateTime)]
    oldest: Option<String>,
}

/// Why no credits are delivered.
#[derive(Serialize, ToSchema)]
#[schema(as = StripePause)]
#[serde(rename_all = "snake_case")]
pub enum PauseJson {
    /// Stripe does not accept the secret key.
    StripeKeyInvalid,
    /// The secret key lacks a permission.
    StripePermissionMissing,
}

impl QueueJson {
    /// What waits, by the connection that it waits for.
    pub fn new(
        connection: Option<&Connection>,
        (pending, oldest): (i64, Option<Micros>),
    ) -> QueueJson {
        let pause = connection.and_then(|connection| connection.pause.as_ref());
        QueueJson {
            paused: pause.is_some(),
            reason: pause.map(|pause| pause.reason),
            missing_permission: pause.and_then(|pause| pause.lacks.clone()),
            pending,
            oldest: oldest.map(|at| rfc3339(at.0)),
        }
    }
}
