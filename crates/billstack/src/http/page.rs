//! Pages of lists: `limit`, `offset`, `cursor` in, `nextCursor` out.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use billstack_core::time::Micros;
use billstack_store::Weight;
use billstack_store::list::{Cursor, Page};
use utoipa::IntoParams;

use crate::error::{ApiError, Reason};
use crate::http::query::Query;

/// Rows of a page when the caller does not say.
pub const DEFAULT_LIMIT: i64 = 50;

/// The most rows of a page.
pub const LARGEST_LIMIT: i64 = 1000;

/// The deepest offset. Deeper pages go by cursor, which costs the same at any depth.
const LARGEST_OFFSET: i64 = 10_000;

/// The most rows that are read for a short page; whoever reads more takes turns with others who do.
const SHORT: i64 = 200;

/// The longest cursor, in characters.
const LONGEST_CURSOR: usize = 271;

/// How a page is asked for; only its documentation is used, the reading is [`page`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the fields describe the parameters in the API document"
)]
pub struct PageParams {
    /// The most items to return.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// Items to skip; beyond that use `cursor`.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<i64>,
    /// `nextCursor` of the page before.
    #[param(max_length = 271, pattern = "^[0-9a-f]{1,15}\\.[^\\u0000]{1,255}$")]
    cursor: Option<String>,
}

/// How a page is asked for where the largest is the usual one.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the fields describe the parameters in the API document"
)]
pub struct LargePageParams {
    /// The most items to return.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<i64>,
    /// Items to skip; beyond that use `cursor`.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<i64>,
    /// `nextCursor` of the page before.
    #[param(max_length = 271, pattern = "^[0-9a-f]{1,15}\\.[^\\u0000]{1,255}$")]
    cursor: Option<String>,
}

/// The page that a query string asks for.
pub fn page(query: &Query, default_limit: i64) -> Result<Page, ApiError> {
    let limit = query.int("limit", default_limit, 1..=LARGEST_LIMIT)?;
    if query
        .int("offset", 0, LARGEST_OFFSET + 1..=i64::MAX)
        .is_ok_and(|offset| offset > 0)
    {
        return Err(ApiError::new(Reason::UseCursor).field("offset"));
    }
    let offset = query.int("offset", 0, 0..=LARGEST_OFFSET)?;
    let after = match query.optional_str("cursor", LONGEST_CURSOR)? {
        Some(text) => Some(Cursor::decode(text).ok_or_else(|| {
            ApiError::invalid(
                "cursor",
                "`cursor` must be the nextCursor of an earlier page.",
            )
        })?),
        None => None,
    };
    Ok(Page {
        limit,
        offset,
        after,
    })
}

/// How much the reading of a page touches: rows that are skipped are read too.
pub fn weight(page: &Page) -> Weight {
    match page.limit + page.offset <= SHORT {
        true => Weight::Short,
        false => Weight::Long,
    }
}

/// The query string of a request, read strictly in front of the handler; see
/// [`authorize`](crate::http::access::authorize).
pub struct QueryString(pub Query);

impl<S: Send + Sync> FromRequestParts<S> for QueryString {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(QueryString(parts.extensions.remove().unwrap_or_default()))
    }
}

/// A query parameter that takes one of a few words.
pub fn one_of<T>(
    query: &Query,
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let Some(text) = query.optional_str(name, 64)? else {
        return Ok(None);
    };
    let Some(value) = parse(text) else {
        return Err(ApiError::invalid(
            name,
            format!("`{name}` has a value that is not known."),
        ));
    };
    Ok(Some(value))
}

/// A query parameter that is an RFC 3339 time.
pub fn time(query: &Query, name: &'static str) -> Result<Option<Micros>, ApiError> {
    let Some(text) = query.optional_str(name, 64)? else {
        return Ok(None);
    };
    let why = || format!("`{name}` must be a time such as 2030-01-31T09:30:00Z (RFC 3339).");
    let time = Micros::from_rfc3339(text);
    Ok(Some(time.ok_or_else(|| ApiError::invalid(name, why()))?))
}

/// A range of time, which may be empty but not end before it begins.
pub fn in_order(from: Micros, to: Micros) -> Result<(Micros, Micros), ApiError> {
    match from <= to {
        true => Ok((from, to)),
        false => Err(ApiError::invalid("from", "`from` must not be after `to`.")),
    }
}

/// A query parameter that is kept as it is.
pub fn text(
    query: &Query,
    name: &'static str,
    max_chars: usize,
) -> Result<Option<String>, ApiError> {
    Ok(query.optional_str(name, max_chars)?.map(str::to_owned))
}
