//! Credits: what each side of a converted referral receives.

use crate::money::Amount;
use crate::referral::Terms;

text_enum! {
    /// Which side of a referral a credit belongs to.
    pub enum Side {
        /// The customer whose code was used.
        Referrer = "referrer",
        /// The customer who used the code.
        Referee = "referee",
    }
}

text_enum! {
    /// What a credit is given for.
    pub enum CreditKind {
        /// A conversion.
        Referral = "referral",
    }
}

text_enum! {
    /// Where a credit stands. One state today.
    pub enum CreditStatus {
        /// Promised, earned and written into the ledger.
        Granted = "granted",
    }
}

/// A credit to be written at conversion.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who receives it.
    pub side: Side,
    /// How much, always above zero, in the currency of the terms.
    pub amount: Amount,
}

/// The credits that a conversion under these terms grants, the referrer's first.
///
/// A side that was promised nothing gets no credit: a credit of zero would need an explanation and an entry
/// that means nothing.
pub fn grants(terms: &Terms) -> Vec<Grant> {
    let sides = [
        (Side::Referrer, terms.referrer_credit_amount),
        (Side::Referee, terms.referee_credit_amount),
    ];
    sides
        .into_iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(side, amount)| Grant { side, amount })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    #[test]
    fn texts_are_stable() {
        assert_eq!(Side::parse("referee"), Some(Side::Referee));
        assert_eq!(Side::Referrer.as_str(), "referrer");
        assert_eq!(CreditStatus::parse("granted"), Some(CreditStatus::Granted));
        assert_eq!(CreditStatus::parse("sent"), None);
    }

    proptest! {
        #[test]
        fn each_promised_side_is_granted_once(
            referrer in prop_oneof![Just(0), 0..=99_999_999_i64],
            referee in prop_oneof![Just(0), 0..=99_999_999_i64],
        ) {
            let granted = grants(&Terms {
                referrer_credit_amount: Amount::new(referrer).unwrap(),
                referee_credit_amount: Amount::new(referee).unwrap(),
                currency: Currency::USD,
                grace: 0,
            });
            let expected: Vec<(Side, i64)> = [(Side::Referrer, referrer), (Side::Referee, referee)]
                .into_iter()
                .filter(|(_, amount)| *amount > 0)
                .collect();
            let actual: Vec<(Side, i64)> =
                granted.iter().map(|grant| (grant.side, grant.amount.get())).collect();
            prop_assert_eq!(actual, expected);
        }
    }
}
