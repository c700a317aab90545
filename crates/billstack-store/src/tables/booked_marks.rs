//! How far the ledger of each project has been added up; see [`booked_days`](super::booked_days).

use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT booked_before FROM booked_marks WHERE team_id = $1 AND project_id = $2";
    SET = "INSERT INTO booked_marks (team_id, project_id, booked_before) VALUES ($1, $2, $3) \
        ON CONFLICT (team_id, project_id) DO UPDATE SET booked_before = excluded.booked_before";
}

/// Up to, and without, which time the project with these numbers is added up.
pub(crate) fn get(tx: &mut dyn Tx, team: i64, project: i64) -> Result<Micros, Fault> {
    let found = tx.one(GET, params![team, project], |row| row.time(0))?;
    Ok(found.unwrap_or(Micros(0)))
}

/// Moves the mark of a project.
pub(crate) fn set(tx: &mut dyn Tx, team: i64, project: i64, before: Micros) -> Result<(), Fault> {
    tx.must_later(SET, params![team, project, before])
}
