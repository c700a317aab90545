//! `GET …/referrals/codes/{code}`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::referral::Status;
use billstack_store::Place;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::codes;
use billstack_store::list::{Cursor, Page};
use billstack_store::referrals;
use billstack_store::{Abort, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::referrals::StatusJson;
use crate::app::Shared;
use crate::clock::Moment;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::{LARGEST_LIMIT, LargePageParams, QueryString, page, weight};
use crate::http::path::Item;
use crate::http::rows::Rows;

/// Up to this many referrals are read on the spot; more go to a reader thread.
const POINT_LIMIT: i64 = 50;

/// A code, without its project, as the answer that also tells its history has it.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralCodeDetail)]
#[serde(rename_all = "camelCase")]
pub struct CodeDetailJson<'c> {
    /// Eight upper-case letters and digits.
    #[schema(example = "K7M2QX9D")]
    code: &'c str,
    /// The customer who shares it.
    customer_id: &'c str,
    /// Whether it can be applied.
    is_active: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    /// The name that people gave it last; null for none.
    #[schema(example = "ADA-L")]
    vanity: Option<&'c str>,
    /// All its names, the last one first. Each works wherever the code does.
    #[schema(example = json!(["ADA-L", "ADA"]))]
    aliases: &'c [String],
}

/// A referral in the history of its code.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralOfCode)]
#[serde(rename_all = "camelCase")]
pub struct HistoryJson<'r> {
    /// Its id.
    #[schema(example = "ref_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: &'r str,
    /// The customer who applied the code.
    referee_customer_id: &'r str,
    /// How far it has come.
    #[schema(value_type = StatusJson)]
    status: Status,
    /// When the code was applied.
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    /// When it converted.
    #[schema(value_type = Option<String>, format = DateTime)]
    converted_at: Option<Moment>,
}

// Written by `Rows`.
/// A code and who applied it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes the answer in the API document")]
pub struct GetCodeAnswer<'c> {
    /// The code.
    code: CodeDetailJson<'c>,
    /// Its referrals, the oldest first.
    referrals: Vec<HistoryJson<'c>>,
    /// Present when there is more.
    #[schema(required = false, nullable = false)]
    next_cursor: Option<String>,
}

/// Get a code and its history.
///
/// The oldest referral comes first. The history is whole up to 1000 referrals, the default `limit` here.
#[utoipa::path(
    get, path = "", operation_id = "get_code",
    params(LargePageParams),
    responses((status = 200, description = "The code and its referrals.", body = GetCodeAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(text): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, LARGEST_LIMIT)?;
    let weight = weight(&page);
    let first = Page {
        limit: page.limit.min(POINT_LIMIT),
        ..page.clone()
    };
    let (short, code) = (first.limit < page.limit, text.clone());
    let start = access.point(&app, move |tx, place| read(tx, place, &text, &first));
    let (mut rows, mut next) = start.await?;
    if short && next.is_some() {
        let whole = access.scan(&app, weight, move |tx, place| read(tx, place, &code, &page));
        (rows, next) = whole.await?;
    }
    Ok(rows.finish(next.as_ref()))
}

fn read(
    tx: &mut dyn Tx,
    place: &Place,
    typed: &str,
    page: &Page,
) -> Result<(Rows, Option<Cursor>), Abort> {
    let missing = Refusal::NotFound(Thing::Code);
    let code = codes::names::resolve(tx, place, typed)?.ok_or(missing.clone())?;
    let found = codes::get(tx, place, &code)?.ok_or(missing)?;
    let detail = CodeDetailJson {
        code: &found.code,
        customer_id: &found.customer_id,
        is_active: found.is_active,
        created_at: Moment(found.created_at),
        vanity: found.names.0.first().map(String::as_str),
        aliases: &found.names.0,
    };
    let mut rows = Rows::after("code", &detail, "referrals");
    let next = referrals::history(tx, place, &code, page, |episode| {
        rows.push(&HistoryJson {
            id: episode.id,
            referee_customer_id: episode.referee_customer_id,
            status: episode.status,
            created_at: Moment(episode.created_at),
            converted_at: episode.converted_at.map(Moment),
        });
    })?;
    Ok((rows, next))
}
