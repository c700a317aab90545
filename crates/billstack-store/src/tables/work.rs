//! The one queue: whatever is to happen later is a row here, written by the transaction that causes it.
//!
//! Whoever works on a row holds a lease on it. A lease that runs out (the process died) may be taken over, so every
//! kind of work must bear to be done twice; `attempt` tells how often it was begun since it last went well.

pub(crate) mod due;

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::time::Micros;

use crate::seam::{Act, Fault, Lane, Place, Row, Tx};
use crate::{params, statements};

pub use due::due;
pub(crate) use due::{count_due, due_in_lane, due_in_team, next_in_lane, team_after, under_way};

statements! {
    ENQUEUE = "INSERT INTO work (team_id, project_id, kind, subject, facts, run_after, leased_until, \
        attempt, created_at) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7) ON CONFLICT DO NOTHING";
    /// Whoever puts in or takes out what a row is about does it while they hold the row, so that none is lost.
    HASTEN = "INSERT INTO work (team_id, project_id, kind, subject, facts, run_after, leased_until, \
        attempt, created_at) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7) \
        ON CONFLICT (team_id, project_id, kind, subject) DO UPDATE SET run_after = \
        CASE WHEN excluded.run_after < work.run_after THEN excluded.run_after ELSE work.run_after END";
    HASTEN_ALL = "UPDATE work SET run_after = $4 \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND lane = '' AND run_after > $4";
    HASTEN_IN_PROJECTS = "UPDATE work SET run_after = $3 WHERE team_id = $1 AND project_id IN \
        (SELECT p.project_id FROM projects AS p WHERE p.team_id = $1) AND kind = $2 AND lane = '' \
        AND run_after > $3";
    /// The lease of whoever took it until then, and of nobody else.
    EXTEND = "UPDATE work SET leased_until = $6 \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND subject = $4 AND leased_until = $5";
    PUT_BACK = "UPDATE work SET leased_until = 0, run_after = $6, last_error = $7, attempt = 0 \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND subject = $4 AND leased_until = $5";
    GET = "SELECT facts, attempt, leased_until, run_after FROM work \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND subject = $4";
    ENQUEUE_IN_LANE = "INSERT INTO work (team_id, project_id, kind, subject, lane, facts, run_after, leased_until, \
        attempt, created_at) VALUES ($1, $2, $3, $4, $5, '{}', $6, 0, 0, $7)";
    DONE_UNDER = "DELETE FROM work \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND subject = $4 AND leased_until = $5";
    GIVE_BACK_ALL = "UPDATE work SET leased_until = 0 WHERE kind = $1 AND leased_until > 0";
    LEASE = "UPDATE work SET leased_until = $5, attempt = attempt + 1 WHERE team_id = $1 \
        AND project_id = $2 AND kind = $3 AND subject = $4 AND leased_until <= $6 AND run_after <= $7";
    /// Without a reason nothing has failed, and the tries are counted anew.
    LATER = "UPDATE work SET leased_until = 0, facts = $5, run_after = $6, last_error = $7, \
        attempt = CASE WHEN CAST($7 AS TEXT) IS NULL THEN 0 ELSE attempt END \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND subject = $4";
    /// What is due already stays as it is: whoever works on it may look at the row.
    BRING_FORWARD = "UPDATE work SET run_after = CASE WHEN run_after - CAST($4 AS BIGINT) < $3 THEN $3 \
        ELSE run_after - CAST($4 AS BIGINT) END WHERE team_id = $1 AND project_id = $2 AND run_after > $3";
    SOONER = "UPDATE work SET run_after = $5 \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND subject = $4 AND run_after > $5";
    DONE = "DELETE FROM work \
        WHERE team_id = $1 AND project_id = $2 AND kind = $3 AND subject = $4";
}

/// What a row of work is about.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Key {
    /// The number of the team; 0 for work of the server itself.
    pub team: i64,
    /// The number of the project; 0 for work of a whole team.
    pub project: i64,
    /// What is to be done.
    pub kind: &'static str,
    /// What it is to be done to: unique in its place and kind.
    pub subject: String,
}

