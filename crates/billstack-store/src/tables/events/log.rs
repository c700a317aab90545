//! The log of a project, read from a place on.

use billstack_core::time::Micros;

use crate::seam::list::Cursor;
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT created_at, id, type, subject, referral_id, sequence, facts FROM events \
        WHERE team_id = $1 AND created_at = $2 AND id = $3";
    /// By way of the index alone: SQLite would read the events of all projects of the team instead, since the whole
    /// row is there.
    AFTER = "SELECT e.created_at, e.id, e.type, e.subject, e.referral_id, e.sequence, e.facts \
        FROM (SELECT created_at, id FROM events WHERE team_id = $1 AND project_id = $2 \
        AND (created_at, id) > ($3, $4) AND created_at < $5 ORDER BY created_at, id LIMIT $6) k \
        JOIN events e ON e.team_id = $1 AND e.created_at = k.created_at AND e.id = k.id \
        ORDER BY e.created_at, e.id";
    /// An id tells when it was made, and the event is not older. Mostly it is the first of the range.
    PLACE_OF = "SELECT created_at FROM events WHERE team_id = $1 AND project_id = $2 \
        AND created_at >= $3 AND created_at < $4 AND id = $5 ORDER BY created_at LIMIT 1";
    /// By an index of their own: there are few among all that happens.
    PROGRAM_CHANGES = "SELECT created_at, id FROM events WHERE team_id = $1 AND project_id = $2 \
        AND type = 'program.updated' AND created_at >= $3 AND created_at < $4 \
        ORDER BY created_at DESC, id DESC LIMIT $5";
    /// Which of a grant are held, its facts say.
    COUNTED = "SELECT type, facts LIKE '%\"heldUntil\":%', COUNT(*) FROM events \
        WHERE team_id = $1 AND project_id = $2 AND created_at >= $3 AND created_at < $4 AND subject <> $5 \
        GROUP BY type, facts LIKE '%\"heldUntil\":%'";
}

/// An event of a project, as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// When.
    pub at: Micros,
    /// `evt_…`.
    pub id: String,
    /// Its type in the log.
    pub kind: String,
    /// The id or code of what changed.
    pub subject: String,
    /// Whose story it is part of.
    pub referral_id: Option<String>,
    /// Its number there.
    pub sequence: Option<i64>,
    /// Details, a JSON object.
    pub facts: String,
}

/// A row of [`GET`] or [`AFTER`].
pub(crate) fn decode(row: &dyn Row) -> Result<Recorded, Fault> {
    Ok(Recorded {
        at: row.time(0)?,
        id: row.string(1)?,
        kind: row.string(2)?,
        subject: row.string(3)?,
        referral_id: row.opt_string(4)?,
        sequence: row.opt_int(5)?,
        facts: row.string(6)?,
    })
}

/// The events of a project after a place in its log and before a time, so many at most.
pub(crate) fn after(
    tx: &mut dyn Tx,
    place: &Place,
    after: &Cursor,
    before: Micros,
    limit: i64,
) -> Result<Vec<Recorded>, Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let range = params![team_id, project_id, after.at, &after.key, before, limit];
    tx.all(AFTER, range, decode)
}

/// When the event with this id was recorded, if that was in this range of time.
pub(crate) fn place_of(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    (from, to): (Micros, Micros),
) -> Result<Option<Micros>, Fault> {
    let range = params![&place.team_id, &place.project_id, from, to, id];
    tx.one(PLACE_OF, range, |row| row.time(0))
}

/// When the program of a project was changed in a range of time, and by which events; the last ones, so many at most.
pub(crate) fn program_changes(
    tx: &mut dyn Tx,
    place: &Place,
    (since, until): (Micros, Micros),
    limit: i64,
) -> Result<Vec<(Micros, String)>, Fault> {
    let range = params![&place.team_id, &place.project_id, since, until, limit];
    tx.all(PROGRAM_CHANGES, range, |row| {
        Ok((row.time(0)?, row.string(1)?))
    })
}

/// How many events of a project in a range of time are of which type, and whether they are grants that are held. Those
/// that are about `but` are left out.
pub(crate) fn counted(
    tx: &mut dyn Tx,
    place: &Place,
    (since, until): (Micros, Micros),
    but: &str,
) -> Result<Vec<(String, bool, i64)>, Fault> {
    let range = params![&place.team_id, &place.project_id, since, until, but];
    tx.all(COUNTED, range, |row| {
        Ok((row.string(0)?, row.flag(1)?, row.int(2)?))
    })
}
