//! Terms: what a program promised from one change to the next. They never change.

use billstack_core::ids::TeamId;
use billstack_core::program::{Clawback, ClawbackApplied, ConversionTrigger, CreditDelivery};
use billstack_core::referral::Terms;
use billstack_core::time::Micros;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    CONVERT_BY_PAYMENT = "SELECT id FROM terms \
        WHERE team_id = $1 AND conversion_trigger = 'first_paid_invoice' LIMIT 1";
    INSERT = "INSERT INTO terms (team_id, id, program_id, referrer_credit_amount, \
        referee_credit_amount, currency, grace, hold_days, conversion_trigger, exclude_trials, \
        minimum_paid_amount, credit_delivery, clawback, clawback_window_days, clawback_applied, \
        referral_expiry_days, credit_description, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    LONGEST_WINDOW = "SELECT MAX(CASE WHEN clawback_window_days > hold_days THEN clawback_window_days \
        ELSE hold_days END) FROM terms WHERE clawback IN ('within_hold', 'always') AND team_id = $1";
}

/// The columns of terms in a table called `t`, in the order of [`decode`].
macro_rules! terms_columns {
    () => {
        "t.referrer_credit_amount, t.referee_credit_amount, t.currency, t.grace, t.hold_days, \
         t.conversion_trigger, t.exclude_trials, t.minimum_paid_amount, t.credit_delivery, t.clawback, \
         t.clawback_window_days, t.clawback_applied, t.referral_expiry_days, t.credit_description"
    };
}
pub(crate) use terms_columns;

/// Reads [`terms_columns`] that begin at a column.
pub(crate) fn decode(row: &dyn Row, first: usize) -> Result<Terms, Fault> {
    Ok(Terms {
        referrer_credit_amount: row.amount(first)?,
        referee_credit_amount: row.amount(first + 1)?,
        currency: row.currency(first + 2)?,
        grace: row.int(first + 3)?,
        hold_days: row.int(first + 4)?,
        conversion_trigger: row.read(first + 5, ConversionTrigger::read)?,
        exclude_trials: row.flag(first + 6)?,
        minimum_paid_amount: row.amount(first + 7)?,
        credit_delivery: row.read(first + 8, CreditDelivery::read)?,
        clawback: row.read(first + 9, Clawback::read)?,
        clawback_window_days: row.int(first + 10)?,
        clawback_applied: row.read(first + 11, ClawbackApplied::read)?,
        referral_expiry_days: row.opt_int(first + 12)?,
        credit_description: row.string(first + 13)?,
    })
}

/// Adds the terms of a program.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    program_id: &str,
    terms: &Terms,
    at: Micros,
) -> Result<(), Fault> {
    let row = params![
        team_id,
        id,
        program_id,
        terms.referrer_credit_amount,
        terms.referee_credit_amount,
        &terms.currency,
        terms.grace,
        terms.hold_days,
        terms.conversion_trigger.as_str(),
        terms.exclude_trials,
        terms.minimum_paid_amount,
        terms.credit_delivery.as_str(),
        terms.clawback.as_str(),
        terms.clawback_window_days,
        terms.clawback_applied.as_str(),
        terms.referral_expiry_days,
        &*terms.credit_description,
        at,
    ];
    tx.must_later(INSERT, row)
}

/// Whether any terms of the team have ever let a payment convert referrals.
pub(crate) fn convert_by_payment(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.exists(CONVERT_BY_PAYMENT, params![team_id])
}

/// For how many days after a conversion a lost payment may take credits back, at most, by any terms of the team that
/// know of such; `None` where none does.
pub(crate) fn longest_window(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<i64>, Fault> {
    let found = tx.one(LONGEST_WINDOW, params![team_id], |row| row.opt_int(0))?;
    Ok(found.flatten())
}
