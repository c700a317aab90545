//! `POST …/referrals/credits/{id}/retry`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::credit_moves::Asked;
use billstack_store::credits::Credit;
use billstack_store::credits::delivery::by_hand;
use billstack_store::{Abort, Act, Place, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CreditAnswer, Why, move_credit};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::path::Item;

/// Why the delivery goes on.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryCreditRequest {
    /// Why; no personal data, it is kept for ever.
    #[schema(value_type = String, min_length = 1, max_length = 500, example = "The customer was mended")]
    reason: Why,
}

/// Go on with the delivery of a credit.
///
/// Takes it out of `needs_attention`. Where Stripe may have been told already, it is looked for first. After
/// `possible_duplicate` this says that the other line is another one.
#[utoipa::path(
    post, path = "", operation_id = "retry_credit",
    request_body = RetryCreditRequest,
    responses((status = 200, description = "The credit as it is now.", body = CreditAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(credit_id): Item,
    input: Input<RetryCreditRequest>,
) -> Result<Response, ApiError> {
    let asked = Asked {
        credit_id,
        amount: None,
        reason: input.body.reason.0,
        reference: None,
    };
    move_credit(&app, access, input.keyed, asked, retry).await
}

fn retry(tx: &mut dyn Tx, act: &mut Act, place: &Place, asked: &Asked) -> Result<Credit, Abort> {
    by_hand::retry(tx, act, place, &asked.credit_id, &asked.reason)
}
