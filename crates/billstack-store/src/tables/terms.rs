//! Terms: what a program promised from one change to the next. They never change.

use billstack_core::ids::TeamId;
use billstack_core::referral::Terms;
use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO terms (team_id, id, program_id, referrer_credit_amount, \
        referee_credit_amount, currency, grace, hold_days, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
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
        at,
    ];
    tx.must_later(INSERT, row)
}
