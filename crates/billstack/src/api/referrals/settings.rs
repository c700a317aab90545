//! The settings of a program that a referral keeps, as the API shows them.

use billstack_core::program::{Clawback, ClawbackApplied, ConversionTrigger, CreditDelivery};
use billstack_core::referral::Terms;
use serde::Serialize;
use utoipa::ToSchema;

/// What converts a referral.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversionTrigger)]
#[serde(rename_all = "snake_case")]
pub enum TriggerJson {
    /// The referee subscribed.
    SubscriptionCreated,
    /// The referee paid the first invoice of a subscription.
    FirstPaidInvoice,
}

/// How credits reach the customer.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditDelivery)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryJson {
    /// They stand in our books; the team hands them over.
    Ledger,
    /// They are put into the customer's balance in Stripe.
    StripeBalance,
}

/// Until when a refund or a dispute takes credits back.
#[derive(Serialize, ToSchema)]
#[schema(as = Clawback)]
#[serde(rename_all = "snake_case")]
pub enum ClawbackJson {
    /// Never.
    None,
    /// While they are held.
    WithinHold,
    /// For `clawbackWindowDays` after the conversion.
    Always,
}

/// What may be taken back of what is in the customer's balance in Stripe.
#[derive(Serialize, ToSchema)]
#[schema(as = ClawbackApplied)]
#[serde(rename_all = "snake_case")]
pub enum AppliedJson {
    /// What no invoice has used.
    UnusedOnly,
    /// All of it; what was used becomes a debt.
    Always,
}

/// How referrals convert, and how credits reach customers and come back.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralSettings)]
#[serde(rename_all = "camelCase")]
pub struct SettingsJson {
    /// For how many days after a conversion its credits are held.
    #[schema(minimum = 0, maximum = 365, example = 0)]
    hold_days: i64,
    /// What converts a referral.
    #[schema(value_type = TriggerJson)]
    conversion_trigger: ConversionTrigger,
    /// Whether a subscription in its trial does not convert yet.
    exclude_trials: bool,
    /// How much the invoice that converts must have brought, in minor units.
    #[schema(minimum = 0, maximum = 99_999_999, example = 0)]
    minimum_paid_amount: i64,
    /// How credits reach the customer.
    #[schema(value_type = DeliveryJson)]
    credit_delivery: CreditDelivery,
    /// Until when a refund or a dispute takes credits back.
    #[schema(value_type = ClawbackJson)]
    clawback: Clawback,
    /// For how many days they do so with `always`.
    #[schema(minimum = 1, maximum = 730, example = 180)]
    clawback_window_days: i64,
    /// What may be taken back of what is in the customer's balance in Stripe.
    #[schema(value_type = AppliedJson)]
    clawback_applied: ClawbackApplied,
    /// After how many days a pending referral is closed; null for never.
    #[schema(minimum = 1, maximum = 3650)]
    referral_expiry_days: Option<i64>,
    /// What a customer reads beside a credit in Stripe.
    #[schema(max_length = 350, example = "Referral credit")]
    credit_description: String,
}

impl From<&Terms> for SettingsJson {
    fn from(terms: &Terms) -> SettingsJson {
        SettingsJson {
            hold_days: terms.hold_days,
            conversion_trigger: terms.conversion_trigger,
            exclude_trials: terms.exclude_trials,
            minimum_paid_amount: terms.minimum_paid_amount.get(),
            credit_delivery: terms.credit_delivery,
            clawback: terms.clawback,
            clawback_window_days: terms.clawback_window_days,
            clawback_applied: terms.clawback_applied,
            referral_expiry_days: terms.referral_expiry_days,
            credit_description: terms.credit_description.clone(),
        }
    }
}
