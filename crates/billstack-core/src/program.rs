//! The settings of a project's referral program.

use crate::money::{Amount, Currency};
use crate::referral::{GRACE, Terms};

/// What a project promises for a referral, and whether it promises anything at present.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Whether codes may be applied. Pending referrals are honoured either way.
    pub enabled: bool,
    /// What the owner of a code receives for each conversion.
    pub referrer_credit_amount: Amount,
    /// What the customer who used the code receives.
    pub referee_credit_amount: Amount,
    /// The currency of both amounts.
    pub currency: Currency,
    /// How long before an apply a subscription may have begun, in microseconds.
    pub grace: i64,
}

impl Program {
    /// The promise as it stands now, which a referral keeps.
    pub const fn terms(&self) -> Terms {
        Terms {
            referrer_credit_amount: self.referrer_credit_amount,
            referee_credit_amount: self.referee_credit_amount,
            currency: self.currency,
            grace: self.grace,
        }
    }
}

/// A project that was never set up: disabled, and no promise.
impl Default for Program {
    fn default() -> Program {
        Program {
            enabled: false,
            referrer_credit_amount: Amount::ZERO,
            referee_credit_amount: Amount::ZERO,
            currency: Currency::USD,
            grace: GRACE,
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
        assert!(program.terms().referrer_credit_amount.is_zero());
        assert!(program.terms().referee_credit_amount.is_zero());
        assert_eq!(program.terms().currency, Currency::USD);
    }

    #[test]
    fn terms_are_the_program_of_the_moment() {
        let program = Program {
            enabled: true,
            referrer_credit_amount: Amount::new(1_000).unwrap(),
            referee_credit_amount: Amount::new(500).unwrap(),
            currency: Currency::parse("eur").unwrap(),
            grace: 7,
        };
        let terms = program.terms();
        assert_eq!(terms.referrer_credit_amount.get(), 1_000);
        assert_eq!(terms.referee_credit_amount.get(), 500);
        assert_eq!(terms.currency.as_str(), "eur");
        assert_eq!(terms.grace, 7);
    }
}
