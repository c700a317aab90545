//! `GET …/referrals/exports/postings`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ledger::Figure;
use billstack_core::time::Micros;
use billstack_store::activity;
use billstack_store::finance::{self, BookingFilter, ExportedPosting};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::name::file;
use super::table::Table;
use super::{Format, PAGE, Wanted, send, wanted};
use crate::api::actors::{actor_of, booked_by};
use crate::api::referrals::credits::list::currency;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::{QueryString, one_of};
use crate::http::query::Query;

/// The last two are for people alone.
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
    "by",
];

/// What the people and the keys are called who made bookings, where that is told.
type Names = BTreeMap<String, String>;

fn columns(format: Format) -> &'static [&'static str] {
    match format {
        Format::Spreadsheet => COLUMNS,
        Format::Csv | Format::Ndjson => &COLUMNS[..COLUMNS.len() - 2],
    }
}

fn row(exported: ExportedPosting, names: &Names, format: Format) -> Vec<Value> {
    let ExportedPosting {
        posting,
        credit_id,
        side,
        customer_id,
        currency,
    } = exported;
    let name = actor_of(&posting).and_then(|actor| names.get(actor));
    let by = booked_by(&posting, name.map(String::as_str));
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
        json!(by),
    ];
    row.truncate(columns(format).len());
    row
}

/// A figure of the report of a month.
#[derive(ToSchema)]
#[schema(as = BookedFigure, rename_all = "lowercase")]
pub enum FigureJson {
    /// Granted, by the first line of each credit.
    Granted,
    /// Used for invoices, less what came back from them.
    Applied,
    /// Taken back, less what was given back.
    Reversed,
    /// Paid by other ways.
    Settled,
    /// What should have been taken back and could not be.
    Shortfall,
}

/// Reads which bookings are wanted.
pub(crate) fn filter(query: &Query) -> Result<BookingFilter, ApiError> {
    let Wanted { from, to, .. } = wanted(query)?;
    Ok(BookingFilter {
        figure: one_of(query, "figure", Figure::parse)?,
        currency: one_of(query, "currency", currency)?,
        from,
        to,
    })
}

/// Export postings.
///
/// Every line of the ledger that was booked in the time, in the order of booking. The two lines of a movement follow
/// each other and sum to zero. With `figure` only the one line of each movement that the figure counts: the amounts of a
/// currency sum to the figure in the report of the time. The form for people says who or what made each, by name where
/// the caller may administer the team.
#[utoipa::path(
    get, path = "", operation_id = "export_postings",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("from" = Option<String>, Query, description = "Booked at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Booked before this time.", format = DateTime),
        ("figure" = inline(Option<FigureJson>), Query, description = "Only what this figure of a report counts."),
        ("currency" = Option<String>, Query, description = "Only of this currency, an ISO 4217 code.", pattern = "^[A-Za-z]{3}$"),
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
    let (wanted, filter) = (wanted(&query)?, filter(&query)?);
    let file = file(&app, &access, "postings", &query).await?;
    let wanted = wanted.until(file.now);
    let is_named = wanted.format == Format::Spreadsheet && access.administers(&app).await?;
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
            let chosen: Vec<_> = postings
                .into_iter()
                .filter(|line| filter.holds(line))
                .collect();
            let by = chosen.iter().filter(|_| is_named);
            let by = by.filter_map(|line| actor_of(&line.posting));
            let names = activity::names(tx, &place.team_id, by)?;
            let rows = chosen.into_iter();
            rows.for_each(|posting| table.row(row(posting, &names, wanted.format)));
            Ok((table, next))
        },
    )
    .await
}
