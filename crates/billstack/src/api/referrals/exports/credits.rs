//! `GET …/referrals/exports/credits`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::credit::Side;
use billstack_core::time::Micros;
use billstack_store::finance::{self, ExportedCredit};
use serde_json::{Value, json};

use super::table::Table;
use super::{Format, PAGE, send, wanted};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

/// What stands for the side where a credit was given by hand.
const BY_HAND: &str = "manual";

const COLUMNS: &[&str] = &[
    "id",
    "kind",
    "referral",
    "side",
    "customer",
    "externalId",
    "stripeCustomer",
    "currency",
    "amount",
    "held",
    "available",
    "delivered",
    "applied",
    "reversed",
    "settled",
    "shortfall",
    "status",
    "delivery",
    "reason",
    "transactionId",
    "createdAt",
    "heldUntil",
];

fn row(exported: ExportedCredit) -> Vec<Value> {
    let ExportedCredit {
        credit,
        external_id,
        stripe_customer_id,
        transaction_id,
    } = exported;
    let parts = credit.parts;
    vec![
        json!(credit.id),
        json!(credit.kind),
        json!(credit.referral_id),
        json!(credit.side.as_ref().map_or(BY_HAND, Side::as_str)),
        json!(credit.customer_id),
        json!(external_id),
        json!(stripe_customer_id),
        json!(credit.currency),
        json!(credit.amount),
        json!(parts.held),
        json!(parts.available),
        json!(parts.delivered),
        json!(parts.applied),
        json!(parts.reversed),
        json!(parts.settled),
        json!(parts.shortfall),
        json!(credit.status),
        json!(credit.delivery),
        json!(credit.delivery_reason),
        json!(transaction_id),
        json!(rfc3339(credit.created_at.0)),
        json!(credit.held_until.map(|at| rfc3339(at.0))),
    ]
}

/// Export credits.
///
/// Every credit that was granted in the time, the oldest first, as it is when its row is read.
#[utoipa::path(
    get, path = "", operation_id = "export_credits",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("from" = Option<String>, Query, description = "Granted at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Granted before this time.", format = DateTime),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "id,kind,referral,side,customer,externalId,stripeCustomer,currency,amount,held,available,delivered,applied,reversed,settled,shortfall,status,delivery,reason,transactionId,createdAt,heldUntil\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let wanted = wanted(&app, &query)?;
    let begin = (Micros(wanted.from.0 - 1), "\u{10ffff}".to_owned());
    send(
        app,
        access,
        "credits",
        wanted.format,
        begin,
        move |tx, place, (at, id), is_first| {
            let credits = finance::exported_credits(tx, place, (*at, id), wanted.to, PAGE)?;
            let last = credits
                .last()
                .map(|last| (last.credit.created_at, last.credit.id.clone()));
            let next = last.filter(|_| credits.len() as i64 == PAGE);
            let mut table = Table::new(wanted.format, COLUMNS, is_first);
            credits
                .into_iter()
                .for_each(|credit| table.row(row(credit)));
            Ok((table, next))
        },
    )
    .await
}
