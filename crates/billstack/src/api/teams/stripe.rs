//! `…/stripe`: a team's connection to Stripe, and what came in over it.

pub mod connect;
pub mod disconnect;
pub mod events;
pub mod roll_webhook_secret;
pub mod status;
pub mod webhook_url;

use billstack_core::ids::TeamId;
use billstack_store::intake;
use billstack_store::{Fault, Tx};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::http::json::Text;
use crate::settings::SecretText;
use crate::stripe;

/// The longest key or secret taken, in characters.
const LONGEST_SECRET: usize = 300;

/// Whether events come in.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = StripeSyncStatus)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatusJson {
    /// No verified event has come in yet.
    Pending,
    /// At least one has.
    Ready,
}

impl SyncStatusJson {
    fn of(tx: &mut dyn Tx, team_id: &TeamId) -> Result<SyncStatusJson, Fault> {
        Ok(match intake::any(tx, team_id)? {
            true => SyncStatusJson::Ready,
            false => SyncStatusJson::Pending,
        })
    }
}

/// A change that was made.
#[derive(Serialize, ToSchema)]
pub struct SuccessAnswer {
    /// Always true.
    success: bool,
}

/// A webhook signing secret; surrounding white space does not matter.
pub(crate) struct WebhookSecret(pub(crate) SecretText);

impl<'de> Deserialize<'de> for WebhookSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<1, LONGEST_SECRET>::deserialize(deserializer)?;
        stripe::webhook_secret(&text)
            .map(WebhookSecret)
            .ok_or_else(|| D::Error::custom("must be a signing secret that begins with whsec_."))
    }
}
