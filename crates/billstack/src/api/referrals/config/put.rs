//! `PUT …/referrals/config`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::{Amount, Currency};
use billstack_core::program::{
    Caps, Change, Clawback, ClawbackApplied, ConversionTrigger, CreditDelivery, LARGEST_BUDGET,
    Program,
};
use billstack_store::programs;
use billstack_store::{Act, Tx};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{CapsJson, ConfigAnswer};
use crate::api::currency::{self, SentCurrency};
use crate::api::referrals::settings::{AppliedJson, ClawbackJson, DeliveryJson, TriggerJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{self, Flag, Int, Text, Word};

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
    /// What converts a referral.
    #[schema(value_type = Option<TriggerJson>)]
    conversion_trigger: Option<Word<ConversionTrigger>>,
    /// Whether a subscription in its trial does not convert yet.
    #[schema(value_type = Option<bool>, example = false)]
    exclude_trials: Option<Flag>,
    /// How much the invoice that converts must have brought, with tax, in minor units.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 99_999_999, example = 0)]
    minimum_paid_amount: Option<SentAmount>,
    /// How credits reach the customer. `stripe_balance` needs a secret key of Stripe.
    #[schema(value_type = Option<DeliveryJson>)]
    credit_delivery: Option<Word<CreditDelivery>>,
    /// Until when a refund or a dispute takes credits back; `within_hold` needs `holdDays`.
    #[schema(value_type = Option<ClawbackJson>)]
    clawback: Option<Word<Clawback>>,
    /// For how many days after the conversion they do so with `always`.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 730, example = 180)]
    clawback_window_days: Option<Int<1, 730>>,
    /// What may be taken back of what is in the customer's balance in Stripe.
    #[schema(value_type = Option<AppliedJson>)]
    clawback_applied: Option<Word<ClawbackApplied>>,
    /// After how many days a pending referral is closed; `null` for never.
    #[serde(default, deserialize_with = "json::sent")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 3650)]
    referral_expiry_days: Option<Option<Int<1, 3650>>>,
    /// What a customer reads beside a credit in Stripe.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 350, example = "Referral credit")]
    credit_description: Option<Text<1, 350>>,
    /// How many conversions pay a referrer; `null` takes both limits away, and so does one that is left out.
    #[serde(default, deserialize_with = "json::sent")]
    #[schema(value_type = Option<CapsJson>)]
    max_conversions_per_referrer: Option<Option<SentCaps>>,
    /// How much may be out in the currency, in minor units: granted and not taken back. `null` for no limit.
    #[serde(default, deserialize_with = "json::sent")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 999_999_999_999_i64)]
    budget: Option<Option<Int<0, LARGEST_BUDGET>>>,
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

/// The limits of conversions, as they are sent.
struct SentCaps(Caps);

impl<'de> Deserialize<'de> for SentCaps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WHAT: &str = "must be an object with `total` and `perMonth`, each null or a whole number from 0 to 1000000.";

        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Sent {
            total: Option<Int<0, 1_000_000>>,
            per_month: Option<Int<0, 1_000_000>>,
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        let sent: Sent = serde_json::from_str(raw.get()).map_err(|_| D::Error::custom(WHAT))?;
        Ok(SentCaps(Caps {
            total: sent.total.map(|Int(number)| number),
            per_month: sent.per_month.map(|Int(number)| number),
        }))
    }
}

impl PutConfigRequest {
    /// What it makes of a program, if that can be billed.
    ///
    /// # Errors
    /// For an amount that is none of its currency.
    pub(crate) fn into_change(self, grace: i64) -> Result<Change, ApiError> {
        self.refuse_unbillable()?;
        let currency = self.currency();
        Ok(Change {
            enabled: self.enabled,
            referrer_credit_amount: self.referrer_credit_amount.0,
            referee_credit_amount: self.referee_credit_amount.0,
            currency,
            grace,
            hold_days: self.hold_days.map(|Int(days)| days),
            conversion_trigger: self.conversion_trigger.map(|Word(trigger)| trigger),
            exclude_trials: self.exclude_trials.map(|Flag(flag)| flag),
            minimum_paid_amount: self.minimum_paid_amount.map(|SentAmount(amount)| amount),
            credit_delivery: self.credit_delivery.map(|Word(delivery)| delivery),
            clawback: self.clawback.map(|Word(clawback)| clawback),
            clawback_window_days: self.clawback_window_days.map(|Int(days)| days),
            clawback_applied: self.clawback_applied.map(|Word(applied)| applied),
            referral_expiry_days: self
                .referral_expiry_days
                .map(|sent| sent.map(|Int(days)| days)),
            credit_description: self.credit_description.map(|Text(text)| text),
            caps: self
                .max_conversions_per_referrer
                .map(|sent| sent.map(|SentCaps(caps)| caps).unwrap_or_default()),
            budget: self.budget.map(|sent| sent.map(|Int(units)| units)),
        })
    }
}

/// Set the program.
///
/// Promises already made to pending referrals stay as they are. A setting that is left out keeps its value.
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
    let change = input.body.into_change(app.grace())?;
    let place = access.place.clone();
    let at = access.place.clone();
    let put = move |tx: &mut dyn Tx, act: &mut Act| programs::put(tx, act, &place, change.clone());
    let answer = move |program: &Program| answer::ok(&ConfigAnswer::new(program, &at.project_id));
    app.write_answer(&access.caller, input.keyed, put, answer)
        .await
}
