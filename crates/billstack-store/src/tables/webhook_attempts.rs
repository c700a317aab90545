//! Each time that a webhook was sent, and how it went.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use billstack_core::webhook::attempt::AttemptError;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO webhook_attempts (team_id, delivery_id, number, at, duration_ms, status, error, answer) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    OF_DELIVERY = "SELECT at, duration_ms, status, error, answer FROM webhook_attempts \
        WHERE team_id = $1 AND delivery_id = $2 ORDER BY number";
    FORGET = "DELETE FROM webhook_attempts WHERE team_id = $1 AND delivery_id = $2";
}

/// One time that a webhook was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// When.
    pub at: Micros,
    /// How long it took until the answer was read, or until it was given up.
    pub duration_ms: i64,
    /// The status of the answer, if there was one.
    pub status: Option<i64>,
    /// Why it failed, if it did.
    pub error: Option<AttemptError>,
    /// How the answer begins, where that is kept.
    pub answer: Option<String>,
}

/// A row of [`OF_DELIVERY`].
pub(crate) fn decode(row: &dyn Row) -> Result<Attempt, Fault> {
    Ok(Attempt {
        at: row.time(0)?,
        duration_ms: row.int(1)?,
        status: row.opt_int(2)?,
        error: match row.opt_text(3)? {
            None => None,
            Some(_) => Some(row.read(3, AttemptError::read)?),
        },
        answer: row.opt_string(4)?,
    })
}

/// Keeps how it went for the so-manieth time; told later if it fails.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    delivery_id: &str,
    number: i64,
    attempt: &Attempt,
) -> Result<(), Fault> {
    let error = attempt.error.as_ref().map(AttemptError::as_str);
    let row = params![
        team_id,
        delivery_id,
        number,
        attempt.at,
        attempt.duration_ms,
        attempt.status,
        error,
        attempt.answer.as_deref(),
    ];
    tx.must_later(INSERT, row)
}

/// Forgets all of a delivery.
pub(crate) fn forget(tx: &mut dyn Tx, team: i64, delivery_id: &str) -> Result<u64, Fault> {
    tx.execute(FORGET, params![team, delivery_id])
}
