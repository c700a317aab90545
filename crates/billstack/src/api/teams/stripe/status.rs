//! `GET …/stripe/status`.

use std::collections::BTreeMap;

pub mod queue;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_store::credits::delivery;
use billstack_store::list::Page;
use billstack_store::received::{self, EventFilter};
use billstack_store::stripe_connection::{self, Connection};
use serde::Serialize;
use utoipa::ToSchema;

use self::queue::QueueJson;
use super::SyncStatusJson;
use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::stripe::{Account, Probed, ProbedEndpoint, StripeError};
use crate::webhooks::stripe::signature::BadSignature;

/// How a team is connected to Stripe.
#[derive(Serialize, ToSchema)]
#[schema(as = StripeStatusAnswer)]
#[serde(rename_all = "camelCase")]
pub struct StatusAnswer {
    /// Whether the team is connected.
    connected: bool,
    /// Whether events are taken in; the same as `connected`.
    is_active: bool,
    /// Whether events come in; null when not connected.
    sync_status: Option<SyncStatusJson>,
    /// The name of the Stripe account; null when no secret key told it.
    account_name: Option<String>,
    /// Whether Stripe accepts the secret key; null without one, or when Stripe cannot be reached.
    key_valid: Option<bool>,
    /// When the last event was received; null when there is none.
    #[schema(format = DateTime)]
    last_received_at: Option<String>,
    /// When a call of the team's webhook was last refused; null when none was. Refusals are not stored, since
    /// anybody can cause them: it is what the node that answers has seen since it was started.
    #[schema(format = DateTime)]
    last_refused_at: Option<String>,
    /// Why it was refused.
    last_refused_reason: Option<RefusedReasonJson>,
    /// Whether the secret key has each permission that is of use, by Stripe's name for it. As it was found out when the
    /// team was connected, and every day since; null without a key, or as long as Stripe has not told.
    permissions: Option<BTreeMap<String, bool>>,
    /// The webhook endpoint, as it was found at the same time; null where the key may not read it, or finds none.
    webhook: Option<WebhookJson>,
    /// The credits that are on their way into balances in Stripe.
    queue: QueueJson,
}

/// The webhook endpoint of a team in Stripe.
#[derive(Serialize, ToSchema)]
#[schema(as = StripeWebhook)]
#[serde(rename_all = "camelCase")]
pub struct WebhookJson {
    /// Its id in Stripe.
    #[schema(example = "we_1QXabcDEFghiJKLmnoPQRstu")]
    id: String,
    /// The API version of what it sends; null is the account's own.
    #[schema(example = "2026-10-28.endive")]
    api_version: Option<String>,
    /// The events that it should send and does not.
    #[schema(example = json!(["credit_note.voided"]))]
    missing_events: Vec<String>,
    /// Whether version and events tell which invoice a refund or dispute is about; null where the version is not known.
    linkable: Option<bool>,
}

impl From<ProbedEndpoint> for WebhookJson {
    fn from(endpoint: ProbedEndpoint) -> WebhookJson {
        WebhookJson {
            id: endpoint.id,
            api_version: endpoint.api_version,
            missing_events: endpoint.missing_events,
            linkable: endpoint.linkable,
        }
    }
}

/// Why a call of a webhook was refused.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookRefusal)]
#[serde(rename_all = "snake_case")]
pub enum RefusedReasonJson {
    /// The team was not connected: there was no secret yet.
    NoSecret,
    /// It had no `Stripe-Signature`: it is not from Stripe, or a proxy took it away.
    NoSignature,
    /// Its `Stripe-Signature` had another form.
    MalformedSignature,
    /// It was signed with another secret, or its body was changed on the way.
    WrongSecret,
    /// It was signed more than 300 seconds before or after: it was repeated, or the clock of the server is wrong.
    OutOfTime,
}

impl From<BadSignature> for RefusedReasonJson {
    fn from(why: BadSignature) -> RefusedReasonJson {
        match why {
            BadSignature::NoSecret => RefusedReasonJson::NoSecret,
            BadSignature::Missing => RefusedReasonJson::NoSignature,
            BadSignature::Malformed => RefusedReasonJson::MalformedSignature,
            BadSignature::NoMatch => RefusedReasonJson::WrongSecret,
            BadSignature::OutOfTime => RefusedReasonJson::OutOfTime,
        }
    }
}

/// Get the state of the Stripe connection.
///
/// Asks Stripe whether it still accepts the secret key.
#[utoipa::path(
    get, path = "", operation_id = "get_stripe_status",
    responses((status = 200, description = "The connection.", body = StatusAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: TeamAccess) -> Result<Response, ApiError> {
    let team_id = access.team_id.clone();
    let read = app.store.point(move |tx| {
        let connection = stripe_connection::get(tx, &team_id)?;
        let newest = Page::first(1);
        let last = received::list(tx, &team_id, &EventFilter::default(), &newest)?
            .rows
            .pop();
        let probe = stripe_connection::probe(tx, &team_id)?;
        let pending = delivery::pending(tx, &team_id)?;
        let sync_status = SyncStatusJson::of(tx, &team_id)?;
        Ok((connection, sync_status, last, probe, pending))
    });
    let (connection, sync_status, last, probe, pending) = read.await?;
    let probed = probe.as_deref().and_then(Probed::read);
    let (permissions, webhook) = probed
        .map(|probed| (probed.permissions, probed.endpoint))
        .unzip();
    let refused = app.refused_calls.last(&access.team_id);
    let connection = connection.filter(|connection| connection.is_active);
    let (key_valid, account) = match &connection {
        Some(connection) => try_key(&app, &access.team_id, connection).await,
        None => (None, None),
    };
    let stored = connection
        .as_ref()
        .and_then(|connection| connection.account_name.clone());
    Ok(answer::send(answer::ok(&StatusAnswer {
        connected: connection.is_some(),
        is_active: connection.is_some(),
        sync_status: connection.is_some().then_some(sync_status),
        account_name: account.and_then(|account| account.name).or(stored),
        key_valid,
        last_received_at: last.map(|event| rfc3339(event.received_at.0)),
        last_refused_at: refused.map(|(at, _)| rfc3339(at.0)),
        last_refused_reason: refused.map(|(_, why)| why.into()),
        permissions,
        webhook: webhook.flatten().map(WebhookJson::from),
        queue: QueueJson::new(connection.as_ref(), pending),
    })))
}

pub(crate) async fn try_key(
    app: &App,
    team_id: &TeamId,
    connection: &Connection,
) -> (Option<bool>, Option<Account>) {
    match app.key_of(team_id, connection) {
        Ok(Some(key)) => match app.stripe.account(&key).await {
            Ok(account) => (Some(true), account),
            Err(StripeError::Unavailable { .. }) => (None, None),
            Err(StripeError::InvalidKey | StripeError::Refused { .. }) => (Some(false), None),
        },
        Ok(None) => (None, None),
        // It cannot be used, whatever Stripe would say of it; connecting again mends that.
        Err(_) => (Some(false), None),
    }
}
