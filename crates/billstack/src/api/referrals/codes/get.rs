//! `GET …/referrals/codes/{code}`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::code;
use billstack_store::act::Place;
use billstack_store::codes::{self, Code};
use billstack_store::list::{Page, Part};
use billstack_store::referrals::{self, Episode};
use billstack_store::refusal::Refusal;
use billstack_store::tx::{Abort, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::referrals::StatusJson;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::page::{LARGEST_LIMIT, LargePageParams, QueryString, page};
use crate::http::path::Item;

/// Up to this many referrals are read on the spot; more go to a reader thread.
const POINT_LIMIT: i64 = 50;

/// A code, without its project, as the answer that also tells its history has it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeDetailJson {
    /// Eight upper-case letters and digits.
    #[schema(example = "K7M2QX9D")]
    code: String,
    /// The customer who shares it.
    customer_id: String,
    /// Whether it can be applied.
    is_active: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A referral in the history of its code.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryJson {
    /// Its id.
    #[schema(example = "ref_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The customer who applied the code.
    referee_customer_id: String,
    /// How far it has come.
    status: StatusJson,
    /// When the code was applied.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it converted.
    #[schema(format = DateTime)]
    converted_at: Option<String>,
}

/// A code and who applied it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetCodeAnswer {
    /// The code.
    code: CodeDetailJson,
    /// Its referrals, the oldest first.
    referrals: Vec<HistoryJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Get a code and its history.
///
/// The history is whole up to 1000 referrals, the default `limit` here.
#[utoipa::path(
    get, path = "", operation_id = "get_code",
    params(LargePageParams),
    responses((status = 200, description = "The code and its referrals.", body = GetCodeAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(text): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, LARGEST_LIMIT)?;
    let code = code::normalize(&text).ok_or(Refusal::NotFound("code"))?;
    let first = Page {
        limit: page.limit.min(POINT_LIMIT),
        ..page.clone()
    };
    let (short, text) = (first.limit < page.limit, code.clone());
    let start = access.point(&app, move |tx, place| read(tx, place, &text, &first));
    let (mut found, mut history) = start.await?;
    if short && history.next.is_some() {
        let whole = access.scan(&app, move |tx, place| read(tx, place, &code, &page));
        (found, history) = whole.await?;
    }
    Ok(answer::send(answer::ok(&body(found, history))))
}

fn read(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
    page: &Page,
) -> Result<(Code, Part<Episode>), Abort> {
    let found = codes::get(tx, place, code)?.ok_or(Refusal::NotFound("code"))?;
    Ok((found, referrals::history(tx, place, code, page)?))
}

fn body(code: Code, history: Part<Episode>) -> GetCodeAnswer {
    GetCodeAnswer {
        code: CodeDetailJson {
            code: code.code,
            customer_id: code.customer_id,
            is_active: code.is_active,
            created_at: rfc3339(code.created_at.0),
        },
        referrals: history
            .rows
            .into_iter()
            .map(|referral| HistoryJson {
                id: referral.id,
                referee_customer_id: referral.referee_customer_id,
                status: referral.status.into(),
                created_at: rfc3339(referral.created_at.0),
                converted_at: referral.converted_at.map(|at| rfc3339(at.0)),
            })
            .collect(),
        next_cursor: history.next.map(|cursor| cursor.encode()),
    }
}
