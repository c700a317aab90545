//! `GET …/referrals/exports/referrals`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::referral::Referral;
use billstack_store::list::{Cursor, Page};
use billstack_store::{Place, Tx};
use serde_json::{Value, json};

use super::super::list::{SortJson, Wanted};
use super::super::{SourceJson, StatusJson};
use super::name::file;
use super::table::Table;
use super::{Format, PAGE, format, send};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

const COLUMNS: &[&str] = &[
    "id",
    "status",
    "code",
    "source",
    "channel",
    "referrer",
    "referee",
    "appliedAt",
    "convertedAt",
    "currency",
    "referrerCreditAmount",
    "referrerCreditDecimal",
    "refereeCreditAmount",
    "refereeCreditDecimal",
];

fn row(referral: &Referral) -> Vec<Value> {
    let terms = &referral.terms;
    let decimal = |units| terms.currency.decimal(units);
    let (referrer, referee) = (
        terms.referrer_credit_amount.get(),
        terms.referee_credit_amount.get(),
    );
    vec![
        json!(referral.id),
        json!(referral.status),
        json!(referral.code),
        json!(referral.attribution.source),
        json!(referral.attribution.channel),
        json!(referral.referrer_customer_id),
        json!(referral.referee_customer_id),
        json!(rfc3339(referral.created_at.0)),
        json!(referral.converted_at.map(|at| rfc3339(at.0))),
        json!(terms.currency),
        json!(referrer),
        json!(decimal(referrer)),
        json!(referee),
        json!(decimal(referee)),
    ]
}

/// Export referrals.
///
/// All rows that the list has under the same filters, the one applied last first, with what was promised in whole units
/// and in minor ones.
#[utoipa::path(
    get, path = "", operation_id = "export_referrals",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("status" = inline(Option<StatusJson>), Query, description = "Only with this status."),
        ("customerId" = Option<String>, Query, description = "Only of this customer, as referrer or as referee.", min_length = 1, max_length = 64),
        ("referrerCustomerId" = Option<String>, Query, description = "Only of this referrer.", min_length = 1, max_length = 64),
        ("refereeCustomerId" = Option<String>, Query, description = "Only of this referee.", min_length = 1, max_length = 64),
        ("code" = Option<String>, Query, description = "Only by this code, or the code of this name.", min_length = 1, max_length = 64),
        ("source" = inline(Option<SourceJson>), Query, description = "Only those that came about by this."),
        ("from" = Option<String>, Query, description = "Only applied at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only applied before this time.", format = DateTime),
        ("sort" = inline(Option<SortJson>), Query, description = "The order; the one applied last first when left out."),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "id,status,code,source,channel,referrer,referee,appliedAt,convertedAt,currency,referrerCreditAmount,referrerCreditDecimal,refereeCreditAmount,refereeCreditDecimal\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (format, asked) = (format(&query)?, Wanted::read(&query)?);
    let file = file(&app, &access, "referrals", &query).await?;
    let read = move |tx: &mut dyn Tx, place: &Place, after: &Option<Cursor>, is_first| {
        let page = Page {
            limit: PAGE,
            offset: 0,
            after: after.clone(),
        };
        let part = asked.list(tx, place, &page)?;
        let mut table = Table::new(format, COLUMNS, is_first);
        part.rows
            .iter()
            .for_each(|referral| table.row(row(referral)));
        Ok((table, part.next.map(Some)))
    };
    send(app, access, &file.name, format, None, read).await
}
