//! `PUT …/referrals/config`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::{Amount, Currency};
use billstack_core::program::Program;
use billstack_store::programs;
use billstack_store::{Act, Tx};
use utoipa::ToSchema;

use super::ConfigAnswer;
use crate::api::currency;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::JsonObject;

/// What the program shall be.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct PutConfigRequest {
    /// Whether codes can be applied.
    enabled: bool,
    /// Credit of the referrer at conversion, in minor units.
    #[schema(value_type = i64, minimum = 0, maximum = 99_999_999, example = 1000)]
    referrer_credit_amount: Amount,
    /// Credit of the referee at conversion, in minor units.
    #[schema(value_type = i64, minimum = 0, maximum = 99_999_999, example = 500)]
    referee_credit_amount: Amount,
    /// A currency that Stripe bills in; `usd` when left out. Case does not matter.
    #[schema(value_type = Option<String>, schema_with = currency::schema)]
    currency: Currency,
}

impl PutConfigRequest {
    fn read(body: &JsonObject) -> Result<PutConfigRequest, ApiError> {
        Ok(PutConfigRequest {
            enabled: body.required_bool("enabled")?,
            referrer_credit_amount: amount(body, "referrerCreditAmount")?,
            referee_credit_amount: amount(body, "refereeCreditAmount")?,
            currency: currency::read(body)?.unwrap_or(Currency::USD),
        })
    }
}

fn amount(body: &JsonObject, name: &'static str) -> Result<Amount, ApiError> {
    let number = body.required_int(name, 0..=Amount::MAX.get())?;
    // The range above is the range of an amount.
    Ok(Amount::new(number).unwrap_or(Amount::ZERO))
}

/// Set the program.
///
/// Promises already made to pending referrals keep their amounts and currency.
#[utoipa::path(
    put, path = "", operation_id = "put_config",
    request_body = PutConfigRequest,
    responses((status = 200, description = "The program as it is now.", body = ConfigAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input,
) -> Result<Response, ApiError> {
    let request = PutConfigRequest::read(&input.body)?;
    let program = Program {
        enabled: request.enabled,
        referrer_credit_amount: request.referrer_credit_amount,
        referee_credit_amount: request.referee_credit_amount,
        currency: request.currency,
        grace: app.grace(),
    };
    let place = access.place.clone();
    let at = access.place.clone();
    let put = move |tx: &mut dyn Tx, act: &mut Act| programs::put(tx, act, &place, &program);
    let answer = move |(): &()| answer::ok(&ConfigAnswer::new(&program, &at.project_id));
    app.write_answer(&access.caller, input.keyed, put, answer)
        .await
}
