//! `GET …/customers/{id}/credit-balance`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::Currency;
use billstack_store::{Weight, credits, customers};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// What a customer has in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditBalance)]
pub struct BalanceJson {
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// The sum in minor units.
    #[schema(example = 1500)]
    amount: i64,
}

/// What a customer has.
#[derive(Serialize, ToSchema)]
pub struct BalancesAnswer {
    /// One per currency.
    balances: Vec<BalanceJson>,
}

/// Get a customer's credit balance.
///
/// The sum of the customer's credits, by currency; none without credits.
#[utoipa::path(
    get, path = "", operation_id = "get_credit_balance",
    responses((status = 200, description = "The sums of all credits.", body = BalancesAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let balances = access.scan(&app, Weight::Short, move |tx, place| {
        customers::require(tx, place, &id)?;
        Ok(credits::balances(tx, place, &id)?)
    });
    let found = balances.await?;
    let balances = found.iter();
    Ok(answer::send(answer::ok(&BalancesAnswer {
        balances: balances
            .map(|b| BalanceJson {
                currency: b.currency,
                amount: b.amount,
            })
            .collect(),
    })))
}
