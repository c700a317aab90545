//! What became of a credit: the parts of its amount, and its status, which follows from them.

use super::CreditStatus;
use crate::ledger::{Account, Transfer};
use crate::money::Amount;

/// The parts of a credit, in minor units. They are never below zero and always sum to its amount.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Granted, but not yet the customer's.
    pub held: i64,
    /// The customer's, in our books.
    pub available: i64,
    /// Paid to the customer.
    pub settled: i64,
    /// Taken back.
    pub reversed: i64,
}

impl Parts {
    /// What a new credit of an amount is before its first entry.
    pub const fn promised(amount: Amount) -> Parts {
        Parts {
            held: 0,
            available: 0,
            settled: 0,
            reversed: amount.get(),
        }
    }

    /// The amount of the credit.
    pub const fn amount(&self) -> i64 {
        self.held + self.available + self.settled + self.reversed
    }

    /// What the customer may count on: all that is neither held, nor paid, nor taken back.
    pub const fn balance(&self) -> i64 {
        self.available
    }

    /// The parts after a transfer; `None` when it is no legal move or takes more than there is.
    pub fn after(&self, transfer: &Transfer) -> Option<Parts> {
        if transfer.amount.is_zero() || !transfer.from.may_move_to(transfer.to) {
            return None;
        }
        let mut parts = *self;
        *parts.of(transfer.from)? -= transfer.amount.get();
        *parts.of(transfer.to)? += transfer.amount.get();
        parts.are_possible().then_some(parts)
    }

    fn of(&mut self, account: Account) -> Option<&mut i64> {
        match account {
            Account::Program => Some(&mut self.reversed),
            Account::Held => Some(&mut self.held),
            Account::Customer => Some(&mut self.available),
            Account::Settled => Some(&mut self.settled),
            Account::Other(_) => None,
        }
    }

    const fn are_possible(&self) -> bool {
        self.held >= 0 && self.available >= 0 && self.settled >= 0 && self.reversed >= 0
    }

    /// Where the credit stands. The first that holds, in this order, is the answer.
    pub const fn status(&self) -> CreditStatus {
        if self.held > 0 {
            return CreditStatus::Held;
        }
        if self.reversed == self.amount() {
            return CreditStatus::Reversed;
        }
        if self.reversed > 0 {
            return CreditStatus::PartiallyReversed;
        }
        if self.settled == self.amount() {
            return CreditStatus::Applied;
        }
        CreditStatus::Granted
    }
}
