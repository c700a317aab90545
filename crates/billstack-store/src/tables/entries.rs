//! The ledger: entries of credits and their lines. They are never changed and never removed.

use billstack_core::ledger::{Cause, Entry};
use billstack_core::money::Currency;
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO entries (team_id, project_id, credit_id, seq, cause, cause_id, \
        effective_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INSERT_LINE = "INSERT INTO entry_lines (team_id, project_id, credit_id, seq, account, amount) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    /// Goes through the customer's credits: an index on the lines would write two more random pages at every
    /// conversion.
    /// The lines of one credit after the other, and the credits in an order that leads to their customer: joined,
    /// PostgreSQL might read all lines of the project while its tables are small or their sizes unknown.
    BALANCES = "SELECT mine.currency, CAST(SUM(mine.amount) AS BIGINT) FROM (\
        SELECT c.currency, (SELECT SUM(l.amount) FROM entry_lines AS l \
        WHERE l.team_id = c.team_id AND l.project_id = c.project_id AND l.credit_id = c.id \
        AND l.account = 'customer') AS amount FROM credits AS c \
        WHERE c.team_id = $1 AND c.project_id = $2 AND c.customer_id = $3 \
        ORDER BY c.created_at, c.id LIMIT 1000000000) AS mine \
        WHERE mine.amount IS NOT NULL GROUP BY mine.currency ORDER BY mine.currency";
}

/// Why an entry is written, and when what it tells of happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reason<'a> {
    pub(crate) cause: Cause,
    pub(crate) cause_id: &'a str,
    pub(crate) effective_at: Micros,
}

/// Adds an entry as number `seq` of a credit.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
    seq: i64,
    entry: &Entry,
    reason: Reason<'_>,
    at: Micros,
) -> Result<(), Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let row = params![
        team_id,
        project_id,
        credit_id,
        seq,
        reason.cause.as_str(),
        reason.cause_id,
        reason.effective_at,
        at,
    ];
    tx.must_later(INSERT, row)?;
    for line in entry.lines() {
        let account = line.account.as_str();
        let row = params![team_id, project_id, credit_id, seq, account, line.amount];
        tx.must_later(INSERT_LINE, row)?;
    }
    Ok(())
}

/// What a customer has been given in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The currency.
    pub currency: Currency,
    /// The sum in minor units; negative when corrections took more than there was.
    pub amount: i64,
}

/// What a customer has, one balance for each currency of their credits.
pub fn balances(tx: &mut dyn Tx, place: &Place, customer_id: &str) -> Result<Vec<Balance>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.all(BALANCES, scope, |row| {
        Ok(Balance {
            currency: row.currency(0)?,
            amount: row.int(1)?,
        })
    })
}
