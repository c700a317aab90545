//! The settings of a project's referral program.

use crate::money::{Amount, Currency};
use crate::referral::Terms;

/// What a project promises for a referral, whether it promises anything at present, and how much it gives at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Whether codes may be applied. Pending referrals are honoured either way.
    pub enabled: bool,
    /// The promise as it stands now, which a referral keeps.
    pub terms: Terms,
    /// How many conversions pay a referrer. It is read at the conversion and is no part of a promise.
    pub caps: Caps,
    /// How much may be out in one currency, in minor units: what was granted and not taken back. Read at the
    /// conversion as well; `None` for no limit.
    pub budget: Option<i64>,
}

/// The largest budget, in minor units.
pub const LARGEST_BUDGET: i64 = 999_999_999_999;

/// How many conversions pay a referrer; `None` for no limit.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// In all.
    pub total: Option<i64>,
    /// In a month of UTC, by the times of the conversions.
    pub per_month: Option<i64>,
}

text_enum! {
    /// What converts a referral.
    pub enum ConversionTrigger {
        /// The referee subscribed.
        SubscriptionCreated = "subscription_created",
        /// The referee paid an invoice of a subscription.
        FirstPaidInvoice = "first_paid_invoice",
    }
}

text_enum! {
    /// How credits reach the customer.
    pub enum CreditDelivery {
        /// They stand in our books, and the team hands them over.
        Ledger = "ledger",
        /// They are put into the balance that the customer has in Stripe.
        StripeBalance = "stripe_balance",
    }
}

text_enum! {
    /// Until when a refund or a dispute takes a credit back.
    pub enum Clawback {
        /// Never.
        None = "none",
        /// While the credit is held.
        WithinHold = "within_hold",
        /// For a number of days after the conversion.
        Always = "always",
    }
}

text_enum! {
    /// What may be taken back of a credit that is in the customer's balance in Stripe.
    pub enum ClawbackApplied {
        /// What no invoice has used.
        UnusedOnly = "unused_only",
        /// All of it: what was used becomes a debt of the customer.
        Always = "always",
    }
}

/// What somebody wants a program to be. What is `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// See [`Program::enabled`].
    pub enabled: bool,
    /// See [`Terms::referrer_credit_amount`].
    pub referrer_credit_amount: Amount,
    /// See [`Terms::referee_credit_amount`].
    pub referee_credit_amount: Amount,
    /// See [`Terms::currency`].
    pub currency: Currency,
    /// See [`Terms::grace`].
    pub grace: i64,
    /// See [`Terms::hold_days`].
    pub hold_days: Option<i64>,
    /// See [`Terms::conversion_trigger`].
    pub conversion_trigger: Option<ConversionTrigger>,
    /// See [`Terms::exclude_trials`].
    pub exclude_trials: Option<bool>,
    /// See [`Terms::minimum_paid_amount`].
    pub minimum_paid_amount: Option<Amount>,
    /// See [`Terms::credit_delivery`].
    pub credit_delivery: Option<CreditDelivery>,
    /// See [`Terms::clawback`].
    pub clawback: Option<Clawback>,
    /// See [`Terms::clawback_window_days`].
    pub clawback_window_days: Option<i64>,
    /// See [`Terms::clawback_applied`].
    pub clawback_applied: Option<ClawbackApplied>,
    /// See [`Terms::referral_expiry_days`]; `Some(None)` takes the limit away.
    pub referral_expiry_days: Option<Option<i64>>,
    /// See [`Terms::credit_description`].
    pub credit_description: Option<String>,
    /// See [`Program::caps`].
    pub caps: Option<Caps>,
    /// See [`Program::budget`]; `Some(None)` takes the limit away.
    pub budget: Option<Option<i64>>,
}

/// Why a change cannot be made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// Credits come back only while they are held, and there is no hold.
    ClawbackWithoutHold,
}