impl Key {
    /// Work in a project.
    pub fn new(team_id: &TeamId, project_id: &ProjectId, kind: &'static str, subject: &str) -> Key {
        Key {
            team: team_id.number(),
            project: project_id.number(),
            kind,
            subject: subject.to_owned(),
        }
    }

    /// Work of a team as a whole.
    pub fn of_team(team_id: &TeamId, kind: &'static str, subject: &str) -> Key {
        Key {
            team: team_id.number(),
            project: 0,
            kind,
            subject: subject.to_owned(),
        }
    }

    /// Work of the server itself.
    pub fn of_server(kind: &'static str, subject: &str) -> Key {
        Key {
            team: 0,
            project: 0,
            kind,
            subject: subject.to_owned(),
        }
    }
}

/// A row of work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Work {
    /// What it needs to know, a JSON object.
    pub facts: String,
    /// How often it was begun since it last went well, this time included once it is leased.
    pub attempt: i64,
    /// Until when somebody works on it.
    pub leased_until: Micros,
}

fn decode(row: &dyn Row) -> Result<Work, Fault> {
    Ok(Work {
        facts: row.string(0)?,
        attempt: row.int(1)?,
        leased_until: row.time(2)?,
    })
}

/// Adds a row, due from `run_after` on; tells whether there was none of its key.
///
/// What waits in a project waits by its clock, but `run_after` is kept by the time of day, so that nobody who looks
/// for what is due need know of clocks. Whoever moves a clock brings forward what waits; see `bring_forward`.
pub fn enqueue(
    tx: &mut dyn Tx,
    act: &mut Act,
    key: &Key,
    facts: &str,
    run_after: Micros,
) -> Result<bool, Fault> {
    let (run_after, now) = match key.project {
        0 => (run_after, act.real()),
        _ => (run_after.plus(-act.ahead()), act.real()),
    };
    let row = params![
        key.team,
        key.project,
        key.kind,
        &key.subject,
        facts,
        run_after,
        now,
    ];
    act.has_enqueued |= run_after <= now;
    tx.hit(ENQUEUE, row)
}

/// Sees to it that there is a row, due from `run_after` on at the latest, by the time of day.
pub(crate) fn hasten(
    tx: &mut dyn Tx,
    act: &mut Act,
    key: &Key,
    facts: &str,
    run_after: Micros,
) -> Result<(), Fault> {
    let row = params![
        key.team,
        key.project,
        key.kind,
        &key.subject,
        facts,
        run_after,
        act.real(),
    ];
    act.has_enqueued |= run_after <= act.real();
    tx.must(HASTEN, row)
}

/// Makes all work of a kind that a team has as a whole due at once.
pub(crate) fn hasten_all(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    kind: &'static str,
) -> Result<(), Fault> {
    let changed = tx.execute(HASTEN_ALL, params![team_id, 0_i64, kind, act.real()])?;
    act.has_enqueued |= changed > 0;
    Ok(())
}

/// Makes all work of a kind in the projects of a team due at once.
pub(crate) fn hasten_in_projects(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    kind: &'static str,
) -> Result<(), Fault> {
    let changed = tx.execute(HASTEN_IN_PROJECTS, params![team_id, kind, act.real()])?;
    act.has_enqueued |= changed > 0;
    Ok(())
}

/// Keeps a lease for longer; tells whether it was still the one that ends at `from`.
pub(crate) fn extend(
    tx: &mut dyn Tx,
    key: &Key,
    from: Micros,
    until: Micros,
) -> Result<bool, Fault> {
    let row = params![key.team, key.project, key.kind, &key.subject, from, until];
    tx.hit(EXTEND, row)
}

