//! How much of a credit comes back.

use super::loss::{Loss, portion};
use crate::credit::Parts;
use crate::ledger::{Account, Transfer};
use crate::money::{Amount, Currency};

/// How much of a credit of an amount a loss takes back: the same share as of the payment, rounded down to what can
/// be billed, and the whole credit for the whole payment.
pub fn target(amount: Amount, currency: Currency, loss: Loss) -> Amount {
    let units = match loss {
        Loss::Nothing => 0,
        Loss::Everything => amount.get(),
        Loss::Part { lost, paid } if lost >= paid => amount.get(),
        Loss::Part { lost, paid } => {
            let share = portion(amount.get(), lost.max(0), paid);
            share - share % currency.step()
        }
    };
    // It lies between nothing and the amount.
    Amount::new(units).unwrap_or(amount)
}

/// How much of a credit the loss is to take back itself, when a person has taken so much back by hand.
pub fn wanted(amount: Amount, target: Amount, by_hand: Amount) -> Amount {
    let left = Amount::new(amount.get() - by_hand.get()).unwrap_or(Amount::ZERO);
    target.min(left)
}

/// What of a credit was taken back, or should have been, because of a loss: all but what a person took.
pub const fn taken(parts: &Parts, by_hand: i64) -> i64 {
    parts.reversed - by_hand + parts.shortfall
}

/// How a credit gets from what was taken back to what is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// What can be booked at once.
    pub transfers: Vec<Transfer>,
    /// What is to be taken back besides, from the balance that the customer has in Stripe.
    pub from_stripe: i64,
}

/// Takes what is missing of a credit: of what is held first, then of what is the customer's, and then of what is
/// within reach in Stripe. The rest falls short. Gives what was taken too much: what fell short is forgiven, and the
/// rest goes `to` where it may go.
///
/// What falls short is what is out of reach now: what comes within reach again is taken.
pub fn moves(parts: &Parts, by_hand: i64, wanted: Amount, to: Account, reach: i64) -> Moves {
    let missing = wanted.get() - (parts.reversed - by_hand);
    let mut moves = Moves::default();
    let mut short = 0;
    if missing > 0 {
        let of_held = missing.min(parts.held);
        let of_customer = (missing - of_held).min(parts.available);
        let rest = missing - of_held - of_customer;
        moves.add(Account::Held, Account::Program, of_held);
        moves.add(Account::Customer, Account::Program, of_customer);
        moves.from_stripe = rest.min(reach).max(0);
        short = rest - moves.from_stripe;
    }
    let forgiven = parts.shortfall - short;
    moves.add(Account::Shortfall, Account::Memo, forgiven);
    moves.add(Account::Memo, Account::Shortfall, -forgiven);
    moves.add(Account::Program, to, -missing);
    moves
}

impl Moves {
    fn add(&mut self, from: Account, to: Account, units: i64) {
        // Each is a part of a credit, and so within the bounds of an amount.
        if let Some(amount) = Amount::new(units).filter(|amount| !amount.is_zero()) {
            self.transfers.push(Transfer { from, to, amount });
        }
    }
}
