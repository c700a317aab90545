//! Double entry: every movement of money is an entry whose lines sum to zero.
//!
//! An entry has a cause and is never changed; a correction is another entry. The total over all accounts
//! of a currency is therefore zero at any time, and money that appears or vanishes shows up as a sum
//! that does not close.

use crate::money::Amount;

text_enum! {
    /// An account of a credit. Its currency and its customer are those of the credit.
    pub enum Account {
        /// The program: what it has promised, counted below zero. What is taken back returns to it.
        Program = "program",
        /// Granted, but not yet the customer's: a hold is running.
        Held = "held",
        /// The customer: what they are owed.
        Customer = "customer",
        /// In the balance that the customer has in Stripe, and not used yet.
        Stripe = "stripe",
        /// Used: an invoice of Stripe was paid with it.
        Applied = "applied",
        /// Paid to the customer, by whatever way.
        Settled = "settled",
        /// What should have been taken back and could not be, because it was used. A note beside the credit: it
        /// is no part of its amount.
        Shortfall = "shortfall",
        /// What stands against [`Account::Shortfall`].
        Memo = "memo",
    }
}

impl Account {
    /// Whether money may move from this account to another one. Every entry is one such move.
    ///
    /// Nothing comes back from [`Account::Settled`]: it has left our sight.
    pub const fn may_move_to(self, to: Account) -> bool {
        use Account::{Applied, Customer, Held, Memo, Program, Settled, Shortfall, Stripe};
        matches!(
            (self, to),
            (Program, Held | Customer)
                | (Held, Customer | Program)
                | (Customer, Program | Settled | Stripe)
                | (Stripe, Program | Applied)
                | (Applied, Program | Stripe)
                | (Memo, Shortfall)
                | (Shortfall, Memo)
        )
    }

    /// Every pair of accounts between which money may move.
    pub fn moves() -> impl Iterator<Item = (Account, Account)> {
        let all = Account::ALL.iter().copied();
        let pairs = all.flat_map(|from| Account::ALL.iter().map(move |to| (from, *to)));
        pairs.filter(|(from, to)| from.may_move_to(*to))
    }
}

text_enum! {
    /// What kind of thing caused an entry.
    pub enum Cause {
        /// An event of Stripe, by its id.
        Event = "event",
        /// A person or an API key, as the log names them.
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

/// An amount that moves from one account to another: what an entry is about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Where it is taken from.
    pub from: Account,
    /// Where it goes.
    pub to: Account,
    /// How much, above zero.
    pub amount: Amount,
}

impl Transfer {
    /// The lines of its entry, which sum to zero.
    pub fn lines(&self) -> [Line; 2] {
        let line = |account, amount| Line { account, amount };
        let units = self.amount.get();
        [line(self.to, units), line(self.from, -units)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_moves_balances(units in 0..=99_999_999_i64) {
            let (from, to) = (Account::Program, Account::Customer);
            let transfer = Transfer { from, to, amount: Amount::new(units).unwrap() };
            let lines = transfer.lines();
            prop_assert_eq!(lines.iter().map(|line| line.amount).sum::<i64>(), 0);
            let of = |account| lines.iter().find(|line| line.account == account);
            prop_assert_eq!(of(Account::Customer).unwrap().amount, units);
            prop_assert_eq!(of(Account::Program).unwrap().amount, -units);
        }
    }

    #[test]
    fn what_was_settled_stays_settled() {
        assert!(Account::moves().all(|(from, _)| from != Account::Settled));
        assert!(Account::moves().all(|(from, to)| from != to));
        let newer = Account::read("elsewhere").unwrap();
        assert!(!Account::Program.may_move_to(newer) && !newer.may_move_to(Account::Program));
    }
}
