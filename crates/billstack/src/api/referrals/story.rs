//! `GET …/referrals/{id}/events`: why a referral is as it is.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::referrals;
use billstack_store::story::{self, LoggedEvent};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::facts;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page, weight};
use crate::http::path::Item;

/// Something that happened to a referral.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralEvent)]
#[serde(rename_all = "camelCase")]
pub struct EventJson {
    /// Its id: ours, not that of an event of Stripe.
    #[schema(example = "evt_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// `referral.applied`, `.converted`, `.not_converted` or `.expired`; `credit.granted`, `.released`, `.reversed`
    /// or `.settled`.
    #[serde(rename = "type")]
    #[schema(example = "referral.converted")]
    kind: String,
    /// The id of what changed.
    #[schema(example = "ref_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    subject: String,
    /// Who did it: `api_key:…`, `user:…`, `stripe:…`, `command_line` or `system`.
    #[schema(example = "stripe:evt_1RfX2c")]
    actor: String,
    /// The `X-Request-Id` of the request it happened in.
    request_id: String,
    /// Details: ids, amounts, times, Stripe's event as `stripeEventId`, and for `referral.not_converted` the `reason`.
    #[schema(value_type = Object, example = json!({"referralId": "ref_01kgv5r3mq7x2h9d4t8w6c0b1e", "stripeEventId": "evt_1RfX2cQ"}))]
    facts: Value,
    /// When it happened.
    #[schema(format = DateTime)]
    created_at: String,
}

impl EventJson {
    fn new(event: LoggedEvent) -> EventJson {
        EventJson {
            facts: facts::told(&event.kind, &event.facts),
            id: event.id,
            kind: event.kind,
            subject: event.subject,
            actor: event.actor,
            request_id: event.request_id,
            created_at: rfc3339(event.created_at.0),
        }
    }
}

/// A page of a referral's story.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralEventsAnswer)]
#[serde(rename_all = "camelCase")]
pub struct EventsAnswer {
    /// In the order in which they happened.
    events: Vec<EventJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Tell a referral's story.
///
/// Who applied the code, which Stripe event converted it or why one did not, and which credits were
/// granted, in order.
#[utoipa::path(
    get, path = "", operation_id = "list_referral_events",
    params(PageParams),
    responses((status = 200, description = "The story so far.", body = EventsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let part = access.scan(&app, weight(&page), move |tx, place| {
        referrals::get(tx, place, &id)?.ok_or(Refusal::NotFound(Thing::Referral))?;
        Ok(story::story(tx, &place.team_id, &id, &page)?)
    });
    let part = part.await?;
    Ok(answer::send(answer::ok(&EventsAnswer {
        events: part.rows.into_iter().map(EventJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
