//! `POST …/stripe/events/{id}/replay`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::attribution::Outcome;
use billstack_core::ids::TeamId;
use billstack_core::stripe_event::{self, Start, is_about_payments};
use billstack_store::intake::Source;
use billstack_store::intake::{self, Content, Delivery, Incoming, StripeEvent};
use billstack_store::stripe_connection::{self, Connection};
use billstack_store::{Abort, Refusal, Thing};

use super::StripeEventAnswer;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::{Caller, TeamAccess};
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;
use crate::webhooks::stripe::{Fetch, has_no_effect, known_content};

/// Decide anew about an event from Stripe.
///
/// Everything but a conversion is decided again from what is known now; the object of a thin event is
/// fetched again. A conversion stands, so replaying any event any number of times is safe.
#[utoipa::path(
    post, path = "", operation_id = "replay_stripe_event",
    responses((status = 200, description = "The event as it is now.", body = StripeEventAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    Item(id): Item,
    _: NoInput,
) -> Result<Response, ApiError> {
    let event = replayed(&app, &access.caller, &access.team_id, id).await?;
    Ok(answer::send(answer::ok(&StripeEventAnswer::new(event))))
}

/// Decides anew about an event of a team.
pub(crate) async fn replayed(
    app: &App,
    caller: &Caller,
    team_id: &TeamId,
    id: String,
) -> Result<StripeEvent, ApiError> {
    let team = team_id.clone();
    let read = app.store.scan(move |tx| {
        let event = intake::get(tx, &team, &id)?;
        let event = event.ok_or(Refusal::NotFound(Thing::StripeEvent))?;
        let start = intake::kept_start(tx, &team, &id)?.map(|kept| kept.start);
        Ok((event, start, stripe_connection::get(tx, &team)?))
    });
    let (event, start, connection) = read.await?;
    // Of a payment the facts are kept and not the body: they are decided about whenever there are new ones.
    let is_payment = event.payload.is_none()
        && (is_about_payments(&event.kind) || event.kind == intake::PAYMENT_FOUND);
    let outcome = event.settled.outcome;
    if outcome == Outcome::Converted || (is_payment && outcome != Outcome::Ignored) {
        return Ok(event);
    }
    let connection = connection.filter(|connection| connection.is_active);
    let incoming = read_again(app, team_id, event, start, connection.as_ref()).await?;
    let replay = |incoming| replay(app, caller, team_id, incoming);
    app.asking_about_links(team_id, incoming, replay).await
}

async fn replay(
    app: &App,
    caller: &Caller,
    team_id: &TeamId,
    incoming: Incoming,
) -> Result<StripeEvent, Abort> {
    let team = team_id.clone();
    let guard = caller.guard.clone();
    let origin = app.origin(caller.actor.clone(), &caller.request_id);
    let replayed = app.store.write(origin, move |tx, act| {
        guard.recheck(tx, act)?;
        intake::receive(tx, act, &team, &incoming, Delivery::Replayed)?;
        let event = intake::get(tx, &team, &incoming.id)?;
        Ok(event.ok_or(Refusal::NotFound(Thing::StripeEvent))?)
    });
    replayed.await
}

/// The event from its body, or from the facts that outlive it.
async fn read_again(
    app: &App,
    team_id: &TeamId,
    event: StripeEvent,
    start: Option<Start>,
    connection: Option<&Connection>,
) -> Result<Incoming, ApiError> {
    let facts = start.map(|start| known_content(connection, event.livemode, start));
    let payload = event.payload.unwrap_or_default();
    if let Ok(parsed) = stripe_event::parse(payload.as_bytes(), event.received_at) {
        let read = app.understand(team_id, connection, parsed, payload, Fetch::Now);
        let read = read.await?;
        return Ok(match (&read.content, facts) {
            // The object cannot be had any more, but was read before.
            (Content::Failed(_), Some(content)) => Incoming { content, ..read },
            _ => read,
        });
    }
    let content = facts.or_else(|| has_no_effect(&event.kind));
    Ok(Incoming {
        id: event.id,
        kind: event.kind,
        created_at: event.created_at,
        livemode: event.livemode,
        content: content.ok_or(Refusal::PayloadGone)?,
        source: Source::Event,
        payload,
        signed_with: None,
        link_answer: None,
    })
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::EventNotFound,
    Reason::PayloadGone,
    Reason::StripeUnavailable,
];
