//! Referral programs: whether one runs, and which terms it promises at present.

use billstack_core::program::{Caps, Program};
use billstack_core::time::Micros;

use super::terms::{self, terms_columns};
use crate::seam::tx::Query;
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    /// The default program of a project with its terms.
    GET = concat!("SELECT p.id, p.terms_id, p.enabled, p.max_conversions_total, p.max_conversions_per_month, \
        p.budget, ", terms_columns!(), " FROM programs p JOIN terms t ON t.team_id = p.team_id \
        AND t.id = p.terms_id WHERE p.team_id = $1 AND p.project_id = $2 AND p.is_default");
    /// Lets nobody change the default program until the transaction ends. It is apart from [`GET`], because
    /// on PostgreSQL a query that waits for a row sees the new version of it and the old state of the other
    /// tables.
    HOLD = "SELECT id FROM programs \
        WHERE team_id = $1 AND project_id = $2 AND is_default /* FOR SHARE */";
    DEFAULT_OF = "SELECT id FROM programs WHERE team_id = $1 AND project_id = $2 AND is_default";
    INSERT = "INSERT INTO programs (team_id, id, project_id, is_default, enabled, terms_id, \
        created_at, updated_at) VALUES ($1, $2, $3, TRUE, FALSE, $4, $5, $5)";
    UPDATE = "UPDATE programs SET enabled = $3, terms_id = $4, max_conversions_total = $5, \
        max_conversions_per_month = $6, budget = $7, updated_at = $8 WHERE team_id = $1 AND id = $2";
}

/// A program as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeptProgram {
    /// `prog_…`.
    pub(crate) id: String,
    /// The terms it promises at present.
    pub(crate) terms_id: String,
    /// The settings, the terms among them.
    pub(crate) program: Program,
}

/// A row of [`GET`].
pub(crate) fn decode(row: &dyn Row) -> Result<KeptProgram, Fault> {
    Ok(KeptProgram {
        id: row.string(0)?,
        terms_id: row.string(1)?,
        program: Program {
            enabled: row.flag(2)?,
            caps: Caps {
                total: row.opt_int(3)?,
                per_month: row.opt_int(4)?,
            },
            budget: row.opt_int(5)?,
            terms: terms::decode(row, 6)?,
        },
    })
}

/// The default program of a project; every project has one.
pub fn get(tx: &mut dyn Tx, place: &Place) -> Result<Program, Fault> {
    Ok(kept(tx, place)?.program)
}

/// The default program of a project, with its id.
pub(crate) fn kept(tx: &mut dyn Tx, place: &Place) -> Result<KeptProgram, Fault> {
    let found = tx.one(GET, params![&place.team_id, &place.project_id], decode)?;
    found.ok_or_else(missing)
}

/// The default program of a project, which nobody changes until the transaction ends.
pub(crate) fn hold(tx: &mut dyn Tx, place: &Place) -> Result<KeptProgram, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    let mut found = None;
    let mut questions: Vec<Query<'_>> = Vec::new();
    if !tx.is_alone() {
        questions.push((HOLD, scope));
    }
    questions.push((GET, scope));
    let last = questions.len() - 1;
    tx.query_together(&questions, &mut |number, row| {
        if number == last {
            found = Some(decode(row)?);
        }
        Ok(())
    })?;
    found.ok_or_else(missing)
}

/// The id of the default program of a project.
pub(crate) fn default_of(tx: &mut dyn Tx, place: &Place) -> Result<String, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    let found = tx.one(DEFAULT_OF, scope, |row| row.string(0))?;
    found.ok_or_else(missing)
}

/// What a project without a program is.
pub(crate) fn missing() -> Fault {
    Fault::Defect("the project has no program".to_owned())
}

/// Adds the default program of a project, switched off.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    terms_id: &str,
    at: Micros,
) -> Result<(), Fault> {
    tx.must_later(
        INSERT,
        params![&place.team_id, id, &place.project_id, terms_id, at],
    )
}

/// Makes a program what is given, with terms that are kept already.
pub(crate) fn update(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    program: &Program,
    terms_id: &str,
    at: Micros,
) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        id,
        program.enabled,
        terms_id,
        program.caps.total,
        program.caps.per_month,
        program.budget,
        at,
    ];
    tx.must(UPDATE, row)
}
