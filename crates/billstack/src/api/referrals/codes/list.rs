//! `GET …/referrals/codes`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::codes::{self, CodeFilter, CodeSort, WithTotal};
use billstack_store::{Place, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use super::CodeWithFiguresJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, one_of, page, text, time, weight};
use crate::http::query::Query;
use crate::http::rows::Rows;

// Written by `Rows`.
/// A page of codes.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes the answer in the API document")]
pub struct CodesAnswer<'c> {
    /// The newest first, or in the order that was asked for.
    codes: Vec<CodeWithFiguresJson<'c>>,
    /// Present when there is more.
    #[schema(required = false, nullable = false)]
    next_cursor: Option<String>,
}

/// In which order codes are listed.
#[derive(Serialize, ToSchema)]
#[schema(as = CodeSort)]
#[serde(rename_all = "snake_case")]
pub enum SortJson {
    /// The newest first.
    Newest,
    /// The one whose links were followed most first.
    Clicks,
    /// The one that was applied most first.
    Applied,
    /// The one with the most conversions first.
    Converted,
}

fn sort(text: &str) -> Option<CodeSort> {
    Some(match text {
        "newest" => CodeSort::Newest,
        "clicks" => CodeSort::Clicks,
        "applied" => CodeSort::Applied,
        "converted" => CodeSort::Converted,
        _ => return None,
    })
}

/// List codes.
///
/// The project's codes, the newest first, with what each has brought. In the order of a figure a code is listed, and
/// moves, within a minute; the figures shown are exact to the moment, clicks to some seconds.
#[utoipa::path(
    get, path = "", operation_id = "list_codes",
    params(
        PageParams,
        ("activeOnly" = Option<bool>, Query, description = "Leave out codes that were switched off; true unless given."),
        ("customerId" = Option<String>, Query, description = "Only of this customer.", min_length = 1, max_length = 64),
        ("from" = Option<String>, Query, description = "Only made at this time or later; the newest first.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only made before this time; the newest first.", format = DateTime),
        ("sort" = inline(Option<SortJson>), Query, description = "The order; the newest first when left out."),
    ),
    responses((status = 200, description = "A page of codes.", body = CodesAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let filter = filter(&query)?;
    let weight = weight(&page);
    let read = move |tx: &mut dyn Tx, place: &Place| {
        let mut rows = Rows::new("codes");
        let show =
            |code: &WithTotal<'_>| rows.push(&CodeWithFiguresJson::new(code, &place.project_id));
        let next = codes::list(tx, place, &filter, &page, show)?;
        Ok((rows, next))
    };
    let (rows, next) = access.scan(&app, weight, read).await?;
    Ok(rows.finish(next.as_ref()))
}

/// The filter that a query asks for. A range of time and the order of a figure have no index in common.
pub(crate) fn filter(query: &Query) -> Result<CodeFilter, ApiError> {
    let filter = CodeFilter {
        customer_id: text(query, "customerId", 64)?,
        active_only: query.bool("activeOnly", true)?,
        from: time(query, "from")?,
        to: time(query, "to")?,
        sort: one_of(query, "sort", sort)?.unwrap_or_default(),
    };
    let is_of_time = filter.from.is_some() || filter.to.is_some();
    if is_of_time && filter.sort != CodeSort::Newest {
        let message = "With `from` or `to` codes are listed the newest first.";
        return Err(ApiError::invalid("sort", message));
    }
    Ok(filter)
}
