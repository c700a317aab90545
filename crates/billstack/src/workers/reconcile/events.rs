//! Finding the events that never came in, and taking them in.

use billstack_core::reconcile::{Drift, Parts};
use billstack_core::stripe_access::EVENTS;
use billstack_core::stripe_event::{self, Event};
use billstack_core::time::Micros;
use billstack_store::Actor;
use billstack_store::intake::{Incoming, Intake, Source};
use billstack_store::reconcile::{self, Line, Run};
use tokio::time::Instant;

use super::{Means, Trouble, trouble, write};
use crate::clock::rfc3339;
use crate::error::{ApiError, Reason};
use crate::stripe::{Failure, MOST_TYPES};
use crate::webhooks::stripe::Fetch;

/// How many pages of each pass are read for one part: more in it, and the part is made shorter.
const PAGES_OF_PART: usize = 2;

/// How many are read of a part that cannot be shorter.
const PAGES_OF_SECOND: usize = 100;

/// An event as Stripe lists it.
struct Listed {
    event: Event,
    payload: String,
}

/// Looks through what is left, part by part, until a time. Returns the run when it is through.
pub(super) async fn look(
    means: &Means<'_>,
    mut run: Run,
    attempt: i64,
    until: Instant,
) -> Result<Option<Run>, Trouble> {
    let Some(mut parts) = run.events else {
        return Ok(Some(run));
    };
    // Whoever was too slow for a part tries a shorter one.
    for _ in 1..attempt {
        parts = parts.shorter();
    }
    while let Some(end) = parts.end() {
        if Instant::now() >= until {
            return Ok(None);
        }
        match list(means, &parts, end).await.map_err(trouble)? {
            None => parts = parts.shorter(),
            Some(listed) => {
                let found = compare(means, &run, listed).await?;
                parts = parts.after();
                keep(means, &run, parts, found).await?;
                run.events = Some(parts);
            }
        }
    }
    Ok(Some(run))
}

/// The events of a part, the earliest first; `None` when there are too many to put into order.
async fn list(
    means: &Means<'_>,
    parts: &Parts,
    end: Micros,
) -> Result<Option<Vec<Listed>>, Failure> {
    let most = match parts.is_shortest() {
        true => PAGES_OF_SECOND,
        false => PAGES_OF_PART,
    };
    let stripe = &means.app.stripe;
    let mut listed = Vec::new();
    for types in EVENTS.chunks(MOST_TYPES) {
        let (mut rows, mut after) = (Vec::new(), None);
        for number in 1.. {
            let span = (parts.at, end);
            let page = stripe.event_page(means.key, types, span, after.as_deref());
            let page = page.await?;
            rows.extend(page.rows);
            after = page.after;
            if after.is_none() || number == most {
                break;
            }
        }
        if after.is_some() && !parts.is_shortest() {
            return Ok(None);
        }
        let now = means.app.now();
        listed.extend(rows.into_iter().rev().filter_map(|row| {
            // As by a webhook, what is no event is not taken in.
            let event = stripe_event::parse(row.get().as_bytes(), now).ok()?;
            let payload = row.get().to_owned();
            Some(Listed { event, payload })
        }));
    }
    listed.sort_by_key(|one| one.event.created);
    Ok(Some(listed))
}

/// Finds out which of them were missed. They are taken in, if the run may; otherwise they are returned.
async fn compare(means: &Means<'_>, run: &Run, listed: Vec<Listed>) -> Result<Vec<Line>, Trouble> {
    let ids: Vec<String> = listed.iter().map(|one| one.event.id.clone()).collect();
    let team_id = means.team_id.clone();
    let read = means
        .app
        .store
        .scan(move |tx| Ok(reconcile::missed(tx, &team_id, &ids)?));
    let missed = listed.into_iter().zip(read.await?);
    let mut found = Vec::new();
    for (listed, _) in missed.filter(|(_, is_missed)| *is_missed) {
        let event = &listed.event;
        let line = Line {
            kind: Drift::EventMissed,
            subject: event.id.clone(),
            detail: format!("{} of {}", event.kind, rfc3339(event.created.0)),
            is_repaired: run.remedy.feeds(),
        };
        match run.remedy.feeds() {
            true => feed(means, run, line, listed).await?,
            false => found.push(line),
        }
    }
    Ok(found)
}

/// Takes an event in by the path of the webhook, from where its signature was verified: Stripe itself listed it.
async fn feed(means: &Means<'_>, run: &Run, line: Line, listed: Listed) -> Result<(), Trouble> {
    let Listed { event, payload } = listed;
    let (app, team_id, connection) = (means.app, means.team_id, means.connection);
    let read = app.understand(team_id, Some(connection), event, payload, Fetch::Later);
    let incoming = Incoming {
        source: Source::CaughtUp,
        ..read.await?
    };
    let store = |incoming: Incoming| async {
        let origin = app.origin(Actor::Stripe(incoming.id.clone()), "job:reconcile");
        let (team_id, connection) = (team_id.clone(), connection.clone());
        let (run_id, line) = (run.id.clone(), line.clone());
        let taken = app.store.write(origin, move |tx, act| {
            let told = (run_id.as_str(), &line);
            reconcile::feed(tx, act, &team_id, &connection, told, &incoming)
        });
        taken.await
    };
    match app.asking_about_links(team_id, incoming, store).await? {
        Intake::Settled(_) | Intake::Seen => Ok(()),
        // It goes on with the present one.
        Intake::ConnectionChanged => Err(ApiError::new(Reason::DatabaseUnavailable).into()),
    }
}

async fn keep(means: &Means<'_>, run: &Run, parts: Parts, found: Vec<Line>) -> Result<(), Trouble> {
    let (team_id, run_id) = (means.team_id.clone(), run.id.clone());
    let kept = write(means.app, move |tx, _| {
        Ok(reconcile::advance(tx, &team_id, &run_id, &parts, &found)?)
    });
    Ok(kept.await?)
}
