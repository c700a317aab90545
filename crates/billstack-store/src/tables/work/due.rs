//! Which rows of work are due: of a kind, of a team, of a lane.

use billstack_core::time::Micros;

use super::Key;
use crate::seam::{Fault, Lane, Row, Tx};
use crate::{params, statements};

statements! {
    /// Which rows are due; whoever wants one leases it by its key.
    DUE = "SELECT team_id, project_id, subject FROM work \
        WHERE kind = $1 AND lane = '' AND run_after <= $2 AND leased_until <= $2 ORDER BY run_after LIMIT $3";
    /// Of those that have any work of a kind, due or not.
    TEAM_AFTER = "SELECT team_id FROM work WHERE kind = $1 AND lane = '' AND team_id > $2 ORDER BY team_id LIMIT 1";
    DUE_IN_TEAM = "SELECT team_id, project_id, subject FROM work WHERE kind = $1 AND lane = '' AND team_id = $2 \
        AND run_after <= $3 AND leased_until <= $3 ORDER BY run_after LIMIT $4";
    DUE_IN_LANE = "SELECT subject FROM work WHERE team_id = $1 AND kind = $2 AND lane = $3 \
        AND run_after <= $4 AND leased_until <= $4 ORDER BY run_after LIMIT $5";
    /// What is due next in a lane, whether or not somebody works on it.
    NEXT_IN_LANE = "SELECT run_after FROM work WHERE team_id = $1 AND kind = $2 AND lane = $3 \
        ORDER BY run_after LIMIT 1";
    UNDER_WAY = "SELECT COUNT(*) FROM work WHERE team_id = $1 AND kind = $2 AND lane = $3 \
        AND leased_until > 0 AND leased_until > $4";
    /// However much more there is.
    COUNT_DUE = "SELECT COUNT(*) FROM (SELECT subject FROM work WHERE team_id = $1 AND kind = $2 AND lane = $3 \
        AND run_after <= $4 AND leased_until <= $4 LIMIT $5) AS due";
}

/// The keys of rows of a kind that are due and that nobody works on, the longest due first.
pub fn due(
    tx: &mut dyn Tx,
    kind: &'static str,
    now: Micros,
    limit: i64,
) -> Result<Vec<Key>, Fault> {
    tx.all(DUE, params![kind, now, limit], |row| key_of(row, kind))
}

fn key_of(row: &dyn Row, kind: &'static str) -> Result<Key, Fault> {
    Ok(Key {
        team: row.int(0)?,
        project: row.int(1)?,
        kind,
        subject: row.string(2)?,
    })
}

/// The number of the next team after this one that has any work of a kind, due or not.
pub(crate) fn team_after(
    tx: &mut dyn Tx,
    kind: &'static str,
    team: i64,
) -> Result<Option<i64>, Fault> {
    tx.one(TEAM_AFTER, params![kind, team], |row| row.int(0))
}

/// The same as [`due`] in the team with this number.
pub(crate) fn due_in_team(
    tx: &mut dyn Tx,
    kind: &'static str,
    team: i64,
    now: Micros,
    limit: i64,
) -> Result<Vec<Key>, Fault> {
    let range = params![kind, team, now, limit];
    tx.all(DUE_IN_TEAM, range, |row| key_of(row, kind))
}

/// What is due in a lane and nobody works on, the longest due first.
pub(crate) fn due_in_lane(
    tx: &mut dyn Tx,
    kind: &'static str,
    lane: &Lane,
    now: Micros,
    limit: i64,
) -> Result<Vec<Key>, Fault> {
    let scope = params![lane.team, kind, &lane.endpoint_id, now, limit];
    tx.all(DUE_IN_LANE, scope, |row| {
        Ok(Key {
            team: lane.team,
            project: lane.project,
            kind,
            subject: row.string(0)?,
        })
    })
}

/// When the next row of a lane is due, or has been.
pub(crate) fn next_in_lane(
    tx: &mut dyn Tx,
    kind: &'static str,
    lane: &Lane,
) -> Result<Option<Micros>, Fault> {
    let scope = params![lane.team, kind, &lane.endpoint_id];
    tx.one(NEXT_IN_LANE, scope, |row| row.time(0))
}

/// How many rows of a lane are due and nobody works on, up to a limit.
pub(crate) fn count_due(
    tx: &mut dyn Tx,
    kind: &'static str,
    lane: &Lane,
    now: Micros,
    limit: i64,
) -> Result<i64, Fault> {
    let scope = params![lane.team, kind, &lane.endpoint_id, now, limit];
    let found = tx.one(COUNT_DUE, scope, |row| row.int(0))?;
    Ok(found.unwrap_or_default())
}

/// How many rows of a lane somebody works on.
pub(crate) fn under_way(
    tx: &mut dyn Tx,
    kind: &'static str,
    lane: &Lane,
    now: Micros,
) -> Result<i64, Fault> {
    let scope = params![lane.team, kind, &lane.endpoint_id, now];
    let found = tx.one(UNDER_WAY, scope, |row| row.int(0))?;
    Ok(found.unwrap_or_default())
}
