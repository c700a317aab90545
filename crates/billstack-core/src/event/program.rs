//! What the log tells of a program.

use serde::Serialize;

use crate::money::{Amount, Currency};
use crate::program::{Clawback, ClawbackApplied, ConversionTrigger, CreditDelivery, Program};

/// A program as a change left it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgramFacts<'a> {
    /// How much may be out, in minor units; null for no limit.
    pub budget: Option<i64>,
    /// Until when lost payments take credits back.
    pub clawback: Clawback,
    /// What may be taken back of what an invoice has used.
    pub clawback_applied: ClawbackApplied,
    /// For how many days they do so.
    pub clawback_window_days: i64,
    /// What converts a referral.
    pub conversion_trigger: ConversionTrigger,
    /// How credits reach the customers.
    pub credit_delivery: CreditDelivery,
    /// What a customer reads beside a credit in Stripe.
    pub credit_description: &'a str,
    /// The currency of both amounts.
    pub currency: Currency,
    /// Whether codes can be applied.
    pub enabled: bool,
    /// Whether a subscription in its trial does not convert yet.
    pub exclude_trials: bool,
    /// For how many days credits are held.
    pub hold_days: i64,
    /// How many conversions pay a referrer in a month; null for no limit.
    pub max_conversions_per_month: Option<i64>,
    /// How many conversions pay a referrer in all; null for no limit.
    pub max_conversions_total: Option<i64>,
    /// How much an invoice that converts must have brought.
    pub minimum_paid_amount: Amount,
    /// What the referee is promised.
    pub referee_credit_amount: Amount,
    /// After how many days a pending referral is closed; null for never.
    pub referral_expiry_days: Option<i64>,
    /// What the referrer is promised.
    pub referrer_credit_amount: Amount,
}

impl<'a> From<&'a Program> for ProgramFacts<'a> {
    fn from(program: &'a Program) -> ProgramFacts<'a> {
        let terms = &program.terms;
        ProgramFacts {
            budget: program.budget,
            clawback: terms.clawback,
            clawback_applied: terms.clawback_applied,
            clawback_window_days: terms.clawback_window_days,
            conversion_trigger: terms.conversion_trigger,
            credit_delivery: terms.credit_delivery,
            credit_description: &terms.credit_description,
            currency: terms.currency,
            enabled: program.enabled,
            exclude_trials: terms.exclude_trials,
            hold_days: terms.hold_days,
            max_conversions_per_month: program.caps.per_month,
            max_conversions_total: program.caps.total,
            minimum_paid_amount: terms.minimum_paid_amount,
            referee_credit_amount: terms.referee_credit_amount,
            referral_expiry_days: terms.referral_expiry_days,
            referrer_credit_amount: terms.referrer_credit_amount,
        }
    }
}
