//! How much of a program's budget is out in a currency: what was granted for referrals and not taken back.
//!
//! A row is there while the program has a budget, from the first time that somebody asks. Whoever reads or writes
//! one holds the budget's name.

use billstack_core::money::Currency;

use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT amount_out, low_told, used_up_told FROM program_budgets \
        WHERE team_id = $1 AND program_id = $2 AND currency = $3";
    SUM = "SELECT CAST(COALESCE(SUM(amount - reversed), 0) AS BIGINT) FROM credits \
        WHERE team_id = $1 AND project_id = $2 AND currency = $3 AND kind = 'referral'";
    INSERT = "INSERT INTO program_budgets (team_id, program_id, currency, amount_out, low_told, used_up_told) \
        VALUES ($1, $2, $3, $4, FALSE, FALSE)";
    SET = "UPDATE program_budgets SET amount_out = $4, low_told = $5, used_up_told = $6 \
        WHERE team_id = $1 AND program_id = $2 AND currency = $3";
    FORGET = "DELETE FROM program_budgets WHERE team_id = $1 AND program_id = $2";
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Out {
    /// What is out, in minor units.
    pub(crate) amount: i64,
    /// Whether the log tells that little is left.
    pub(crate) low_told: bool,
    /// Whether the log tells that nothing is left.
    pub(crate) used_up_told: bool,
}

/// What is out in a currency. It is added up from the credits of the project where no row tells yet.
pub(crate) fn get(
    tx: &mut dyn Tx,
    place: &Place,
    program_id: &str,
    currency: Currency,
) -> Result<Out, Fault> {
    let key = params![&place.team_id, program_id, &currency];
    let kept = tx.one(GET, key, |row| {
        Ok(Out {
            amount: row.int(0)?,
            low_told: row.flag(1)?,
            used_up_told: row.flag(2)?,
        })
    })?;
    if let Some(kept) = kept {
        return Ok(kept);
    }
    let of = params![&place.team_id, &place.project_id, &currency];
    let amount = tx.one(SUM, of, |row| row.int(0))?.unwrap_or(0);
    tx.must_later(
        INSERT,
        params![&place.team_id, program_id, &currency, amount],
    )?;
    Ok(Out {
        amount,
        low_told: false,
        used_up_told: false,
    })
}

/// What is out in a currency, where a row tells; for whoever only looks.
pub(crate) fn known(
    tx: &mut dyn Tx,
    place: &Place,
    program_id: &str,
    currency: Currency,
) -> Result<Option<i64>, Fault> {
    let key = params![&place.team_id, program_id, &currency];
    tx.one(GET, key, |row| row.int(0))
}

/// Keeps what is out now.
pub(crate) fn set(
    tx: &mut dyn Tx,
    place: &Place,
    program_id: &str,
    currency: Currency,
    out: Out,
) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        program_id,
        &currency,
        out.amount,
        out.low_told,
        out.used_up_told,
    ];
    tx.must_later(SET, row)
}

/// Forgets what is out, because the budget has changed: it is added up anew, and may be told of again.
pub(crate) fn forget(tx: &mut dyn Tx, place: &Place, program_id: &str) -> Result<(), Fault> {
    tx.execute(FORGET, params![&place.team_id, program_id])
        .map(drop)
}
