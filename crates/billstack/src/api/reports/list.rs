//! `GET …/reports`: every month for finance.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_store::finance::{self, Months};
use billstack_store::{Abort, Place, Tx, Weight, test_clock};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MonthJson, month, month_text};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{QueryString, text};
use crate::http::query::Query;

/// Months of a page: two years.
const ROWS: usize = 24;

/// A page of months.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonthsAnswer {
    /// The last one first.
    reports: Vec<MonthJson>,
    /// The last month of this page; present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, example = "2026-11")]
    next_cursor: Option<String>,
}

/// The months of a page.
pub(crate) struct Part {
    pub(crate) months: Vec<Months>,
    /// After which month there is more.
    pub(crate) next: Option<String>,
    pub(crate) now: Micros,
}

/// The month that a page begins after.
pub(crate) fn cursor(query: &Query) -> Result<Option<Micros>, ApiError> {
    let Some(text) = text(query, "cursor", 16)? else {
        return Ok(None);
    };
    let wrong = || {
        ApiError::invalid(
            "cursor",
            "`cursor` must be the nextCursor of an earlier page.",
        )
    };
    Ok(Some(month(&text).ok_or_else(wrong)?.0))
}

/// Reads a page.
pub(crate) fn read(
    tx: &mut dyn Tx,
    place: &Place,
    now: Micros,
    cursor: Option<Micros>,
) -> Result<Part, Abort> {
    let now = test_clock::shown(tx, place, now)?;
    let all = finance::months(tx, place, now.plus(1))?;
    let mut wanted = all
        .into_iter()
        .skip_while(|month| cursor.is_some_and(|cursor| month.from >= cursor));
    let months: Vec<_> = wanted.by_ref().take(ROWS).collect();
    let last = months.last().filter(|_| wanted.next().is_some());
    let next = last.map(|month| month_text(month.from));
    Ok(Part { months, next, now })
}

/// List months.
///
/// Every month of UTC from that of the first booking to the present one, the last one first; months in which nothing was
/// booked are there with zeros.
#[utoipa::path(
    get, path = "", operation_id = "list_month_reports",
    params(("cursor" = Option<String>, Query, description = "`nextCursor` of the page before.", pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$")),
    responses((status = 200, description = "A page of months.", body = MonthsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (cursor, now) = (cursor(&query)?, app.now());
    let found = access.scan(&app, Weight::Long, move |tx, place| {
        read(tx, place, now, cursor)
    });
    let part = found.await?;
    let json = |months: Months| {
        let (from, to) = months.from.month();
        MonthJson::new(
            month_text(from),
            (from, to),
            to <= part.now,
            months.currencies,
        )
    };
    Ok(answer::send(answer::ok(&MonthsAnswer {
        reports: part.months.into_iter().map(json).collect(),
        next_cursor: part.next,
    })))
}
