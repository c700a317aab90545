//! Credits: what each side of a converted referral receives, and what becomes of it.

pub mod by_hand;
pub mod limits;
mod parts;

pub use parts::Parts;

use crate::money::Amount;
use crate::referral::Terms;
use crate::time::{DAY, Micros};

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
        /// What a team decided to give, for a reason of its own.
        Manual = "manual",
    }
}

text_enum! {
    /// Where a credit stands; see [`Parts::status`].
    pub enum CreditStatus {
        /// Earned and the customer's, at least in part.
        Granted = "granted",
        /// Earned, but not yet the customer's.
        Held = "held",
        /// All of it has reached the customer.
        Applied = "applied",
        /// Some of it was taken back.
        PartiallyReversed = "partially_reversed",
        /// All of it was taken back.
        Reversed = "reversed",
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

/// When the hold of a conversion's credits ends; `None` when the terms know no hold.
pub fn held_until(terms: &Terms, converted_at: Micros) -> Option<Micros> {
    (terms.hold_days > 0).then(|| converted_at.plus(terms.hold_days.saturating_mul(DAY)))
}

#[cfg(test)]
mod tests;
