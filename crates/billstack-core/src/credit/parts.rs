//! What became of a credit: the parts of its amount, and its status, which follows from them.

use serde::{Deserialize, Serialize};

use super::CreditStatus;
use crate::ledger::{Account, Transfer};
use crate::money::Amount;

/// The parts of a credit, in minor units. They are never below zero, and all but the shortfall sum to its amount.
#[derive(Copy, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// Granted, but not yet the customer's.
    pub held: i64,
    /// The customer's, in our books.
    pub available: i64,
    /// In the balance that the customer has in Stripe, and not used yet.
    pub delivered: i64,
    /// Used for an invoice of Stripe.
    pub applied: i64,
    /// Paid to the customer.
    pub settled: i64,
    /// Taken back.
    pub reversed: i64,
    /// What should have been taken back and could not be. It is among the other parts.
    pub shortfall: i64,
}

impl Parts {
    /// What a new credit of an amount is before its first entry.
    pub const fn promised(amount: Amount) -> Parts {
        Parts {
            held: 0,
            available: 0,
            delivered: 0,
            applied: 0,
            settled: 0,
            reversed: amount.get(),
            shortfall: 0,
        }
    }

    /// The amount of the credit.
    pub const fn amount(&self) -> i64 {
        self.held + self.available + self.delivered + self.applied + self.settled + self.reversed
    }

    /// What the customer may count on: all that is neither held, nor used, nor paid, nor taken back.
    pub const fn balance(&self) -> i64 {
        self.available + self.delivered
    }

    /// The parts after a transfer; `None` when it is no legal move or takes more than there is.
    pub fn after(&self, transfer: &Transfer) -> Option<Parts> {
        if transfer.amount.is_zero() || !transfer.from.may_move_to(transfer.to) {
            return None;
        }
        let mut parts = *self;
        for (account, units) in [
            (transfer.from, -transfer.amount.get()),
            (transfer.to, transfer.amount.get()),
        ] {
            if let Some(part) = parts.of(account) {
                *part += units;
            }
        }
        parts.are_possible().then_some(parts)
    }

    /// The part that an account counts; what stands against the shortfall counts nothing of its own.
    fn of(&mut self, account: Account) -> Option<&mut i64> {
        match account {
            Account::Program => Some(&mut self.reversed),
            Account::Held => Some(&mut self.held),
            Account::Customer => Some(&mut self.available),
            Account::Stripe => Some(&mut self.delivered),
            Account::Applied => Some(&mut self.applied),
            Account::Settled => Some(&mut self.settled),
            Account::Shortfall => Some(&mut self.shortfall),
            Account::Memo | Account::Other(_) => None,
        }
    }

    fn are_possible(&self) -> bool {
        let parts = [
            self.held,
            self.available,
            self.delivered,
            self.applied,
            self.settled,
            self.reversed,
        ];
        parts.iter().all(|part| *part >= 0) && (0..=self.amount()).contains(&self.shortfall)
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
        if self.applied + self.settled == self.amount() {
            return CreditStatus::Applied;
        }
        CreditStatus::Granted
    }
}
