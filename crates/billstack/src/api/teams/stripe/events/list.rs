//! `GET …/stripe/events`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::attribution::Outcome;
use billstack_store::Share;
use billstack_store::readers;
use billstack_store::received::EventFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::{OutcomeJson, StripeEventJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::Reading;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, one_of, page, text, time, weight};
use crate::http::query::Query;

/// A page of events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StripeEventsAnswer {
    /// The latest received first.
    events: Vec<StripeEventJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Reads the filters of a query string.
pub(crate) fn filter(query: &Query) -> Result<EventFilter, ApiError> {
    Ok(EventFilter {
        outcome: one_of(query, "outcome", Outcome::parse)?,
        kind: text(query, "type", 255)?,
        from: time(query, "from")?,
        to: time(query, "to")?,
    })
}

/// List events from Stripe.
///
/// What Stripe has sent to the team and what became of it, the last received first. An API key of one project gets the
/// events that concern its customers; there a page may be short or empty and have a `nextCursor` all the same.
#[utoipa::path(
    get, path = "", operation_id = "list_stripe_events",
    params(
        PageParams,
        ("outcome" = inline(Option<OutcomeJson>), Query, description = "Only with this outcome."),
        ("type" = Option<String>, Query, description = "Only of this type.", min_length = 1, max_length = 255),
        ("from" = Option<String>, Query, description = "Only received at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only received before this time.", format = DateTime),
    ),
    responses((status = 200, description = "A page of events.", body = StripeEventsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: Reading,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let filter = filter(&query)?;
    let share = Share {
        team: access.team_id.number(),
        weight: weight(&page),
    };
    let part = app.store.scan_for(share, move |tx| {
        readers::stripe_events(tx, &access.reader, &access.team_id, &filter, &page)
    });
    let part = part.await?;
    Ok(answer::send(answer::ok(&StripeEventsAnswer {
        events: part.rows.iter().map(StripeEventJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