impl Change {
    /// The program that it makes of another.
    ///
    /// # Errors
    /// When the settings would contradict each other.
    pub fn of(self, before: Program) -> Result<Program, Impossible> {
        let old = before.terms;
        let terms = Terms {
            referrer_credit_amount: self.referrer_credit_amount,
            referee_credit_amount: self.referee_credit_amount,
            currency: self.currency,
            grace: self.grace,
            hold_days: self.hold_days.unwrap_or(old.hold_days),
            conversion_trigger: self.conversion_trigger.unwrap_or(old.conversion_trigger),
            exclude_trials: self.exclude_trials.unwrap_or(old.exclude_trials),
            minimum_paid_amount: self.minimum_paid_amount.unwrap_or(old.minimum_paid_amount),
            credit_delivery: self.credit_delivery.unwrap_or(old.credit_delivery),
            clawback: self.clawback.unwrap_or(old.clawback),
            clawback_window_days: self
                .clawback_window_days
                .unwrap_or(old.clawback_window_days),
            clawback_applied: self.clawback_applied.unwrap_or(old.clawback_applied),
            referral_expiry_days: self
                .referral_expiry_days
                .unwrap_or(old.referral_expiry_days),
            credit_description: self.credit_description.unwrap_or(old.credit_description),
        };
        if terms.clawback == Clawback::WithinHold && terms.hold_days == 0 {
            return Err(Impossible::ClawbackWithoutHold);
        }
        Ok(Program {
            enabled: self.enabled,
            terms,
            caps: self.caps.unwrap_or(before.caps),
            budget: self.budget.unwrap_or(before.budget),
        })
    }
}

/// Everything as in this program.
impl From<&Program> for Change {
    fn from(program: &Program) -> Change {
        let terms = program.terms.clone();
        Change {
            enabled: program.enabled,
            referrer_credit_amount: terms.referrer_credit_amount,
            referee_credit_amount: terms.referee_credit_amount,
            currency: terms.currency,
            grace: terms.grace,
            hold_days: Some(terms.hold_days),
            conversion_trigger: Some(terms.conversion_trigger),
            exclude_trials: Some(terms.exclude_trials),
            minimum_paid_amount: Some(terms.minimum_paid_amount),
            credit_delivery: Some(terms.credit_delivery),
            clawback: Some(terms.clawback),
            clawback_window_days: Some(terms.clawback_window_days),
            clawback_applied: Some(terms.clawback_applied),
            referral_expiry_days: Some(terms.referral_expiry_days),
            credit_description: Some(terms.credit_description),
            caps: Some(program.caps),
            budget: Some(program.budget),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_before_set_up() {
        let program = Program::default();
        assert!(!program.enabled);
        assert!(program.terms.referrer_credit_amount.is_zero());
        assert!(program.terms.referee_credit_amount.is_zero());
        assert_eq!(program.terms.currency, Currency::USD);
        assert_eq!((program.budget, program.caps), (None, Caps::default()));
    }

    /// A program in which every setting differs from the default.
    fn unusual() -> Program {
        Program {
            enabled: true,
            terms: Terms {
                referrer_credit_amount: Amount::new(1_000).unwrap(),
                referee_credit_amount: Amount::new(500).unwrap(),
                currency: Currency::parse("eur").unwrap(),
                grace: 7,
                hold_days: 30,
                conversion_trigger: ConversionTrigger::FirstPaidInvoice,
                exclude_trials: true,
                minimum_paid_amount: Amount::new(2_000).unwrap(),
                credit_delivery: CreditDelivery::StripeBalance,
                clawback: Clawback::WithinHold,
                clawback_window_days: 90,
                clawback_applied: ClawbackApplied::Always,
                referral_expiry_days: Some(60),
                credit_description: "Thank you".to_owned(),
            },
            caps: Caps {
                total: Some(10),
                per_month: Some(2),
            },
            budget: Some(100_000),
        }
    }

    #[test]
    fn what_a_change_leaves_out_stays() {
        let before = unusual();
        let change = Change {
            enabled: false,
            hold_days: None,
            conversion_trigger: None,
            exclude_trials: None,
            minimum_paid_amount: None,
            credit_delivery: None,
            clawback: None,
            clawback_window_days: None,
            clawback_applied: None,
            referral_expiry_days: None,
            credit_description: None,
            caps: None,
            budget: None,
            ..Change::from(&before)
        };
        let after = change.of(before.clone()).unwrap();
        assert!(!after.enabled);
        assert_eq!(
            (after.terms, after.caps, after.budget),
            (before.terms, before.caps, before.budget)
        );
    }

    #[test]
    fn a_change_may_set_everything() {
        let made = Change::from(&unusual()).of(Program::default());
        assert_eq!(made, Ok(unusual()));
        let free = Change {
            referral_expiry_days: Some(None),
            budget: Some(None),
            ..Change::from(&unusual())
        };
        let made = free.of(unusual()).unwrap();
        assert_eq!((made.terms.referral_expiry_days, made.budget), (None, None));
    }

    #[test]
    fn within_a_hold_there_must_be_one() {
        let change = Change {
            hold_days: Some(0),
            clawback: None,
            ..Change::from(&unusual())
        };
        assert_eq!(change.of(unusual()), Err(Impossible::ClawbackWithoutHold));
    }
}
