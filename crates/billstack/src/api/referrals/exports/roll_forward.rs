//! `GET …/referrals/exports/roll-forward`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::finance;
use serde_json::{Value, json};

use super::name::file;
use super::table::Table;
use super::{Format, format, send};
use crate::api::referrals::roll_forward::{RollForwardJson, range};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

/// The last ones are for people alone: what stands before them, in whole units.
const COLUMNS: &[&str] = &[
    "currency",
    "side",
    "opening",
    "granted",
    "applied",
    "reversed",
    "settled",
    "closing",
    "shortfall",
    "unexplained",
    "openingDecimal",
    "grantedDecimal",
    "appliedDecimal",
    "reversedDecimal",
    "settledDecimal",
    "closingDecimal",
    "shortfallDecimal",
    "unexplainedDecimal",
];

/// How many amounts a row has.
const AMOUNTS: usize = 8;

fn columns(format: Format) -> &'static [&'static str] {
    match format {
        Format::Spreadsheet => COLUMNS,
        Format::Csv | Format::Ndjson => &COLUMNS[..COLUMNS.len() - AMOUNTS],
    }
}

fn row(told: &RollForwardJson, format: Format) -> Vec<Value> {
    let amounts: [i64; AMOUNTS] = told.sums();
    let mut row = vec![json!(told.currency), json!(told.side)];
    row.extend(amounts.map(|units| json!(units)));
    row.extend(amounts.map(|units| json!(told.currency.decimal(units))));
    row.truncate(columns(format).len());
    row
}

/// Export the roll-forward.
///
/// How what is owed changed in the time, a row for each currency and side.
#[utoipa::path(
    get, path = "", operation_id = "export_roll_forward",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("from" = Option<String>, Query, description = "From this time on; the beginning of the month of `to` when left out.", format = DateTime),
        ("to" = Option<String>, Query, description = "Before this time; now, by the clock of the project, when left out.", format = DateTime),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "currency,side,opening,granted,applied,reversed,settled,closing,shortfall,unexplained\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let format = format(&query)?;
    let file = file(&app, &access, "roll-forward", &query).await?;
    let (from, to) = range(&query, file.now)?;
    send(
        app,
        access,
        &file.name,
        format,
        (),
        move |tx, place, (), is_first| {
            let mut table = Table::new(format, columns(format), is_first);
            for ((currency, side), part) in finance::roll_forward(tx, place, from, to)? {
                let told = RollForwardJson::new(currency, side, &part);
                table.row(row(&told, format));
            }
            Ok((table, None))
        },
    )
    .await
}
