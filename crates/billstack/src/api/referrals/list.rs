//! `GET …/referrals`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::referral::Status;
use billstack_core::source::Source;
use billstack_store::codes;
use billstack_store::referrals::{self, ReferralFilter};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ReferralJson, SourceJson, StatusJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, one_of, page, text, time, weight};

/// A page of referrals.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReferralsAnswer {
    /// The newest first.
    referrals: Vec<ReferralJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List referrals.
///
/// The project's referrals, the one applied last first. Filters are exact and can be combined.
#[utoipa::path(
    get, path = "", operation_id = "list_referrals",
    params(
        PageParams,
        ("status" = inline(Option<StatusJson>), Query, description = "Only with this status."),
        ("customerId" = Option<String>, Query, description = "Only of this customer, as referrer or as referee.", min_length = 1, max_length = 64),
        ("referrerCustomerId" = Option<String>, Query, description = "Only of this referrer.", min_length = 1, max_length = 64),
        ("refereeCustomerId" = Option<String>, Query, description = "Only of this referee.", min_length = 1, max_length = 64),
        ("code" = Option<String>, Query, description = "Only by this code, or the code of this name.", min_length = 1, max_length = 64),
        ("source" = inline(Option<SourceJson>), Query, description = "Only those that came about by this."),
        ("from" = Option<String>, Query, description = "Only applied at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only applied before this time.", format = DateTime),
    ),
    responses((status = 200, description = "A page of referrals.", body = ReferralsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let filter = ReferralFilter {
        status: one_of(&query, "status", Status::parse)?,
        referrer_customer_id: text(&query, "referrerCustomerId", 64)?,
        referee_customer_id: text(&query, "refereeCustomerId", 64)?,
        code: None,
        source: one_of(&query, "source", Source::parse)?,
        from: time(&query, "from")?,
        to: time(&query, "to")?,
    };
    let customer_id = text(&query, "customerId", 64)?;
    let code = text(&query, "code", 64)?;
    let part = access.scan(&app, weight(&page), move |tx, place| {
        let filter = match &code {
            Some(given) => {
                let found = codes::names::resolve(tx, place, given)?;
                // A text that is no code finds nothing, like a code that nobody has.
                let code = Some(found.unwrap_or_else(|| given.clone()));
                ReferralFilter {
                    code,
                    ..filter.clone()
                }
            }
            None => filter.clone(),
        };
        Ok(match &customer_id {
            Some(id) => referrals::list_of_customer(tx, place, id, &filter, &page)?,
            None => referrals::list(tx, place, &filter, &page)?,
        })
    });
    let part = part.await?;
    Ok(answer::send(answer::ok(&ReferralsAnswer {
        referrals: part.rows.iter().map(ReferralJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
