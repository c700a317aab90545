//! Double entry: every movement of money is an entry whose lines sum to zero.
//!
//! An entry has a cause and is never changed; a correction is another entry. The total over all accounts
//! of a currency is therefore zero at any time, and money that appears or vanishes shows up as a sum
//! that does not close.

use crate::money::Amount;

text_enum! {
    /// An account of a credit. Its currency and its customer are those of the credit.
    pub enum Account {
        /// The program: what it has promised, counted below zero.
        Program = "program",
        /// The customer: what they are owed.
        Customer = "customer",
    }
}

text_enum! {
    /// What kind of thing caused an entry.
    pub enum Cause {
        /// An event of Stripe, by its id.
        Event = "event",
        /// A person or an API key, by its id.
        User = "user",
        /// A background job, by its name.
        Job = "job",
    }
}

/// One line of an entry.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The account that changes.
    pub account: Account,
    /// By how much, in minor units; a negative amount takes away, and zero needs no line.
    pub amount: i64,
}

/// Lines that sum to zero. There is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry(Vec<Line>);

impl Entry {
    /// An amount that moves from one account to another.
    pub fn transfer(from: Account, to: Account, amount: Amount) -> Entry {
        let line = |account, amount| Line { account, amount };
        Entry(vec![line(to, amount.get()), line(from, -amount.get())])
    }

    /// The lines, one per account.
    pub fn lines(&self) -> &[Line] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_moves_balances(units in 0..=99_999_999_i64) {
            let amount = Amount::new(units).unwrap();
            let entry = Entry::transfer(Account::Program, Account::Customer, amount);
            prop_assert_eq!(entry.lines().iter().map(|line| line.amount).sum::<i64>(), 0);
            let of = |account| entry.lines().iter().find(|line| line.account == account);
            prop_assert_eq!(of(Account::Customer).unwrap().amount, units);
            prop_assert_eq!(of(Account::Program).unwrap().amount, -units);
        }
    }
}
