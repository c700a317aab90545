//! `GET …/events`: what happened in a project, for those who poll.

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::is_id;
use billstack_store::Weight;
use billstack_store::list::Part;
use billstack_store::told::{self, Told};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer::{json, ok, send};
use crate::http::page::{DEFAULT_LIMIT, LARGEST_LIMIT, QueryString};
use crate::http::query::Query;
use crate::webhooks::out::body::body;
use crate::webhooks::out::document::EventSchema;

/// The most bytes of events in one answer, but for the last of them.
const LARGEST_PAGE: usize = 1_000_000;

/// The longest id.
const LONGEST_ID: usize = 64;

/// How events are asked for; only its documentation is used.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the fields describe the parameters in the API document"
)]
pub struct EventsParams {
    /// The most events to return.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// The event after which to go on: the last that you have.
    #[param(
        max_length = 64,
        pattern = "^[0-9A-Za-z_-]{1,64}$",
        example = "evt_01kgv5r3mq7x2h9d4t8w6c0b1e"
    )]
    after: Option<String>,
}

/// Events of a project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventsAnswer {
    /// In the order of the log, each as its webhook tells it.
    #[schema(value_type = Vec<EventSchema>)]
    events: Vec<Box<RawValue>>,
    /// Present when there is more: the `after` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "evt_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    next_cursor: Option<String>,
}

/// Read the events of a project.
///
/// Whatever webhooks tell, in order and without a gap. An event appears when no older one can appear any more: 35
/// seconds after it happened, or later while a long change is being made. Keep the id of the last event that you have
/// worked off, and pass it as `after`.
#[utoipa::path(
    get, path = "", operation_id = "list_events",
    params(EventsParams),
    responses((status = 200, description = "What happened since.", body = EventsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let limit = query.int("limit", DEFAULT_LIMIT, 1..=LARGEST_LIMIT)?;
    let after = after(&query)?;
    // Strangers go no further.
    access.point(&app, |_, _| Ok(())).await?;
    let settled = app.store.settled_before(app.now()).await?;
    let read = access.scan(&app, Weight::Long, move |tx, place| {
        told::after(tx, place, after.as_deref(), settled, limit)
    });
    let part = read.await?;
    Ok(send(ok(&page(&part))))
}

/// What was read, or as much of it as one answer may hold.
fn page(part: &Part<Told>) -> EventsAnswer {
    let mut page = EventsAnswer {
        events: Vec::new(),
        next_cursor: part.next.as_ref().map(|cursor| cursor.key.clone()),
    };
    let mut bytes = 0;
    for told in &part.rows {
        let event = body(told).map(|event| json(&event));
        let Some(event) = event.and_then(|event| RawValue::from_string(event).ok()) else {
            continue;
        };
        bytes += event.get().len();
        page.events.push(event);
        if bytes > LARGEST_PAGE {
            page.next_cursor = Some(told.event.id.clone());
            break;
        }
    }
    page
}

fn after(query: &Query) -> Result<Option<String>, ApiError> {
    let Some(id) = query.optional_str("after", LONGEST_ID)? else {
        return Ok(None);
    };
    match is_id(id) {
        true => Ok(Some(id.to_owned())),
        false => Err(ApiError::invalid(
            "after",
            "`after` must be the id of an event.",
        )),
    }
}
