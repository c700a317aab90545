//! Conversions whose payments are asked about, found by the credits that they made. Only reads.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    PROJECT = "SELECT id FROM projects WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT 1";
    GRANTED = "SELECT created_at, id, referral_id FROM credits WHERE team_id = $1 AND project_id = $2 \
        AND (created_at, id) > ($3, $4) ORDER BY created_at, id LIMIT $5";
}

/// A credit.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    /// When it was made.
    pub(crate) at: Micros,
    /// Its id.
    pub(crate) id: String,
    /// What it was made for, if that is a referral.
    pub(crate) referral_id: Option<String>,
}

/// The project of a team that comes after another in the order of ids.
pub(crate) fn project_after(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    after: &str,
) -> Result<Option<ProjectId>, Fault> {
    let id = |row: &dyn Row| Ok(ProjectId::from(row.text(0)?));
    tx.one(PROJECT, params![team_id, after], id)
}

/// So many credits of a project in the order in which they were made, beginning after one.
pub(crate) fn granted(
    tx: &mut dyn Tx,
    place: &Place,
    (at, id): (Micros, &str),
    limit: i64,
) -> Result<Vec<Granted>, Fault> {
    let scope = params![&place.team_id, &place.project_id, at, id, limit];
    tx.all(GRANTED, scope, |row: &dyn Row| {
        Ok(Granted {
            at: row.time(0)?,
            id: row.string(1)?,
            referral_id: row.opt_string(2)?,
        })
    })
}
