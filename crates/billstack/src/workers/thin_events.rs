//! Fetching the objects that thin events only name.

use billstack_core::ids::TeamId;
use billstack_core::stripe_event;
use billstack_store::intake::{self, Content, Incoming, Source, StripeEvent};
use billstack_store::stripe_connection::{self, Connection};
use billstack_store::work::Leased;
use billstack_store::{Abort, Actor};
use tokio::time::Instant;

use super::Next;
use super::asking::LONGEST;
use crate::app::App;
use crate::error::ApiError;
use crate::webhooks::stripe::Fetch;

/// Fetches one, and takes the event in.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let team = intake::team_to_fetch_for(&leased.work)?;
    let look = {
        let (team, id) = (team.clone(), leased.key.subject.clone());
        app.store.point(move |tx| {
            let event = intake::to_fetch(tx, &team, &id)?;
            Ok((event, stripe_connection::get(tx, &team)?))
        })
    };
    let (Some(event), connection) = look.await? else {
        return Ok(Next::Done);
    };
    let Some(connection) = connection.filter(|connection| connection.is_active) else {
        return Ok(Next::PutOff(
            "the team is not connected to Stripe".to_owned(),
        ));
    };
    let deadline = Instant::now() + LONGEST;
    let fetching = fetch(app, &team, &connection, event);
    Ok(match app.in_time(&team, deadline, fetching).await {
        Ok(()) => Next::Done,
        Err(error) => Next::PutOff(error.to_string()),
    })
}

async fn fetch(
    app: &App,
    team: &TeamId,
    connection: &Connection,
    event: StripeEvent,
) -> Result<(), ApiError> {
    let payload = event.payload.clone().unwrap_or_default();
    let incoming = match stripe_event::parse(payload.as_bytes(), event.received_at) {
        Ok(parsed) => {
            let read = app.understand(team, Some(connection), parsed, payload, Fetch::Now);
            read.await?
        }
        Err(_) => gone(event),
    };
    let store = |incoming: Incoming| async {
        let origin = app.origin(Actor::Stripe(incoming.id.clone()), "job:thin_event");
        let team = team.clone();
        let taken = app.store.write(origin, move |tx, act| {
            intake::fetched(tx, act, &team, &incoming)
        });
        taken.await
    };
    app.asking_about_links(team, incoming, store).await
}

/// An event that waited for longer than bodies are kept.
fn gone(event: StripeEvent) -> Incoming {
    Incoming {
        id: event.id,
        kind: event.kind,
        created_at: event.created_at,
        livemode: event.livemode,
        source: Source::Event,
        content: Content::Failed("its body is gone, which named the object".to_owned()),
        payload: String::new(),
        signed_with: None,
        link_answer: None,
    }
}
