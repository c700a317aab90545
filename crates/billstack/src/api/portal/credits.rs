//! `GET /api/portal/credits`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::credit::{CreditStatus, Side};
use billstack_store::credits::Credit;
use billstack_store::portal::{self, Visit};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyJson, StateJson, day};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::answer;
use crate::http::page::QueryString;
use crate::portal::{Context, PortalCaller, sealed_cursor, unsealed_cursor};

/// Something that the customer has earned.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalCredit)]
#[serde(rename_all = "camelCase")]
pub struct PortalCreditJson {
    /// What it is for: a `friend` who was brought, a `welcome` to who was, or `other`.
    #[schema(example = "friend")]
    kind: &'static str,
    /// Where it stands: `waiting` while it is held, `earned`, or `not_counted`.
    #[schema(value_type = StateJson)]
    state: &'static str,
    /// How much is left of it; what was used counts.
    credit: MoneyJson,
    /// The day on which it was earned.
    #[schema(format = Date, example = "2026-03-30")]
    earned_on: String,
    /// The day on which the hold ends.
    #[schema(format = Date)]
    held_until: Option<String>,
}

impl PortalCreditJson {
    fn new(credit: &Credit) -> PortalCreditJson {
        let is_held = credit.status == CreditStatus::Held;
        let left = credit.amount.get() - credit.parts.reversed;
        PortalCreditJson {
            kind: match credit.side {
                Some(Side::Referrer) => "friend",
                Some(Side::Referee) => "welcome",
                Some(Side::Other(_)) | None => "other",
            },
            state: state(credit.status),
            credit: MoneyJson::new(left, credit.currency),
            earned_on: day(credit.created_at),
            held_until: credit.held_until.filter(|_| is_held).map(day),
        }
    }
}

/// The word for where a credit stands.
pub fn state(status: CreditStatus) -> &'static str {
    match status {
        CreditStatus::Held => "waiting",
        CreditStatus::Granted | CreditStatus::Applied | CreditStatus::PartiallyReversed => "earned",
        CreditStatus::Reversed | CreditStatus::Other(_) => "not_counted",
    }
}

/// A page of what a customer has earned.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortalCreditsAnswer {
    /// The newest first.
    credits: Vec<PortalCreditJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "v1.5f2ac0")]
    next_cursor: Option<String>,
}

/// List what a customer has earned.
///
/// What was earned last comes first.
#[utoipa::path(
    get, path = "", operation_id = "list_portal_credits",
    security(("portalToken" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "The most items to return.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before.", max_length = 700, pattern = "^v1\\.[0-9a-f]{1,697}$"),
    ),
    responses((status = 200, description = "A page of credits.", body = PortalCreditsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: PortalCaller,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let context = Context {
        session: &caller.session,
        list: "credits",
    };
    let page = unsealed_cursor(&app, context, &query)?;
    let customer_id = caller.session.customer_id.clone();
    let read = move |tx: &mut dyn billstack_store::Tx, visit: &Visit| {
        Ok(portal::credits(tx, &visit.place, &customer_id, &page)?)
    };
    let show = |_: &Visit, part: billstack_store::list::Part<Credit>| {
        answer::send(answer::ok(&PortalCreditsAnswer {
            credits: part.rows.iter().map(PortalCreditJson::new).collect(),
            next_cursor: sealed_cursor(&app, context, part.next.as_ref()),
        }))
    };
    Ok(caller.answer(&app, read, show).await)
}
