//! `GET …/customers/{id}/credit-statement/export`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::Currency;
use billstack_store::Weight;
use billstack_store::finance::{self, Movement, Statement};
use serde_json::{Value, json};

use super::wanted;
use crate::api::referrals::exports::name::file;
use crate::api::referrals::exports::{Format, Table, whole};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::{QueryString, one_of};
use crate::http::path::Item;

/// The last two are for people alone.
const COLUMNS: &[&str] = &[
    "createdAt",
    "effectiveAt",
    "credit",
    "currency",
    "from",
    "to",
    "moved",
    "amount",
    "balance",
    "cause",
    "causeId",
    "reason",
    "document",
    "amountDecimal",
    "balanceDecimal",
];

fn columns(format: Format) -> &'static [&'static str] {
    match format {
        Format::Spreadsheet => COLUMNS,
        Format::Csv | Format::Ndjson => &COLUMNS[..COLUMNS.len() - 2],
    }
}

fn table(statements: &BTreeMap<Currency, Statement>, format: Format) -> Table {
    let columns = columns(format);
    let mut table = Table::new(format, columns, true);
    for (currency, statement) in statements {
        for line in &statement.movements {
            let mut row = cells(*currency, line);
            row.truncate(columns.len());
            table.row(row);
        }
    }
    table
}

fn cells(currency: Currency, line: &Movement) -> Vec<Value> {
    let moved = &line.moved;
    let posting = &moved.to;
    vec![
        json!(rfc3339(posting.created_at.0)),
        json!(rfc3339(posting.effective_at.0)),
        json!(moved.credit_id),
        json!(currency),
        json!(moved.from),
        json!(posting.account),
        json!(posting.amount),
        json!(line.change),
        json!(line.balance),
        json!(posting.cause),
        json!(posting.cause_id),
        json!(posting.reason),
        json!(moved.document()),
        json!(currency.decimal(line.change)),
        json!(currency.decimal(line.balance)),
    ]
}

/// Export a customer's credit statement.
///
/// The lines of the statement as a file: every movement in the time, with what caused it and the balance after it, one
/// currency after the other.
#[utoipa::path(
    get, path = "", operation_id = "export_credit_statement",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("currency" = Option<String>, Query, description = "Only in this currency.", min_length = 3, max_length = 3, pattern = "^[A-Za-z]{3}$"),
        ("from" = Option<String>, Query, description = "Movements booked at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Movements booked before this time.", format = DateTime),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "createdAt,effectiveAt,credit,currency,from,to,moved,amount,balance,cause,causeId,reason,document\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let format = one_of(&query, "format", Format::parse)?.unwrap_or(Format::Csv);
    let (currency, times) = wanted(&query)?;
    let customer_id = id.clone();
    let read = access.scan(&app, Weight::Long, move |tx, place| {
        finance::statement(tx, place, &id, currency, times)
    });
    let table = table(&read.await?, format);
    let file = file(&app, &access, &format!("statement-{customer_id}"), &query).await?;
    Ok(whole(&file.name, format, table))
}
