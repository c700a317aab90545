//! Double-entry postings: every credit is a movement between two accounts.
//!
//! The postings of one entry sum to zero, so the total over all accounts of a currency is zero at
//! any time. A balance can be recomputed from its postings, and money that appears or vanishes
//! shows up as a sum that does not close.

use crate::money::Amount;

/// An account of a project's ledger.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Account<'a> {
    /// The program itself: what it has promised, counted below zero.
    Program,
    /// What a customer, named by id, has been credited.
    Customer(&'a str),
}

impl<'a> Account<'a> {
    /// The stored name of the account's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Account::Program => "program",
            Account::Customer(_) => "customer",
        }
    }

    /// The customer whose account this is, if it is one's.
    pub const fn customer_id(&self) -> Option<&'a str> {
        match self {
            Account::Program => None,
            Account::Customer(id) => Some(id),
        }
    }
}

/// One side of an entry.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Posting<'a> {
    /// The account that changes.
    pub account: Account<'a>,
    /// By how much, in smallest units; negative takes away.
    pub amount: i64,
}

/// The postings of a credit: the customer gains what the program gives.
pub const fn postings(customer_id: &str, amount: Amount) -> [Posting<'_>; 2] {
    [
        Posting {
            account: Account::Customer(customer_id),
            amount: amount.get(),
        },
        Posting {
            account: Account::Program,
            amount: -amount.get(),
        },
    ]
}

/// Whether the postings sum to zero. A sum too large to hold does not balance.
pub fn balances(postings: &[Posting<'_>]) -> bool {
    let sum = postings
        .iter()
        .try_fold(0_i64, |sum, posting| sum.checked_add(posting.amount));
    sum == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accounts_have_names() {
        assert_eq!(Account::Program.kind(), "program");
        assert_eq!(Account::Program.customer_id(), None);
        assert_eq!(Account::Customer("pc_1").kind(), "customer");
        assert_eq!(Account::Customer("pc_1").customer_id(), Some("pc_1"));
    }

    #[test]
    fn an_overflow_does_not_balance() {
        let posting = |amount| Posting {
            account: Account::Program,
            amount,
        };
        assert!(balances(&[]));
        assert!(!balances(&[posting(1)]));
        assert!(!balances(&[
            posting(i64::MAX),
            posting(1),
            posting(i64::MIN)
        ]));
    }

    proptest! {
        #[test]
        fn any_credits_together_balance(units in prop::collection::vec(0..=99_999_999_i64, 0..50)) {
            let all: Vec<Posting<'_>> = units
                .iter()
                .flat_map(|units| postings("pc_1", Amount::new(*units).unwrap()))
                .collect();
            prop_assert!(balances(&all));
            let gained: i64 = all
                .iter()
                .filter(|posting| posting.account.customer_id() == Some("pc_1"))
                .map(|posting| posting.amount)
                .sum();
            prop_assert_eq!(gained, units.iter().sum::<i64>());
        }

        #[test]
        fn a_changed_posting_is_noticed(units in 0..=99_999_999_i64, by in 1..i64::MAX / 2) {
            let mut entry = postings("pc_1", Amount::new(units).unwrap());
            entry[0].amount += by;
            prop_assert!(!balances(&entry));
        }
    }
}
