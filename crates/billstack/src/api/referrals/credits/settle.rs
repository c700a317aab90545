//! `POST …/referrals/credits/{id}/settle`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::credit_moves::{self, Asked};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CreditAnswer, SentPart, Why, move_credit};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::json::Text;
use crate::http::path::Item;

/// How much was paid, and why.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettleCreditRequest {
    /// How much, in minor units; all that is there when left out.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 99_999_999, example = 300)]
    amount: Option<SentPart>,
    /// What the payment is called elsewhere, such as the number of a transfer.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "PAY-2026-118")]
    reference: Option<Text<1, 255>>,
    /// Why; no personal data, it is kept for ever.
    #[schema(value_type = String, min_length = 1, max_length = 500, example = "Paid out in May")]
    reason: Why,
}

/// Settle a credit.
///
/// Notes that it was paid to the customer, so that it is no longer owed. No money is moved.
#[utoipa::path(
    post, path = "", operation_id = "settle_credit",
    request_body = SettleCreditRequest,
    responses((status = 200, description = "The credit as it is now.", body = CreditAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(credit_id): Item,
    input: Input<SettleCreditRequest>,
) -> Result<Response, ApiError> {
    let request = input.body;
    let asked = Asked {
        credit_id,
        amount: request.amount.map(|SentPart(amount)| amount),
        reason: request.reason.0,
        reference: request.reference.map(|Text(reference)| reference),
    };
    move_credit(&app, access, input.keyed, asked, credit_moves::settle).await
}
