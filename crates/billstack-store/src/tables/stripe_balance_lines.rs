//! The lines of the balances that are followed, as Stripe lists them. They say nothing of who the customer is.

use billstack_core::balance::Line;
use billstack_core::ids::TeamId;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    OF_CUSTOMER = "SELECT id, currency, amount, ending_balance, kind, invoice_id, credit_id, created_at \
        FROM stripe_balance_lines WHERE team_id = $1 AND stripe_customer_id = $2 ORDER BY number";
    LAST = "SELECT id FROM stripe_balance_lines WHERE team_id = $1 AND stripe_customer_id = $2 \
        ORDER BY number DESC LIMIT 1";
    INSERT = "INSERT INTO stripe_balance_lines (team_id, stripe_customer_id, number, id, currency, amount, \
        ending_balance, kind, invoice_id, credit_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FORGET = "DELETE FROM stripe_balance_lines WHERE team_id = $1 AND stripe_customer_id = $2";
}

/// A line of a balance, with its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceLine {
    /// In small letters.
    pub currency: String,
    /// The line.
    pub line: Line,
}

fn decode(row: &dyn Row) -> Result<BalanceLine, Fault> {
    Ok(BalanceLine {
        currency: row.string(1)?,
        line: Line {
            id: row.string(0)?,
            amount: row.int(2)?,
            ending_balance: row.int(3)?,
            kind: row.string(4)?,
            invoice: row.opt_string(5)?,
            credit: row.opt_string(6)?,
            created: row.time(7)?,
        },
    })
}

/// The lines of a customer's balances, the oldest first.
pub(crate) fn of_customer(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<Vec<BalanceLine>, Fault> {
    tx.all(OF_CUSTOMER, params![team_id, stripe_customer_id], decode)
}

/// The newest of them that is known.
pub(crate) fn last(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<Option<String>, Fault> {
    let scope = params![team_id, stripe_customer_id];
    tx.one(LAST, scope, |row| row.string(0))
}

/// Adds a line as number `number` of its customer.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
    number: i64,
    new: &BalanceLine,
) -> Result<(), Fault> {
    let line = &new.line;
    let row = params![
        team_id,
        stripe_customer_id,
        number,
        &line.id,
        &new.currency,
        line.amount,
        line.ending_balance,
        &line.kind,
        line.invoice.as_deref(),
        line.credit.as_deref(),
        line.created,
    ];
    tx.must_later(INSERT, row)
}

/// Forgets all of them, to write them anew.
pub(crate) fn forget(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<(), Fault> {
    let scope = params![team_id, stripe_customer_id];
    tx.execute(FORGET, scope).map(drop)
}
