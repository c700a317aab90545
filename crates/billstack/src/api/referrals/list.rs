//! `GET …/referrals`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::referral::{Referral, Status};
use billstack_core::source::Source;
use billstack_core::time::Micros;
use billstack_store::list::{Page, Part};
use billstack_store::referrals::{self, ReferralFilter, ReferralSort};
use billstack_store::{Abort, Place, Tx, codes};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ReferralJson, SourceJson, StatusJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, one_of, page, text, time, weight};
use crate::http::query::Query;

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

/// In which order referrals are listed.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralSort)]
#[serde(rename_all = "snake_case")]
pub enum SortJson {
    /// The one applied last first.
    Applied,
    /// Those that converted, the last one first.
    Converted,
}

fn sort(text: &str) -> Option<ReferralSort> {
    match text {
        "applied" => Some(ReferralSort::Applied),
        "converted" => Some(ReferralSort::Converted),
        _ => None,
    }
}

/// Which referrals are wanted, as filters say it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    filter: ReferralFilter,
    customer_id: Option<String>,
    code: Option<String>,
}

impl Wanted {
    /// Reads the filters of a query string.
    pub(crate) fn read(query: &Query) -> Result<Wanted, ApiError> {
        Wanted {
            filter: ReferralFilter {
                status: one_of(query, "status", Status::parse)?,
                referrer_customer_id: text(query, "referrerCustomerId", 64)?,
                referee_customer_id: text(query, "refereeCustomerId", 64)?,
                code: None,
                source: one_of(query, "source", Source::parse)?,
                from: time(query, "from")?,
                to: time(query, "to")?,
                sort: one_of(query, "sort", sort)?.unwrap_or_default(),
            },
            customer_id: text(query, "customerId", 64)?,
            code: text(query, "code", 64)?,
        }
        .in_one_order()
    }

    /// In the order of conversion there is an index by time alone.
    fn in_one_order(self) -> Result<Wanted, ApiError> {
        let filter = &self.filter;
        let is_narrowed = filter.referrer_customer_id.is_some()
            || filter.referee_customer_id.is_some()
            || filter.source.is_some()
            || self.customer_id.is_some()
            || self.code.is_some()
            || filter
                .status
                .is_some_and(|status| status != Status::Converted);
        match filter.sort == ReferralSort::Converted && is_narrowed {
            true => {
                let message = "With `sort=converted` only `from` and `to` narrow the list.";
                Err(ApiError::invalid("sort", message))
            }
            false => Ok(self),
        }
    }

    /// Whether they stand in the order of conversion.
    pub(crate) fn is_by_conversion(&self) -> bool {
        self.filter.sort == ReferralSort::Converted
    }

    /// The range of time, where nothing else narrows the list.
    pub(crate) fn of_days(&self) -> Option<(Option<Micros>, Option<Micros>)> {
        let filter = &self.filter;
        let is_narrowed = filter.referrer_customer_id.is_some()
            || filter.referee_customer_id.is_some()
            || filter.source.is_some()
            || filter.status.is_some()
            || self.customer_id.is_some()
            || self.code.is_some();
        (!is_narrowed).then_some((filter.from, filter.to))
    }

    /// A page of them, the one applied last first.
    pub(crate) fn list(
        &self,
        tx: &mut dyn Tx,
        place: &Place,
        page: &Page,
    ) -> Result<Part<Referral>, Abort> {
        let mut filter = self.filter.clone();
        if let Some(given) = &self.code {
            let found = codes::names::resolve(tx, place, given)?;
            // A text that is no code finds nothing, like a code that nobody has.
            filter.code = Some(found.unwrap_or_else(|| given.clone()));
        }
        Ok(match &self.customer_id {
            Some(id) => referrals::list_of_customer(tx, place, id, &filter, page)?,
            None => referrals::list(tx, place, &filter, page)?,
        })
    }
}

/// List referrals.
///
/// The project's referrals, the one applied last first. Filters are exact and can be combined. With `sort=converted` those
/// that converted are listed by when they did: `from` and `to` are of that time then, and nothing else narrows the list.
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
        ("sort" = inline(Option<SortJson>), Query, description = "The order; the one applied last first when left out."),
    ),
    responses((status = 200, description = "A page of referrals.", body = ReferralsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let wanted = Wanted::read(&query)?;
    let part = access.scan(&app, weight(&page), move |tx, place| {
        wanted.list(tx, place, &page)
    });
    let part = part.await?;
    Ok(answer::send(answer::ok(&ReferralsAnswer {
        referrals: part.rows.iter().map(ReferralJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
