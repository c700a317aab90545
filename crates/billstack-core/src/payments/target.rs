//! How much of a credit comes back.

use super::loss::{Loss, portion};
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
