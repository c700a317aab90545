//! `POST …/referrals/credits`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::credit_moves::{self, Gift};
use billstack_store::credits::delivery::{Shown, shown};
use billstack_store::{Act, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CreditAnswer, SentPart, Why};
use crate::api::currency::{self, SentCurrency};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Text;

/// What to give to whom.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateCreditRequest {
    /// The customer who shall have it.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "pc_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    customer_id: Text<1, 64>,
    /// How much, in minor units, in the steps in which Stripe bills the currency.
    #[schema(value_type = i64, minimum = 1, maximum = 99_999_999, example = 1000)]
    amount: SentPart,
    /// A currency that Stripe bills in.
    #[schema(value_type = String, schema_with = currency::required)]
    currency: SentCurrency,
    /// Why; no personal data, it is kept for ever.
    #[schema(value_type = String, min_length = 1, max_length = 500, example = "Contest of May")]
    reason: Why,
}

/// Give a credit.
///
/// A credit that no referral has earned, of kind `manual`. It is the customer's at once.
#[utoipa::path(
    post, path = "", operation_id = "create_credit",
    request_body = CreateCreditRequest,
    responses((status = 201, description = "The new credit.", body = CreditAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<CreateCreditRequest>,
) -> Result<Response, ApiError> {
    let request = input.body;
    let gift = Gift {
        customer_id: request.customer_id.0,
        amount: request.amount.0,
        currency: request.currency.0,
        reason: request.reason.0,
    };
    let place = access.place.clone();
    let give = move |tx: &mut dyn Tx, act: &mut Act| {
        let credit = credit_moves::give_by_hand(tx, act, &place, &gift)?;
        Ok(shown(tx, &place, credit)?)
    };
    let answer = |shown: &Shown| answer::created(&CreditAnswer::new(shown));
    app.write_answer(&access.caller, input.keyed, give, answer)
        .await
}
