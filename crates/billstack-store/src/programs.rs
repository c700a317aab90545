//! The referral program of a project: whether it runs, and what it promises.

use billstack_core::program::Program;
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT enabled, referrer_credit_amount, referee_credit_amount, currency \
        FROM programs WHERE team_id = $1 AND project_id = $2";
    /// A program that nobody may change until the transaction ends.
    HOLD = "SELECT enabled, referrer_credit_amount, referee_credit_amount, currency \
        FROM programs WHERE team_id = $1 AND project_id = $2 /* FOR SHARE */";
    PUT = "INSERT INTO programs (team_id, project_id, enabled, referrer_credit_amount, \
        referee_credit_amount, currency, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (team_id, project_id) DO UPDATE SET enabled = excluded.enabled, \
        referrer_credit_amount = excluded.referrer_credit_amount, \
        referee_credit_amount = excluded.referee_credit_amount, \
        currency = excluded.currency, updated_at = excluded.updated_at";
}

pub(crate) fn decode(row: &dyn Row) -> Result<Program, Fault> {
    Ok(Program {
        enabled: row.flag(0)?,
        referrer_credit_amount: row.amount(1)?,
        referee_credit_amount: row.amount(2)?,
        currency: row.currency(3)?,
    })
}

/// The program of a project; one that was never set is the default, switched off.
pub fn get(tx: &mut dyn Tx, place: &Place) -> Result<Program, Fault> {
    let found = tx.one(GET, params![&place.team_id, &place.project_id], decode)?;
    Ok(found.unwrap_or_default())
}

/// Sets the program. Promises already made to referrals keep their own amounts.
pub fn put(tx: &mut dyn Tx, act: &mut Act, place: &Place, program: &Program) -> Result<(), Abort> {
    tx.must(
        PUT,
        params![
            &place.team_id,
            &place.project_id,
            program.enabled,
            program.referrer_credit_amount,
            program.referee_credit_amount,
            &program.currency,
            act.at,
        ],
    )?;
    let facts = json!({
        "enabled": program.enabled,
        "referrerCreditAmount": program.referrer_credit_amount.get(),
        "refereeCreditAmount": program.referee_credit_amount.get(),
        "currency": program.currency.as_str(),
    });
    let subject = place.project_id.as_str();
    let fact = Fact {
        kind: "program.updated",
        subject,
        referral_id: None,
        facts,
    };
    Ok(act.record(tx, place, &fact)?)
}
