//! `POST …/referrals/credits/{id}/deliver`.

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

/// Why it is delivered.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliverCreditRequest {
    /// Why; no personal data, it is kept for ever.
    #[schema(value_type = String, min_length = 1, max_length = 500, example = "Requested by the customer")]
    reason: Why,
}

/// Deliver a credit.
///
/// Puts a credit that stands in our books alone into the balance that its customer has in Stripe.
#[utoipa::path(
    post, path = "", operation_id = "deliver_credit",
    request_body = DeliverCreditRequest,
    responses((status = 200, description = "The credit as it is now.", body = CreditAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(credit_id): Item,
    input: Input<DeliverCreditRequest>,
) -> Result<Response, ApiError> {
    let asked = Asked {
        credit_id,
        amount: None,
        reason: input.body.reason.0,
        reference: None,
    };
    move_credit(&app, access, input.keyed, asked, deliver).await
}

fn deliver(tx: &mut dyn Tx, act: &mut Act, place: &Place, asked: &Asked) -> Result<Credit, Abort> {
    by_hand::deliver(tx, act, place, &asked.credit_id, &asked.reason)
}
