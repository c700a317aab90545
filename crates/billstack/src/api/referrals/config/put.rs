//! `PUT …/referrals/config`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::{Amount, Currency};
use billstack_core::program::{Change, Program};
use billstack_store::programs;
use billstack_store::{Act, Tx};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::ConfigAnswer;
use crate::api::currency::{self, SentCurrency};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{self, Int};

/// What the program shall be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutConfigRequest {
    /// Whether codes can be applied.
    #[serde(deserialize_with = "json::flag")]
    enabled: bool,
    /// Credit of the referrer at conversion, in minor units. For `isk` and `ugx` a multiple of 100, and of 10 for
    /// `bhd`, `jod`, `kwd`, `omr` and `tnd`: Stripe bills no other amounts.
    #[schema(value_type = i64, minimum = 0, maximum = 99_999_999, example = 1000)]
    referrer_credit_amount: SentAmount,
    /// Credit of the referee at conversion, in minor units, in the same steps.
    #[schema(value_type = i64, minimum = 0, maximum = 99_999_999, example = 500)]
    referee_credit_amount: SentAmount,
    /// A currency that Stripe bills in; `usd` when left out. Case does not matter.
    #[schema(value_type = Option<String>, schema_with = currency::schema)]
    currency: Option<SentCurrency>,
    /// For how many days after a conversion its credits are held before they are the customers'. Left out, it stays
    /// as it is.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 365, example = 0)]
    hold_days: Option<Int<0, 365>>,
}

impl PutConfigRequest {
    fn currency(&self) -> Currency {
        let sent = self.currency.as_ref();
        sent.map_or(Currency::USD, |sent| sent.0)
    }

    /// What cannot be billed cannot be set against a bill.
    fn refuse_unbillable(&self) -> Result<(), ApiError> {
        let of = self.currency();
        for (field, amount) in [
            ("referrerCreditAmount", &self.referrer_credit_amount),
            ("refereeCreditAmount", &self.referee_credit_amount),
        ] {
            if !of.can_bill(amount.0) {
                return Err(currency::not_billable(field, of));
            }
        }
        Ok(())
    }
}

/// An amount that can be promised.
struct SentAmount(Amount);

impl<'de> Deserialize<'de> for SentAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let range = Amount::ZERO.get()..=Amount::MAX.get();
        json::whole_number(deserializer, range, Amount::new).map(SentAmount)
    }
}

/// Set the program.
///
/// Promises already made to pending referrals stay as they are.
#[utoipa::path(
    put, path = "", operation_id = "put_config",
    request_body = PutConfigRequest,
    responses((status = 200, description = "The program as it is now.", body = ConfigAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<PutConfigRequest>,
) -> Result<Response, ApiError> {
    let request = input.body;
    request.refuse_unbillable()?;
    let change = Change {
        enabled: request.enabled,
        referrer_credit_amount: request.referrer_credit_amount.0,
        referee_credit_amount: request.referee_credit_amount.0,
        currency: request.currency(),
        grace: app.grace(),
        hold_days: request.hold_days.map(|Int(days)| days),
    };
    let place = access.place.clone();
    let at = access.place.clone();
    let put = move |tx: &mut dyn Tx, act: &mut Act| programs::put(tx, act, &place, change);
    let answer = move |program: &Program| answer::ok(&ConfigAnswer::new(program, &at.project_id));
    app.write_answer(&access.caller, input.keyed, put, answer)
        .await
}
