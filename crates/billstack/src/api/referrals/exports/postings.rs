//! `GET …/referrals/exports/postings`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_store::finance::{self, ExportedPosting};
use serde_json::{Value, json};

use super::name::file;
use super::table::Table;
use super::{Format, PAGE, send, wanted};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

/// The last one is for people alone.
const COLUMNS: &[&str] = &[
    "id",
    "credit",
    "side",
    "customer",
    "account",
    "amount",
    "currency",
    "cause",
    "causeId",
    "stripeObject",
    "reason",
    "effectiveAt",
    "createdAt",
    "amountDecimal",
];

fn columns(format: Format) -> &'static [&'static str] {
    match format {
        Format::Spreadsheet => COLUMNS,
        Format::Csv | Format::Ndjson => &COLUMNS[..COLUMNS.len() - 1],
    }
}

fn row(exported: ExportedPosting, format: Format) -> Vec<Value> {
    let ExportedPosting {
        posting,
        credit_id,
        side,
        customer_id,
        currency,
    } = exported;
    let id = format!("{credit_id}.{}.{}", posting.seq, posting.account);
    let mut row = vec![
        json!(id),
        json!(credit_id),
        json!(side),
        json!(customer_id),
        json!(posting.account),
        json!(posting.amount),
        json!(currency),
        json!(posting.cause),
        json!(posting.cause_id),
        json!(posting.stripe_object),
        json!(posting.reason),
        json!(rfc3339(posting.effective_at.0)),
        json!(rfc3339(posting.created_at.0)),
        json!(currency.decimal(posting.amount)),
    ];
    row.truncate(columns(format).len());
    row
}

/// Export postings.
///
/// Every line of the ledger that was booked in the time, in the order of booking. The two lines of a movement follow
/// each other and sum to zero.
#[utoipa::path(
    get, path = "", operation_id = "export_postings",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("from" = Option<String>, Query, description = "Booked at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Booked before this time.", format = DateTime),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "id,credit,side,customer,account,amount,currency,cause,causeId,stripeObject,reason,effectiveAt,createdAt\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let wanted = wanted(&query)?;
    let file = file(&app, &access, "postings", &query).await?;
    let wanted = wanted.until(file.now);
    let begin = (Micros(wanted.from.0 - 1), "\u{10ffff}".to_owned(), i64::MAX);
    send(
        app,
        access,
        &file.name,
        wanted.format,
        begin,
        move |tx, place, (at, id, seq), is_first| {
            let after = (*at, id.as_str(), *seq);
            let postings = finance::exported_postings(tx, place, after, wanted.to, PAGE)?;
            let last = postings.last();
            let last = last.map(|last| {
                let posting = &last.posting;
                (posting.created_at, last.credit_id.clone(), posting.seq)
            });
            let next = last.filter(|_| postings.len() as i64 == 2 * PAGE);
            let mut table = Table::new(wanted.format, columns(wanted.format), is_first);
            postings
                .into_iter()
                .for_each(|posting| table.row(row(posting, wanted.format)));
            Ok((table, next))
        },
    )
    .await
}
