//! `GET …/webhook-endpoints/{endpointId}/deliveries`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::webhook::endpoint::DeliveryState;
use billstack_core::webhook::types::Type;
use billstack_store::webhooks::{DeliveryFilter, log};
use utoipa::ToSchema;

use super::{DeliveryJson, DeliveryStateJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, one_of, page, time, weight};
use crate::http::path::Item;
use crate::http::rows::Rows;

// Written by `Rows`.
/// A page of deliveries.
#[derive(ToSchema)]
#[schema(as = WebhookDeliveriesAnswer, rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes the answer in the API document")]
pub struct DeliveriesAnswer {
    /// The newest first.
    deliveries: Vec<DeliveryJson>,
    /// Present when there is more.
    #[schema(required = false, nullable = false)]
    next_cursor: Option<String>,
}

/// List deliveries to a webhook endpoint.
///
/// What was sent, and what waits, the newest first. A delivery is kept for thirty days after it was over, or as long as
/// the operator wants.
#[utoipa::path(
    get, path = "", operation_id = "list_webhook_deliveries",
    params(
        PageParams,
        ("status" = Option<DeliveryStateJson>, Query, description = "Only those that have come so far."),
        ("type" = Option<String>, Query, description = "Only of this type.", min_length = 1, max_length = 64),
        ("from" = Option<String>, Query, description = "Only those made from then on (RFC 3339)."),
        ("to" = Option<String>, Query, description = "Only those made before then (RFC 3339)."),
    ),
    responses((status = 200, description = "A page of deliveries.", body = DeliveriesAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let filter = DeliveryFilter {
        state: one_of(&query, "status", DeliveryState::parse)?,
        kind: one_of(&query, "type", Type::parse)?,
        from: time(&query, "from")?,
        to: time(&query, "to")?,
    };
    let weight = weight(&page);
    let read = access.scan(&app, weight, move |tx, place| {
        log::list(tx, place, &id, &filter, &page)
    });
    let part = read.await?;
    let mut rows = Rows::new("deliveries");
    for shown in &part.rows {
        rows.push(&DeliveryJson::new(shown));
    }
    Ok(rows.finish(part.next.as_ref()))
}
