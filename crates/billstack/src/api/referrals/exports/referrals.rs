//! `GET …/referrals/exports/referrals`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Scope;
use billstack_core::referral::Referral;
use billstack_store::customers::{self, Contact};
use billstack_store::list::Page;
use billstack_store::{Fault, Place, Tx};
use serde_json::{Value, json};

use super::super::list::{SortJson, Wanted};
use super::super::{SourceJson, StatusJson};
use super::name::file;
use super::table::Table;
use super::{Format, format, send_pages};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

/// The columns, with those beside the id of each side.
macro_rules! columns {
    ([$($referrer:literal),*], [$($referee:literal),*]) => {
        &[
            "id",
            "status",
            "code",
            "source",
            "channel",
            "referrer",
            $($referrer,)*
            "referee",
            $($referee,)*
            "appliedAt",
            "convertedAt",
            "currency",
            "referrerCreditAmount",
            "referrerCreditDecimal",
            "refereeCreditAmount",
            "refereeCreditDecimal",
        ]
    };
}

const COLUMNS: &[&str] = columns!([], []);

/// With how both sides are called, for people who may read that.
const WITH_NAMES: &[&str] = columns!(
    ["referrerName", "referrerEmail"],
    ["refereeName", "refereeEmail"]
);

/// How customers are called, where that is told.
type Names = Option<BTreeMap<String, Contact>>;

/// A customer: the id, and behind it how they are called. Of an erased one nothing is known.
fn customer(id: &str, names: &Names) -> Vec<Value> {
    let mut cells = vec![json!(id)];
    if let Some(names) = names {
        let contact = names.get(id).cloned().unwrap_or_default();
        cells.extend([json!(contact.name), json!(contact.email)]);
    }
    cells
}

fn names(tx: &mut dyn Tx, place: &Place, referrals: &[Referral]) -> Result<Names, Fault> {
    let ids = referrals.iter().flat_map(|referral| {
        [
            referral.referrer_customer_id.as_str(),
            &referral.referee_customer_id,
        ]
    });
    Ok(Some(customers::contacts(tx, place, ids)?))
}

fn row(referral: &Referral, names: &Names) -> Vec<Value> {
    let terms = &referral.terms;
    let decimal = |units| terms.currency.decimal(units);
    let (referrer, referee) = (
        terms.referrer_credit_amount.get(),
        terms.referee_credit_amount.get(),
    );
    let mut row = vec![
        json!(referral.id),
        json!(referral.status),
        json!(referral.code),
        json!(referral.attribution.source),
        json!(referral.attribution.channel),
    ];
    row.extend(customer(&referral.referrer_customer_id, names));
    row.extend(customer(&referral.referee_customer_id, names));
    row.extend([
        json!(rfc3339(referral.created_at.0)),
        json!(referral.converted_at.map(|at| rfc3339(at.0))),
        json!(terms.currency),
        json!(referrer),
        json!(decimal(referrer)),
        json!(referee),
        json!(decimal(referee)),
    ]);
    row
}

/// Export referrals.
///
/// All rows that the list has under the same filters, the one applied last first, with what was promised in whole units
/// and in minor ones. The form for people names both customers and their addresses too, where the caller may read
/// customers.
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
    let is_named = format == Format::Spreadsheet && access.has(&app, Scope::CustomersRead).await?;
    let read = move |tx: &mut dyn Tx, place: &Place, page: &Page, is_first| {
        let part = asked.list(tx, place, page)?;
        let (columns, names) = match is_named {
            true => (WITH_NAMES, names(tx, place, &part.rows)?),
            false => (COLUMNS, None),
        };
        let mut table = Table::new(format, columns, is_first);
        let rows = part.rows.iter();
        rows.for_each(|referral| table.row(row(referral, &names)));
        Ok((table, part.next))
    };
    send_pages(app, access, &file.name, format, read).await
}
