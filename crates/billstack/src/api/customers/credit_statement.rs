//! `GET …/customers/{id}/credit-statement`.

pub mod export;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ledger::{Account, Cause};
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_store::Weight;
use billstack_store::finance::{self, Moved, Movement, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::referrals::credits::postings::{AccountJson, CauseJson};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{QueryString, in_order, one_of, time};
use crate::http::path::Item;
use crate::http::query::Query;

/// A movement of a customer's credits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatementLine)]
struct LineJson {
    /// When it was booked.
    #[schema(format = DateTime)]
    created_at: String,
    /// When what it tells of happened.
    #[schema(format = DateTime)]
    effective_at: String,
    /// The credit.
    #[schema(example = "cr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    credit_id: String,
    /// The account from which it was taken.
    #[schema(value_type = AccountJson)]
    from: Account,
    /// The account to which it went.
    #[schema(value_type = AccountJson)]
    to: Account,
    /// How much, in minor units.
    moved: i64,
    /// By how much it changed what the customer is owed: 0 where it only went from one place to another.
    amount: i64,
    /// What the customer is owed after it.
    balance: i64,
    /// What kind of thing caused it.
    #[schema(value_type = CauseJson)]
    cause: Cause,
    /// Which one: the id of the Stripe event, the actor, or the name of the job.
    #[schema(example = "evt_1RfX2cQ")]
    cause_id: String,
    /// Why, when a person moved it.
    reason: Option<String>,
    /// What it can be looked up by: an invoice, a charge, a refund, a line of the balance in Stripe, an event of
    /// Stripe, or what a payment is called elsewhere.
    document: Option<String>,
}

impl LineJson {
    fn new(line: Movement) -> LineJson {
        let document = line.moved.document().map(str::to_owned);
        let Moved {
            credit_id,
            from,
            to: posting,
            ..
        } = line.moved;
        LineJson {
            created_at: rfc3339(posting.created_at.0),
            effective_at: rfc3339(posting.effective_at.0),
            credit_id,
            from,
            to: posting.account,
            moved: posting.amount,
            amount: line.change,
            balance: line.balance,
            cause: posting.cause,
            cause_id: posting.cause_id,
            reason: posting.reason,
            document,
        }
    }
}

/// The account of a customer in one currency.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreditStatement)]
struct StatementJson {
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// Owed at the beginning, in minor units.
    opening: i64,
    /// Owed at the end.
    closing: i64,
    /// Every movement, in the order of booking: 10,000 at most.
    lines: Vec<LineJson>,
    /// Whether there are more; ask for a shorter time then.
    is_cut: bool,
}

impl StatementJson {
    fn new(currency: Currency, statement: Statement) -> StatementJson {
        let lines = statement.movements.into_iter();
        StatementJson {
            currency,
            opening: statement.opening,
            closing: statement.closing,
            lines: lines.map(LineJson::new).collect(),
            is_cut: statement.is_cut,
        }
    }
}

/// The account of a customer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatementAnswer {
    /// The customer.
    customer_id: String,
    /// By currency.
    statements: Vec<StatementJson>,
}

/// Which currency and which time are asked for.
fn wanted(query: &Query) -> Result<(Option<Currency>, (Micros, Micros)), ApiError> {
    let currency = one_of(query, "currency", Currency::parse)?;
    let times = in_order(
        time(query, "from")?.unwrap_or(Micros(i64::MIN)),
        time(query, "to")?.unwrap_or(Micros(i64::MAX)),
    )?;
    Ok((currency, times))
}

/// Get a customer's credit statement.
///
/// For each currency what the customer was owed at `from`, every movement since with what caused it and the balance
/// after it, and what they were owed at `to`.
#[utoipa::path(
    get, path = "", operation_id = "get_credit_statement",
    params(
        ("currency" = Option<String>, Query, description = "Only in this currency.", min_length = 3, max_length = 3, pattern = "^[A-Za-z]{3}$"),
        ("from" = Option<String>, Query, description = "Movements booked at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Movements booked before this time.", format = DateTime),
    ),
    responses((status = 200, description = "The account.", body = StatementAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (currency, times) = wanted(&query)?;
    let customer_id = id.clone();
    let read = access.scan(&app, Weight::Long, move |tx, place| {
        finance::statement(tx, place, &id, currency, times)
    });
    let statements = read.await?.into_iter();
    let json = |(currency, statement)| StatementJson::new(currency, statement);
    Ok(answer::send(answer::ok(&StatementAnswer {
        customer_id,
        statements: statements.map(json).collect(),
    })))
}
