//! `GET …/referrals/codes`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Place;
use billstack_store::Tx;
use billstack_store::codes::{self, ActiveOnly, Listed};
use utoipa::ToSchema;

use super::CodeJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page, text, weight};
use crate::http::rows::Rows;

/// Up to this many rows are read on the spot; more, or skipped ones, go to a reader thread.
const POINT_LIMIT: i64 = 100;

// Written by `Rows`.
/// A page of codes.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes the answer in the API document")]
pub struct CodesAnswer<'c> {
    /// The newest first.
    codes: Vec<CodeJson<'c>>,
    /// Present when there is more.
    #[schema(required = false, nullable = false)]
    next_cursor: Option<String>,
}

/// List codes.
///
/// The project's codes, the newest first, with the number of their referrals.
#[utoipa::path(
    get, path = "", operation_id = "list_codes",
    params(
        PageParams,
        ("activeOnly" = Option<bool>, Query, description = "Leave out codes that were switched off; true unless given."),
        ("customerId" = Option<String>, Query, description = "Only of this customer.", min_length = 1, max_length = 64),
    ),
    responses((status = 200, description = "A page of codes.", body = CodesAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let active = if query.bool("activeOnly", true)? {
        ActiveOnly::Yes
    } else {
        ActiveOnly::No
    };
    let customer_id = text(&query, "customerId", 64)?;
    let weight = weight(&page);
    let is_short = page.limit + page.offset <= POINT_LIMIT;
    let read = move |tx: &mut dyn Tx, place: &Place| {
        let mut rows = Rows::new("codes");
        let show = |code: &Listed<'_>| rows.push(&CodeJson::new(code, &place.project_id));
        let next = codes::list(tx, place, customer_id.clone(), active, &page, show)?;
        Ok((rows, next))
    };
    // Every choice of filters has an index whose first rows are the page.
    let (rows, next) = if is_short {
        access.point(&app, read).await?
    } else {
        access.scan(&app, weight, read).await?
    };
    Ok(rows.finish(next.as_ref()))
}
