//! Runs that compare our books with Stripe's.

use billstack_core::reconcile::walk::{SLOTS, Stage};
use billstack_core::reconcile::{Drift, Remedy, RunStatus};

use super::{Reads, Rule};
use crate::seam::{Fault, Row};
use crate::tables::reconcile_runs::MOST_LINES;
use crate::tables::teams::team_of;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "reconcile_run",
        holds: "a run of reconcile has a known remedy, status and stage, and an end exactly when it is over",
        sql: concat!(
            "SELECT id, ",
            team_of!("reconcile_runs"),
            ", remedy, status, ended_at, stage, slots, looked, asked FROM reconcile_runs"
        ),
        reads: Reads::Once,
        breaks: is_no_run,
    },
    Rule {
        name: "reconcile_turns",
        holds: "of a team one run of reconcile is under way at a time",
        sql: concat!(
            "SELECT MIN(r.id), ",
            team_of!("r"),
            " FROM reconcile_runs r WHERE r.status = 'running' \
             GROUP BY r.team_id HAVING COUNT(*) > 1 LIMIT 100"
        ),
        reads: Reads::Once,
        breaks: |_| Ok(true),
    },
    Rule {
        name: "reconcile_lines",
        holds: "what a run of reconcile found is kept, in known words, up to as many lines as are kept",
        sql: concat!(
            "SELECT r.id, ",
            team_of!("r"),
            ", r.found, r.repaired, COUNT(l.number), MIN(l.kind), MAX(l.kind), \
             SUM(CASE WHEN l.is_repaired THEN 1 ELSE 0 END) FROM reconcile_runs r \
             LEFT JOIN reconcile_lines l ON l.team_id = r.team_id AND l.run_id = r.id \
             GROUP BY r.team_id, r.id, r.found, r.repaired"
        ),
        reads: Reads::Once,
        breaks: is_miscounted,
    },
    Rule {
        name: "reconcile_note",
        holds: "what was taken note of is a known kind of difference",
        sql: concat!(
            "SELECT subject, ",
            team_of!("reconcile_notes"),
            ", kind, appearance FROM reconcile_notes"
        ),
        reads: Reads::Once,
        breaks: |row| Ok(row.read(2, Drift::read)?.known().is_none() || row.text(3)?.is_empty()),
    },
];

fn is_no_run(row: &dyn Row) -> Result<bool, Fault> {
    let remedy = row.read(2, Remedy::read)?;
    let status = row.read(3, RunStatus::read)?;
    let has_end = row.opt_int(4)?.is_some();
    let has_words = remedy.known().is_some() && status.known().is_some();
    let stage = row.read(5, Stage::read)?;
    let is_somewhere = stage.known().is_some() && (0..=SLOTS).contains(&row.int(6)?);
    let counts = row.int(7)? >= 0 && row.int(8)? >= 0;
    Ok(!has_words || !is_somewhere || !counts || status.is_over() != has_end)
}

fn is_miscounted(row: &dyn Row) -> Result<bool, Fault> {
    let (found, repaired, kept) = (row.int(2)?, row.int(3)?, row.int(4)?);
    for column in [5, 6] {
        let kind = row.opt_text(column)?.map(Drift::read);
        if kind.is_some_and(|kind| kind.is_none_or(|kind| kind.known().is_none())) {
            return Ok(true);
        }
    }
    let kept_as_repaired = row.int(7)?;
    Ok(kept != found.min(MOST_LINES) || (found <= MOST_LINES && kept_as_repaired != repaired))
}
