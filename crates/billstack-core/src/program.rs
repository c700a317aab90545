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
    /// For how many days after a conversion its credits are held.
    pub hold_days: i64,
}

impl Program {
    /// The promise as it stands now, which a referral keeps.
    pub const fn terms(&self) -> Terms {
        Terms {
            referrer_credit_amount: self.referrer_credit_amount,
            referee_credit_amount: self.referee_credit_amount,
            currency: self.currency,
            grace: self.grace,
            hold_days: self.hold_days,
        }
    }
}

/// What somebody wants a program to be. What is `None` stays as it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// See [`Program::enabled`].
    pub enabled: bool,
    /// See [`Program::referrer_credit_amount`].
    pub referrer_credit_amount: Amount,
    /// See [`Program::referee_credit_amount`].
    pub referee_credit_amount: Amount,
    /// See [`Program::currency`].
    pub currency: Currency,
    /// See [`Program::grace`].
    pub grace: i64,
    /// See [`Program::hold_days`].
    pub hold_days: Option<i64>,
}

impl Change {
    /// The program that it makes of another.
    pub fn of(&self, before: &Program) -> Program {
        Program {
            enabled: self.enabled,
            referrer_credit_amount: self.referrer_credit_amount,
            referee_credit_amount: self.referee_credit_amount,
            currency: self.currency,
            grace: self.grace,
            hold_days: self.hold_days.unwrap_or(before.hold_days),
        }
    }
}

/// Everything as in this program.
impl From<&Program> for Change {
    fn from(program: &Program) -> Change {
        Change {
            enabled: program.enabled,
            referrer_credit_amount: program.referrer_credit_amount,
            referee_credit_amount: program.referee_credit_amount,
            currency: program.currency,
            grace: program.grace,
            hold_days: Some(program.hold_days),
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
            hold_days: 0,
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
    fn what_a_change_leaves_out_stays() {
        let before = Program {
            hold_days: 30,
            ..Program::default()
        };
        let mut change = Change {
            enabled: true,
            hold_days: None,
            ..Change::from(&before)
        };
        assert!(change.of(&before).enabled);
        assert_eq!(change.of(&before).hold_days, 30);
        change.hold_days = Some(0);
        assert_eq!(change.of(&before).hold_days, 0);
    }

    #[test]
    fn terms_are_the_program_of_the_moment() {
        let program = Program {
            enabled: true,
            referrer_credit_amount: Amount::new(1_000).unwrap(),
            referee_credit_amount: Amount::new(500).unwrap(),
            currency: Currency::parse("eur").unwrap(),
            grace: 7,
            hold_days: 30,
        };
        let terms = program.terms();
        assert_eq!(terms.referrer_credit_amount.get(), 1_000);
        assert_eq!(terms.referee_credit_amount.get(), 500);
        assert_eq!(terms.currency.as_str(), "eur");
        assert_eq!((terms.grace, terms.hold_days), (7, 30));
    }
}
