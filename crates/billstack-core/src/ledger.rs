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

/// A figure of a report that is the sum of lines: what was granted, used, taken back, paid elsewhere, or could not be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Granted by first entries.
    Granted,
    /// Used for invoices, less what came back from them.
    Applied,
    /// Taken back, less what was given back.
    Reversed,
    /// Paid by other ways.
    Settled,
    /// What should have been taken back and could not be, less what that was no longer true of.
    Shortfall,
}

impl Figure {
    /// Every figure.
    pub const ALL: [Figure; 5] = [
        Figure::Granted,
        Figure::Applied,
        Figure::Reversed,
        Figure::Settled,
        Figure::Shortfall,
    ];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Figure::Granted => "granted",
            Figure::Applied => "applied",
            Figure::Reversed => "reversed",
            Figure::Settled => "settled",
            Figure::Shortfall => "shortfall",
        }
    }

    /// Reads its name.
    pub fn parse(text: &str) -> Option<Figure> {
        let mut all = Figure::ALL.into_iter();
        all.find(|figure| figure.as_str() == text)
    }

    /// Whether the amount of a line counts: of a line on this account, in the entry of this number. The first entry of a
    /// credit grants it; what comes to the program later was taken back.
    pub fn counts(self, account: Account, seq: i64) -> bool {
        match self {
            Figure::Granted => seq == 1 && account != Account::Program,
            Figure::Applied => account == Account::Applied,
            Figure::Reversed => account == Account::Program && seq > 1,
            Figure::Settled => account == Account::Settled,
            Figure::Shortfall => account == Account::Shortfall,
        }
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
    fn every_later_movement_counts_once_for_each_figure() {
        for figure in Figure::ALL {
            assert_eq!(Figure::parse(figure.as_str()), Some(figure));
            // The grant is a figure of its own.
            assert!(!figure.counts(Account::Program, 1));
            let is_grant = figure == Figure::Granted;
            assert_eq!(figure.counts(Account::Held, 1), is_grant);
            assert_eq!(figure.counts(Account::Customer, 1), is_grant);
            for (from, to) in Account::moves() {
                assert!(
                    !(figure.counts(from, 2) && figure.counts(to, 2)),
                    "{from:?} {to:?}"
                );
            }
        }
        // What is taken back after it was used is less used, and more taken back.
        let counted = |account| Figure::ALL.map(|figure| figure.counts(account, 3));
        assert_eq!(
            counted(Account::Applied),
            [false, true, false, false, false]
        );
        assert_eq!(
            counted(Account::Program),
            [false, false, true, false, false]
        );
        assert_eq!(Figure::parse("owed"), None);
    }

    #[test]
    fn what_was_settled_stays_settled() {
        assert!(Account::moves().all(|(from, _)| from != Account::Settled));
        assert!(Account::moves().all(|(from, to)| from != to));
        let newer = Account::read("elsewhere").unwrap();
        assert!(!Account::Program.may_move_to(newer) && !newer.may_move_to(Account::Program));
    }
}
