//! Which lines of what needs attention somebody has dismissed.

use billstack_core::attention::{DISMISSED_FOR, LineId};
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    IN_FORCE = "SELECT line_id, dismissed_at FROM attention_dismissals \
        WHERE team_id = $1 AND project_id = $2 AND dismissed_at > $3 ORDER BY line_id";
    PUT = "INSERT INTO attention_dismissals (team_id, project_id, line_id, dismissed_at) \
        VALUES ($1, $2, $3, $4) ON CONFLICT (team_id, project_id, line_id) \
        DO UPDATE SET dismissed_at = excluded.dismissed_at";
    FORGET = "DELETE FROM attention_dismissals \
        WHERE team_id = $1 AND project_id = $2 AND dismissed_at <= $3";
}

/// What was dismissed and when, as far as it is still not to be shown.
pub(crate) fn in_force(
    tx: &mut dyn Tx,
    place: &Place,
    now: Micros,
) -> Result<Vec<(String, Micros)>, Fault> {
    let scope = params![&place.team_id, &place.project_id, now.plus(-DISMISSED_FOR)];
    tx.all(IN_FORCE, scope, |row| Ok((row.string(0)?, row.time(1)?)))
}

/// Dismisses a line, and forgets what is over of those before, so that there are never more than can be in a week.
pub(crate) fn put(tx: &mut dyn Tx, place: &Place, line: &LineId, at: Micros) -> Result<(), Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let over = params![team_id, project_id, at.plus(-DISMISSED_FOR)];
    tx.execute(FORGET, over)?;
    tx.must(PUT, params![team_id, project_id, &line.to_string(), at])
}

/// Whether a row, whose columns begin at this one, names a line that there cannot be.
pub(crate) fn is_broken(row: &dyn Row, first: usize) -> Result<bool, Fault> {
    Ok(LineId::parse(row.text(first)?).is_none())
}
