//! `POST /api/webhooks/stripe/{teamId}`: what Stripe tells.

mod content;
mod refused;
mod schema;
pub mod signature;

use billstack_core::attribution::Outcome;
use billstack_store::intake::Intake;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_core::stripe_event;
use billstack_core::time::Micros;
use billstack_store::intake::{self, Incoming};
use billstack_store::{Abort, Actor};
use hyper::body::Body as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::answer;
use crate::http::path::Team;
use crate::http::request_id::RequestId;
use crate::http::serve::read_body;
use crate::http::visitor::client_address;
use crate::stripe::Opened;
use crate::telemetry;
pub use content::{Fetch, has_no_effect, known_content};
pub use refused::{Lately, RefusedCalls};
use signature::BadSignature;

/// The largest event, in bytes.
pub const LARGEST_EVENT: usize = 2 * 1024 * 1024;

/// Events larger than Stripe usually sends share room for a few. Otherwise anybody who knows a team's address
/// could make every connection hold one. An address has a part of the room, so that no stranger takes it all.
const USUAL_EVENT: u64 = 64 * 1024;

/// Bytes of larger events that are read at once: sixteen of the largest.
pub const LARGE_EVENTS: u64 = 16 * LARGEST_EVENT as u64;

/// The same from one address.
pub const LARGE_EVENTS_OF_ADDRESS: u64 = 4 * LARGEST_EVENT as u64;

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
/// are stored; a thin event is stored, and its object is fetched afterwards. An event that was received before is answered the same and has no effect. An answer
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
        Ok(None) => telemetry::DUPLICATE,
        Ok(Some(outcome)) => outcome.known().unwrap_or(telemetry::OTHER),
        Err(error) if error.reason.status().is_server_error() => telemetry::ERROR,
        Err(error) => error.reason.as_str(),
    });
    outcome?;
    Ok(answer::send(answer::ok(&ReceivedAnswer { received: true })))
}

/// A request that may be an event of a team.
struct Arrived<'r> {
    team_id: &'r TeamId,
    headers: &'r HeaderMap,
    body: Bytes,
    request_id: String,
}

/// What came of taking an event in by a connection.
enum Attempt {
    /// It is kept, with this outcome; `None` when it was taken in before.
    Taken(Option<Outcome>),
    /// It is not signed with a secret of this connection.
    Refused(BadSignature),
    /// It is signed, and no event.
    NotAnEvent,
    /// The team's connection is another one by now.
    Outdated,
}

/// Takes an event in; `None` when it was taken in before.
async fn receive(
    app: &Shared,
    team_id: &TeamId,
    request: Request,
) -> Result<Option<Outcome>, ApiError> {
    let known = app.known_connections.get(team_id);
    let connection = match &known {
        Some(known) => Arc::clone(known),
        None => opened(app, team_id).await?,
    };
    let (parts, body) = request.into_parts();
    // Anybody can send here, so a body that cannot be an event is not read, and only a few large ones are
    // read at once.
    let header = signature_of(&parts.headers);
    let precheck = header.and_then(|header| signature::precheck(&header, app.now().as_secs()));
    precheck.map_err(|why| refused(app, team_id, why))?;
    let _room = match body.size_hint().upper() {
        Some(length) if length <= USUAL_EVENT => None,
        length => {
            let length = length.unwrap_or(LARGEST_EVENT as u64);
            let room = app.large_events.take(&client_address(&parts, app)?, length);
            Some(room.ok_or(ApiError::new(Reason::Overloaded))?)
        }
    };
    let timeout = Duration::from_secs(app.settings.body_timeout_seconds.into());
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let arrived = Arrived {
        team_id,
        headers: &parts.headers,
        body: read_body(body, LARGEST_EVENT, timeout).await?,
        request_id: request_id.unwrap_or_default(),
    };
    let mut attempt = take_in(app, &arrived, &connection).await?;
    if let (Some(known), false) = (known, matches!(attempt, Attempt::Taken(_))) {
        let present = opened(app, team_id).await?;
        if present.connection != known.connection {
            attempt = take_in(app, &arrived, &present).await?;
        }
    }
    match attempt {
        Attempt::Taken(outcome) => Ok(outcome),
        Attempt::Refused(why) => Err(refused(app, team_id, why)),
        Attempt::NotAnEvent => Err(ApiError::new(Reason::NotAnEvent)),
        // It changed twice while we looked; Stripe sends the event again.
        Attempt::Outdated => Err(ApiError::new(Reason::DatabaseUnavailable)),
    }
}

