//! The budget of a program: what is out of it, and who is told when little is left.
//!
//! Whoever decides by it, or changes what is out, holds its name. The row of the program is held as well, so that
//! nobody sets a budget while a conversion that saw none is under way.

use billstack_core::credit::limits::Budget;
use billstack_core::event::Event;
use billstack_core::money::Currency;

use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::program_budgets::{self, Out};
use crate::tables::programs::KeptProgram;
use crate::tables::{events, programs};

/// What is out of a budget, while its name is held.
pub(super) struct Account {
    program_id: String,
    currency: Currency,
    limit: i64,
    out: Out,
}

impl Account {
    /// The budget as the rules see it.
    pub(super) fn budget(&self) -> Budget {
        Budget {
            limit: self.limit,
            out: self.out.amount,
        }
    }
}

/// Holds the budget of a program that is held, and reads what is out of it. `None` where there is no budget.
pub(super) fn hold(
    tx: &mut dyn Tx,
    place: &Place,
    kept: &KeptProgram,
    currency: Currency,
) -> Result<Option<Account>, Fault> {
    let Some(limit) = kept.program.budget else {
        return Ok(None);
    };
    tx.lock(&place.team_id, &[&format!("budget:{}", kept.id)])?;
    let out = program_budgets::get(tx, place, &kept.id, currency)?;
    Ok(Some(Account {
        program_id: kept.id.clone(),
        currency,
        limit,
        out,
    }))
}

/// Takes so much out of a budget, or puts it back when negative, and tells when little or nothing is left.
pub(super) fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    account: Account,
    units: i64,
    is_short: bool,
) -> Result<(), Fault> {
    let before = account.out;
    let mut out = Out {
        amount: before.amount + units,
        ..before
    };
    let (budget, currency) = (account.limit, account.currency);
    let now = Budget {
        limit: budget,
        out: out.amount,
    };
    let budget_out = now.out;
    // What comes back, or is given back, is no spending that anybody has to be warned of.
    let is_spent = units > 0 || is_short;
    if is_spent && now.is_low() && !out.low_told {
        out.low_told = true;
        let event = Event::BudgetLow {
            budget,
            budget_out,
            currency,
        };
        events::record(tx, act, place, &account.program_id, &event)?;
    }
    if is_spent && (now.is_used_up() || is_short) && !out.used_up_told {
        out.used_up_told = true;
        let event = Event::BudgetExhausted {
            budget,
            budget_out,
            currency,
        };
        events::record(tx, act, place, &account.program_id, &event)?;
    }
    match out == before {
        true => Ok(()),
        false => program_budgets::set(tx, place, &account.program_id, currency, out),
    }
}

/// Puts what was taken back of a referral's credit into its budget again, or takes what is given back out of it,
/// where there is a budget.
pub(super) fn returned(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    currency: Currency,
    units: i64,
) -> Result<(), Fault> {
    let kept = programs::hold(tx, place)?;
    match hold(tx, place, &kept, currency)? {
        Some(account) => take(tx, act, place, account, -units, false),
        None => Ok(()),
    }
}
