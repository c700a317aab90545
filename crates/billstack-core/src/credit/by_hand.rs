//! What a person or a team's own server may do to a credit.
//!
//! Each returns the transfers to book, or says why there are none. A move that the state forbids is told
//! before one of more than there is.

use super::Parts;
use crate::ledger::{Account, Transfer};
use crate::money::Amount;

/// Why a credit is not moved.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NotMoved {
    /// There is nothing in the state that the move starts from.
    IllegalTransition,
    /// The move is possible, but not of so much.
    AmountExceedsCredit,
}

/// Ends the hold of a credit before its time: so much, or all that is held, becomes the customer's.
pub fn release(parts: &Parts, wanted: Option<Amount>) -> Result<Vec<Transfer>, NotMoved> {
    take(&[(Account::Held, parts.held)], Account::Customer, wanted)
}

/// Notes that so much, or all that is there, was paid to the customer.
pub fn settle(parts: &Parts, wanted: Option<Amount>) -> Result<Vec<Transfer>, NotMoved> {
    take(
        &[(Account::Customer, parts.available)],
        Account::Settled,
        wanted,
    )
}

/// Takes so much, or all that is there, back: what is held first, then what is the customer's, and then what is
/// within reach in Stripe, which is told beside the transfers.
pub fn reverse(
    parts: &Parts,
    wanted: Option<Amount>,
    reach: i64,
) -> Result<(Vec<Transfer>, Amount), NotMoved> {
    let from = [
        (Account::Held, parts.held),
        (Account::Customer, parts.available),
        (Account::Stripe, reach),
    ];
    let mut transfers = take(&from, Account::Program, wanted)?;
    let mut from_stripe = Amount::ZERO;
    transfers.retain(|transfer| {
        let is_in_stripe = transfer.from == Account::Stripe;
        if is_in_stripe {
            from_stripe = transfer.amount;
        }
        !is_in_stripe
    });
    Ok((transfers, from_stripe))
}

fn take(
    from: &[(Account, i64)],
    to: Account,
    wanted: Option<Amount>,
) -> Result<Vec<Transfer>, NotMoved> {
    let there: i64 = from.iter().map(|(_, units)| units).sum();
    if there == 0 {
        return Err(NotMoved::IllegalTransition);
    }
    let mut left = wanted.map_or(there, Amount::get);
    if left > there {
        return Err(NotMoved::AmountExceedsCredit);
    }
    let mut transfers = Vec::new();
    for (from, units) in from {
        let units = left.min(*units);
        left -= units;
        // Each is a part of a credit, and so within the bounds of an amount.
        if let Some(amount) = Amount::new(units).filter(|amount| !amount.is_zero()) {
            let from = *from;
            transfers.push(Transfer { from, to, amount });
        }
    }
    Ok(transfers)
}
