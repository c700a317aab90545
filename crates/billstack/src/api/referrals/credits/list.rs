//! `GET …/referrals/credits`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::credit::{CreditKind, CreditStatus, Side};
use billstack_core::delivery::DeliveryState;
use billstack_core::money::Currency;
use billstack_store::credits::delivery::shown;
use billstack_store::credits::{self, CreditFilter};
use serde::Serialize;
use utoipa::ToSchema;

use super::delivery::DeliveryStateJson;
use super::{CreditJson, CreditKindJson, CreditStatusJson, SideJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, one_of, page, text, time, weight};
use crate::http::query::Query;

/// A page of credits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreditsAnswer {
    /// The newest first.
    credits: Vec<CreditJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Reads the filters of a query string.
pub(crate) fn filter(query: &Query) -> Result<CreditFilter, ApiError> {
    Ok(CreditFilter {
        customer_id: text(query, "customerId", 64)?,
        referral_id: text(query, "referralId", 64)?,
        side: one_of(query, "side", Side::parse)?,
        kind: one_of(query, "kind", CreditKind::parse)?,
        status: one_of(query, "status", CreditStatus::parse)?,
        delivery: one_of(query, "delivery", DeliveryState::parse)?,
        currency: one_of(query, "currency", currency)?,
        from: time(query, "from")?,
        to: time(query, "to")?,
    })
}

/// A currency in any case; what nothing has is a currency too.
pub(crate) fn currency(text: &str) -> Option<Currency> {
    Currency::read(&text.to_ascii_lowercase())
}

/// List credits.
///
/// What conversions have granted and the team has given in the project, the newest first.
#[utoipa::path(
    get, path = "", operation_id = "list_credits",
    params(
        PageParams,
        ("customerId" = Option<String>, Query, description = "Only of this customer.", min_length = 1, max_length = 64),
        ("referralId" = Option<String>, Query, description = "Only of this referral.", min_length = 1, max_length = 64),
        ("side" = inline(Option<SideJson>), Query, description = "Only of this side."),
        ("kind" = inline(Option<CreditKindJson>), Query, description = "Only of this kind."),
        ("currency" = Option<String>, Query, description = "Only of this currency, an ISO 4217 code.", pattern = "^[A-Za-z]{3}$"),
        ("from" = Option<String>, Query, description = "Only granted at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only granted before this time.", format = DateTime),
        ("status" = inline(Option<CreditStatusJson>), Query, description = "Only with this status."),
        ("delivery" = inline(Option<DeliveryStateJson>), Query, description = "Only whose delivery has come so far."),
    ),
    responses((status = 200, description = "A page of credits.", body = CreditsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let filter = filter(&query)?;
    let part = access.scan(&app, weight(&page), move |tx, place| {
        let part = credits::list(tx, place, &filter, &page)?;
        let rows = part.rows.into_iter().map(|credit| shown(tx, place, credit));
        Ok((rows.collect::<Result<Vec<_>, _>>()?, part.next))
    });
    let (rows, next) = part.await?;
    Ok(answer::send(answer::ok(&CreditsAnswer {
        credits: rows.iter().map(CreditJson::new).collect(),
        next_cursor: next.map(|cursor| cursor.encode()),
    })))
}
