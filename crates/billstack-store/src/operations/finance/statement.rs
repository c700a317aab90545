//! The account of one customer.

use std::collections::BTreeMap;

use billstack_core::ledger::{Account, Cause};
use billstack_core::money::Currency;
use billstack_core::time::Micros;

use crate::operations::customers;
use crate::operations::refusal::Abort;
use crate::seam::{Place, Tx};
use crate::tables::entries::Posting;
use crate::tables::finance::{self, Moved};

/// One movement of a customer's credits.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// What was moved, where from and to, and why.
    pub moved: Moved,
    /// By how much it changed what the customer is owed, in minor units: nothing where it only went from one
    /// place to another.
    pub change: i64,
    /// What the customer is owed after it.
    pub balance: i64,
}

/// The account of a customer in one currency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// Owed at the beginning.
    pub opening: i64,
    /// Every movement, in the order of booking.
    pub movements: Vec<Movement>,
    /// Owed at the end.
    pub closing: i64,
    /// Whether there are more movements than are told.
    pub is_cut: bool,
}

/// The most movements that a statement tells of.
const MOST: usize = 10_000;

/// Whether what is on an account is owed to the customer.
const fn is_owed(account: Account) -> bool {
    matches!(account, Account::Held | Account::Customer | Account::Stripe)
}

/// The account of a customer from one time up to, and without, another, by currency.
pub fn statement(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    currency: Option<Currency>,
    (from, to): (Micros, Micros),
) -> Result<BTreeMap<Currency, Statement>, Abort> {
    customers::require(tx, place, customer_id)?;
    let mut statements: BTreeMap<Currency, Statement> = BTreeMap::new();
    for moved in finance::moved_before(tx, place, customer_id, to)? {
        if currency.is_some_and(|wanted| wanted != moved.currency) {
            continue;
        }
        let statement = statements.entry(moved.currency).or_default();
        let Posting {
            account,
            amount,
            created_at,
            ..
        } = moved.to;
        let gained = if is_owed(account) { amount } else { 0 };
        let lost = if is_owed(moved.from) { amount } else { 0 };
        let change = gained - lost;
        statement.closing += change;
        if created_at < from {
            statement.opening += change;
        } else if statement.movements.len() < MOST {
            statement.movements.push(Movement {
                change,
                balance: statement.closing,
                moved,
            });
        } else {
            statement.is_cut = true;
        }
    }
    Ok(statements)
}

impl Moved {
    /// What in Stripe or elsewhere it can be looked up by.
    pub fn document(&self) -> Option<&str> {
        let Posting {
            cause,
            cause_id,
            reference,
            stripe_object,
            ..
        } = &self.to;
        let by_event = Some(&**cause_id).filter(|_| *cause == Cause::Event);
        stripe_object
            .as_deref()
            .or(reference.as_deref())
            .or(by_event)
    }
}
