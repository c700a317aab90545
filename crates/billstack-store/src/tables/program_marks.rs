//! How far the log of each team has been added up; see [`program_days`](super::program_days).

use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    TEAMS = "SELECT team_id FROM teams WHERE team_id >= $1 ORDER BY team_id LIMIT $2";
    GET = "SELECT created_at, event_id FROM program_marks WHERE team_id = $1";
    BEGIN = "INSERT INTO program_marks (team_id, created_at, event_id) VALUES ($1, $2, $3) \
        ON CONFLICT DO NOTHING";
    MOVE = "UPDATE program_marks SET created_at = $2, event_id = $3 \
        WHERE team_id = $1 AND created_at = $4 AND event_id = $5";
}

/// A place in the log of a team: after this event, before the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mark {
    /// The time of the event.
    pub(crate) at: Micros,
    /// Its id.
    pub(crate) event_id: String,
}

impl Mark {
    /// Before every event.
    pub(crate) fn beginning() -> Mark {
        Mark {
            at: Micros(i64::MIN),
            event_id: String::new(),
        }
    }
}

/// The numbers of teams from this one on.
pub(crate) fn teams(tx: &mut dyn Tx, from: i64, limit: i64) -> Result<Vec<i64>, Fault> {
    tx.all(TEAMS, params![from, limit], |row| row.int(0))
}

/// How far the log of the team with this number has been added up.
pub(crate) fn get(tx: &mut dyn Tx, team: i64) -> Result<Mark, Fault> {
    let found = tx.one(GET, params![team], |row| {
        Ok(Mark {
            at: row.time(0)?,
            event_id: row.string(1)?,
        })
    })?;
    Ok(found.unwrap_or_else(Mark::beginning))
}

/// Moves the mark of a team, and tells whether it still was where it is said to have been: of two who add up the
/// same events one succeeds.
pub(crate) fn advance(tx: &mut dyn Tx, team: i64, from: &Mark, to: &Mark) -> Result<bool, Fault> {
    if *from == Mark::beginning() {
        return tx.hit(BEGIN, params![team, to.at, &to.event_id]);
    }
    let row = params![team, to.at, &to.event_id, from.at, &from.event_id];
    tx.hit(MOVE, row)
}