/// Gives the lease up that ends at `held`, with the time from which the work is due again; tells whether it was
/// still held.
pub(crate) fn put_back(
    tx: &mut dyn Tx,
    key: &Key,
    held: Micros,
    run_after: Micros,
    why: Option<&str>,
) -> Result<bool, Fault> {
    let row = params![
        key.team,
        key.project,
        key.kind,
        &key.subject,
        held,
        run_after,
        why
    ];
    tx.hit(PUT_BACK, row)
}

/// The row of this key.
pub fn get(tx: &mut dyn Tx, key: &Key) -> Result<Option<Work>, Fault> {
    tx.one(
        GET,
        params![key.team, key.project, key.kind, &key.subject],
        decode,
    )
}

/// Whether a row must be due to be leased.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    /// A worker takes what is due.
    Due,
    /// A call that has its own reason to do the work takes it at any time.
    AnyTime,
}

/// Leases a row until a time; tells whether it was there and nobody held it. Of several who try at once
/// one succeeds, because the update decides.
pub(crate) fn lease(
    tx: &mut dyn Tx,
    key: &Key,
    now: Micros,
    until: Micros,
    when: When,
) -> Result<bool, Fault> {
    let due = match when {
        When::Due => now,
        When::AnyTime => Micros(i64::MAX),
    };
    let row = params![
        key.team,
        key.project,
        key.kind,
        &key.subject,
        until,
        now,
        due
    ];
    tx.hit(LEASE, row)
}

/// Gives a lease up: the work is due again from `run_after` on, with what is known of it by now. Tells
/// whether there was such a row.
pub fn later(
    tx: &mut dyn Tx,
    key: &Key,
    facts: &str,
    run_after: Micros,
    why: Option<&str>,
) -> Result<bool, Fault> {
    let row = params![
        key.team,
        key.project,
        key.kind,
        &key.subject,
        facts,
        run_after,
        why
    ];
    tx.hit(LATER, row)
}

/// Brings what waits in a project forward by so much, but not before `now`.
pub(crate) fn bring_forward(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    by: i64,
) -> Result<(), Fault> {
    let row = params![&place.team_id, &place.project_id, act.real(), by];
    act.has_enqueued |= tx.execute(BRING_FORWARD, row)? > 0;
    Ok(())
}

/// Makes a row due at a time of the day, if it would be later.
pub(crate) fn sooner(tx: &mut dyn Tx, key: &Key, run_after: Micros) -> Result<(), Fault> {
    let row = params![key.team, key.project, key.kind, &key.subject, run_after];
    tx.execute(SOONER, row).map(drop)
}

/// Removes a row whose work is done; tells whether there was one.
pub fn done(tx: &mut dyn Tx, key: &Key) -> Result<bool, Fault> {
    tx.hit(DONE, params![key.team, key.project, key.kind, &key.subject])
}

/// Adds a row to a lane, due from `run_after` on by the time of day. Its subject is a new id, so there is none yet;
/// told later if there is.
pub(crate) fn enqueue_in_lane(
    tx: &mut dyn Tx,
    act: &mut Act,
    kind: &'static str,
    lane: &Lane,
    subject: &str,
    run_after: Micros,
) -> Result<(), Fault> {
    let id = &lane.endpoint_id;
    let row = params![
        lane.team,
        lane.project,
        kind,
        subject,
        id,
        run_after,
        act.real()
    ];
    tx.must_later(ENQUEUE_IN_LANE, row)?;
    if run_after <= act.real() {
        act.fill(lane.clone());
    }
    Ok(())
}

/// Removes a row whose work is done under the lease that ends at `held`; tells whether it was still held.
pub(crate) fn done_under(tx: &mut dyn Tx, key: &Key, held: Micros) -> Result<bool, Fault> {
    let row = params![key.team, key.project, key.kind, &key.subject, held];
    tx.hit(DONE_UNDER, row)
}

/// Gives all leases of a kind up, where nobody but the caller can have any. Returns how many there were.
pub(crate) fn give_back_all(tx: &mut dyn Tx, kind: &'static str) -> Result<u64, Fault> {
    tx.execute(GIVE_BACK_ALL, params![kind])
}
