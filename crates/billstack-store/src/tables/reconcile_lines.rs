//! What a run found to differ between our books and Stripe's.

use billstack_core::ids::TeamId;
use billstack_core::reconcile::Drift;
use billstack_core::time::Micros;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO reconcile_lines (team_id, run_id, number, kind, subject, detail, is_repaired) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OF_RUN = "SELECT kind, subject, detail, is_repaired FROM reconcile_lines \
        WHERE team_id = $1 AND run_id = $2 ORDER BY number LIMIT $3";
    FORGET = "DELETE FROM reconcile_lines WHERE team_id = $1 AND run_id IN (\
        SELECT id FROM reconcile_runs WHERE team_id = $1 AND ended_at < $2)";
}

/// A difference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Which.
    pub kind: Drift,
    /// The id of what it is about: an event, an operation, a line of a balance.
    pub subject: String,
    /// What there is to know of it, for a person; no personal data.
    pub detail: String,
    /// Whether the run repaired it.
    pub is_repaired: bool,
}

/// Keeps a line as the one of this number.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    run_id: &str,
    number: i64,
    line: &Line,
) -> Result<(), Fault> {
    let row = params![
        team_id,
        run_id,
        number,
        line.kind.as_str(),
        &line.subject,
        &line.detail,
        line.is_repaired,
    ];
    tx.must(INSERT, row)
}

/// The first lines of a run.
pub(crate) fn of_run(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    run_id: &str,
    limit: i64,
) -> Result<Vec<Line>, Fault> {
    tx.all(OF_RUN, params![team_id, run_id, limit], |row: &dyn Row| {
        Ok(Line {
            kind: row.read(0, Drift::read)?,
            subject: row.string(1)?,
            detail: row.string(2)?,
            is_repaired: row.flag(3)?,
        })
    })
}

/// Forgets the lines of runs that were over before a time.
pub(crate) fn forget(tx: &mut dyn Tx, team_id: &TeamId, before: Micros) -> Result<(), Fault> {
    tx.execute(FORGET, params![team_id, before]).map(|_| ())
}