/// The team's connection as it is in the database; one that is not connected has no secret.
async fn opened(app: &App, team_id: &TeamId) -> Result<Arc<Opened>, ApiError> {
    app.open_connection(team_id)
        .await
        .map_err(|error| match error.reason {
            Reason::InvalidSignature => refused(app, team_id, BadSignature::NoSecret),
            _ => error,
        })
}

async fn take_in(app: &App, arrived: &Arrived<'_>, by: &Arc<Opened>) -> Result<Attempt, ApiError> {
    let now = app.now();
    let signed_with = match check(arrived, by, now) {
        Ok(place) => by.version(place),
        Err(why) => return Ok(Attempt::Refused(why)),
    };
    let event = stripe_event::parse(&arrived.body, now).ok();
    let payload = String::from_utf8(arrived.body.to_vec()).ok();
    let (Some(event), Some(payload)) = (event, payload) else {
        return Ok(Attempt::NotAnEvent);
    };
    let connection = Some(&by.connection);
    let incoming = app.understand(arrived.team_id, connection, event, payload, Fetch::Later);
    let incoming = Incoming {
        signed_with: Some(signed_with),
        ..incoming.await?
    };
    keep(app, arrived, by, incoming).await
}

fn check(arrived: &Arrived<'_>, by: &Opened, now: Micros) -> Result<usize, BadSignature> {
    signature::verify(
        &signature_of(arrived.headers)?,
        &arrived.body,
        by.secrets(now),
        now.as_secs(),
    )
}

/// The signature header. A proxy may write a list over several lines; HTTP reads them as one.
fn signature_of(headers: &HeaderMap) -> Result<String, BadSignature> {
    let lines = headers.get_all("stripe-signature").iter();
    let lines: Result<Vec<&str>, _> = lines.map(HeaderValue::to_str).collect();
    match lines.map_err(|_| BadSignature::Malformed)?.as_slice() {
        [] => Err(BadSignature::Missing),
        lines => Ok(lines.join(",")),
    }
}

fn refused(app: &App, team_id: &TeamId, why: BadSignature) -> ApiError {
    telemetry::webhook_refused(why.as_str());
    let (team, reason, advice) = (team_id.as_str(), why.as_str(), why.advice());
    if app.refused_calls.note(team_id, why, app.now()) {
        tracing::warn!(team_id = team, reason, "a webhook was refused: {advice}");
    } else {
        tracing::debug!(team_id = team, reason, "a webhook was refused again");
    }
    let error = ApiError::new(Reason::InvalidSignature);
    match why.message() {
        Some(message) => error.message(message),
        None => error,
    }
}

/// Stores an event with all it leads to, in one transaction.
async fn keep(
    app: &App,
    arrived: &Arrived<'_>,
    by: &Arc<Opened>,
    incoming: Incoming,
) -> Result<Attempt, ApiError> {
    let store = |incoming| store(app, arrived, by, incoming);
    let taken = app.asking_about_links(arrived.team_id, incoming, store);
    Ok(match taken.await? {
        Intake::Settled(settled) => Attempt::Taken(Some(settled.outcome)),
        Intake::Seen => Attempt::Taken(None),
        Intake::ConnectionChanged => Attempt::Outdated,
    })
}

async fn store(
    app: &App,
    arrived: &Arrived<'_>,
    by: &Arc<Opened>,
    incoming: Incoming,
) -> Result<Intake, Abort> {
    let origin = app.origin(Actor::Stripe(incoming.id.clone()), &arrived.request_id);
    let (team, by) = (arrived.team_id.clone(), Arc::clone(by));
    let taken = app.store.write(origin, move |tx, act| {
        intake::take_in(tx, act, &team, &by.connection, &incoming)
    });
    taken.await
}
