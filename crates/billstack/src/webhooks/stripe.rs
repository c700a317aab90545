//! `POST /api/webhooks/stripe/{teamId}`: what Stripe tells.

mod content;
mod schema;
pub mod signature;

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use billstack_core::stripe_event;
use billstack_store::act::Actor;
use billstack_store::refusal::Refusal;
use billstack_store::stripe_connections::{self, Connection};
use billstack_store::stripe_events::{self, Delivery, Incoming, Outcome};
use billstack_store::teams;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::answer;
use crate::http::path::Team;
use crate::http::request_id::RequestId;
use crate::http::serve::read_body;
use crate::settings::SecretText;
use crate::stripe::{SecretField, unsealed};
use crate::telemetry;
pub use content::has_no_effect;
use signature::BadSignature;

/// The largest event, in bytes.
pub const LARGEST_EVENT: usize = 2 * 1024 * 1024;

/// Says that the event is kept.
#[derive(Serialize, ToSchema)]
pub struct ReceivedAnswer {
    /// Always true.
    received: bool,
}

/// Receive an event from Stripe.
///
/// The signature is checked over the raw bytes of the body, whatever its declared content type, and
/// must be at most 300 seconds old or ahead. By the time of the answer the event and all it leads to
/// are stored; an event that was received before is answered the same and has no effect. An answer
/// other than 200 makes Stripe deliver the event again.
#[utoipa::path(
    post, path = "", operation_id = "receive_stripe_event",
    params(("Stripe-Signature" = String, Header, description = "The time and signatures: `t=…,v1=…`.", example = "t=1774872000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd")),
    request_body(content = schema::StripeEventBody, content_type = "application/json", description = "At most 2 MiB."),
    responses((status = 200, description = "The event is stored.", body = ReceivedAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    Team(team_id): Team,
    request: Request,
) -> Result<Response, ApiError> {
    let outcome = receive(&app, &team_id, request).await;
    telemetry::webhook(match &outcome {
        Ok(outcome) => outcome.map_or("duplicate", Outcome::as_str),
        Err(error) if error.reason.status().is_server_error() => "error",
        Err(error) => error.reason.as_str(),
    });
    outcome?;
    Ok(answer::send(answer::ok(&ReceivedAnswer { received: true })))
}

/// Takes an event in; `None` when it was taken in before.
async fn receive(
    app: &Shared,
    team_id: &str,
    request: Request,
) -> Result<Option<Outcome>, ApiError> {
    let (connection, secrets) = connection(app, team_id).await?;
    let (parts, body) = request.into_parts();
    let timeout = Duration::from_secs(app.settings.body_timeout_seconds.into());
    let body = read_body(body, LARGEST_EVENT, timeout).await?;
    check(app, team_id, &parts.headers, &body, &secrets)?;
    let not_an_event = || ApiError::new(Reason::NotAnEvent);
    let event = stripe_event::parse(&body, app.now()).map_err(|_| not_an_event())?;
    let payload = String::from_utf8(body.into()).map_err(|_| not_an_event())?;
    let is_thin = matches!(event.content, stripe_event::Content::Thin { .. });
    if is_thin && is_settled(app, team_id, &event.id).await? {
        return Ok(None);
    }
    let incoming = app.understand(team_id, Some(&connection), event, payload);
    let incoming = incoming.await?;
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    keep(app, team_id, incoming, &request_id.unwrap_or_default()).await
}

/// The team's connection and the secrets that are valid now.
async fn connection(app: &App, team_id: &str) -> Result<(Connection, Vec<SecretText>), ApiError> {
    let team = team_id.to_owned();
    let read = app.store.point(move |tx| {
        let connection = stripe_connections::get(tx, &team)?;
        if connection.is_none() {
            teams::get(tx, &team)?.ok_or(Refusal::NotFound("team"))?;
        }
        Ok(connection)
    });
    let connection = read.await?.filter(|connection| connection.is_active);
    let connection = connection.ok_or(ApiError::new(Reason::InvalidSignature))?;
    let now = app.now();
    let is_valid = connection.old_valid_until.is_some_and(|until| now < until);
    let old = connection.old_webhook_secret.iter().filter(|_| is_valid);
    let sealed = connection.webhook_secret.iter().chain(old);
    let field = SecretField::WebhookSecret;
    let secrets = sealed.map(|sealed| unsealed(&app.cipher, team_id, field, sealed));
    let secrets = secrets.collect::<Result<_, _>>()?;
    Ok((connection, secrets))
}

fn check(
    app: &App,
    team_id: &str,
    headers: &HeaderMap,
    body: &Bytes,
    secrets: &[SecretText],
) -> Result<(), ApiError> {
    let mut headers = headers.get_all("stripe-signature").iter();
    let header = headers.next().and_then(|header| header.to_str().ok());
    let verified = match (header, headers.next()) {
        (Some(header), None) => signature::verify(header, body, secrets, app.now().as_secs()),
        _ => Err(BadSignature::Malformed),
    };
    verified.map_err(|why| {
        match why {
            // Every event of every team meets this when our clock is wrong.
            BadSignature::OutOfTime => {
                tracing::warn!(
                    team_id,
                    "a signature is out of time; is this machine's clock right?"
                );
            }
            _ => tracing::info!(team_id, ?why, "a signature was refused"),
        }
        ApiError::new(Reason::InvalidSignature)
    })
}

/// Whether an event was taken in before, so that its object need not be fetched again.
async fn is_settled(app: &App, team_id: &str, id: &str) -> Result<bool, ApiError> {
    let (team, id) = (team_id.to_owned(), id.to_owned());
    let read = app
        .store
        .point(move |tx| Ok(stripe_events::outcome(tx, &team, &id)?));
    Ok(read
        .await?
        .is_some_and(|outcome| outcome != Outcome::Failed))
}

/// Stores an event with all it leads to, in one transaction.
async fn keep(
    app: &App,
    team_id: &str,
    incoming: Incoming,
    request_id: &str,
) -> Result<Option<Outcome>, ApiError> {
    let origin = app.origin(Actor::Stripe(incoming.id.clone()), request_id);
    let team = team_id.to_owned();
    let settled = app.store.write(origin, move |tx, act| {
        stripe_events::receive(tx, act, &team, &incoming, Delivery::Delivered)
    });
    Ok(settled.await?.map(|settled| settled.outcome))
}
