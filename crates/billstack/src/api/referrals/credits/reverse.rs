//! `POST …/referrals/credits/{id}/reverse`.

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
use crate::http::path::Item;

/// How much to take back, and why.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReverseCreditRequest {
    /// How much, in minor units; all that is there when left out.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 99_999_999, example = 300)]
    amount: Option<SentPart>,
    /// Why; no personal data, it is kept for ever.
    #[schema(value_type = String, min_length = 1, max_length = 500, example = "Fraud")]
    reason: Why,
}

/// Take a credit back.
///
/// First what is held, then what is the customer's. What was settled stays settled.
#[utoipa::path(
    post, path = "", operation_id = "reverse_credit",
    request_body = ReverseCreditRequest,
    responses((status = 200, description = "The credit as it is now.", body = CreditAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(credit_id): Item,
    input: Input<ReverseCreditRequest>,
) -> Result<Response, ApiError> {
    let request = input.body;
    let asked = Asked {
        credit_id,
        amount: request.amount.map(|SentPart(amount)| amount),
        reason: request.reason.0,
        reference: None,
    };
    move_credit(&app, access, input.keyed, asked, credit_moves::reverse).await
}
