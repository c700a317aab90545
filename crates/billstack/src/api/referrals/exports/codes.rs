//! `GET …/referrals/exports/codes`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::codes::{self, WithTotal};
use billstack_store::list::Page;
use billstack_store::{Place, Tx};
use serde_json::{Value, json};

use super::super::codes::list::{SortJson, filter};
use super::name::file;
use super::table::Table;
use super::{Format, format, send_pages};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

const COLUMNS: &[&str] = &[
    "code",
    "vanity",
    "customer",
    "active",
    "clicks",
    "applied",
    "converted",
    "createdAt",
];

fn row((code, total): &WithTotal<'_>) -> Vec<Value> {
    vec![
        json!(code.code),
        json!(code.names.first()),
        json!(code.customer_id),
        json!(code.is_active),
        json!(total.clicks),
        json!(total.applied),
        json!(total.converted),
        json!(rfc3339(code.created_at.0)),
    ]
}

/// Export codes.
///
/// All rows that the list has under the same filters and in the same order, with what each code has brought.
#[utoipa::path(
    get, path = "", operation_id = "export_codes",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("activeOnly" = Option<bool>, Query, description = "Leave out codes that were switched off; true unless given."),
        ("customerId" = Option<String>, Query, description = "Only of this customer.", min_length = 1, max_length = 64),
        ("from" = Option<String>, Query, description = "Only made at this time or later; the newest first.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only made before this time; the newest first.", format = DateTime),
        ("sort" = inline(Option<SortJson>), Query, description = "The order; the newest first when left out."),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "code,vanity,customer,active,clicks,applied,converted,createdAt\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (format, filter) = (format(&query)?, filter(&query)?);
    let file = file(&app, &access, "codes", &query).await?;
    let read = move |tx: &mut dyn Tx, place: &Place, page: &Page, is_first| {
        let mut table = Table::new(format, COLUMNS, is_first);
        let next = codes::list(tx, place, &filter, page, |code| table.row(row(code)))?;
        Ok((table, next))
    };
    send_pages(app, access, &file.name, format, read).await
}
