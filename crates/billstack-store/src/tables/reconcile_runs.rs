//! Runs that compare our books with Stripe's: who asked for one, how far it has come, how much it found.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::reconcile::walk::{Stage, Walk};
use billstack_core::reconcile::{Parts, Remedy, RunStatus};
use billstack_core::time::Micros;

use super::projects::project_of;
use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

/// How many lines of a run are kept; what it finds beyond is counted.
pub(crate) const MOST_LINES: i64 = 10_000;

/// SQL for the columns of a run.
macro_rules! run {
    () => {
        concat!(
            "SELECT id, ",
            project_of!("reconcile_runs"),
            ", remedy, is_whole, status, reason, events_wish, events_since, events_at, events_until, \
             events_width, done, total, found, repaired, created_at, ended_at, stage, slots, after, looked, asked FROM reconcile_runs "
        )
    };
}

statements! {
    INSERT = "INSERT INTO reconcile_runs (team_id, id, project_id, remedy, is_whole, status, events_wish, \
        stage, slots, after, looked, asked, done, total, found, repaired, created_at) \
        VALUES ($1, $2, $3, $4, $5, 'queued', $6, $8, $9, $10, $11, $12, 0, 0, 0, 0, $7)";
    GET = concat!(run!(), "WHERE team_id = $1 AND id = $2");
    /// There are few: who asks for what waits already gets that one.
    QUEUED = concat!(run!(), "WHERE team_id = $1 AND status = 'queued' ORDER BY id LIMIT 100");
    RUNNING = "SELECT id FROM reconcile_runs WHERE team_id = $1 AND status = 'running'";
    BEGIN = "UPDATE reconcile_runs SET status = 'running', events_since = $3, events_at = $3, events_until = $4, \
        events_width = $5, total = $6 WHERE team_id = $1 AND id = $2 AND status = 'queued'";
    MOVE = "UPDATE reconcile_runs SET events_at = $3, events_width = $4, done = total - $5 \
        WHERE team_id = $1 AND id = $2 AND status = 'running'";
    /// What is known to be left is a part of the whole. Whoever moves a run on names how far they saw it.
    WALK = "UPDATE reconcile_runs SET done = done + $6 + $11 - looked - asked, \
        total = done + $6 + $11 - looked - asked + $7, stage = $3, slots = $4, after = $5, looked = $6, asked = $11 \
        WHERE team_id = $1 AND id = $2 AND status = 'running' AND stage = $8 AND slots = $9 AND after = $10";
    COUNT = "UPDATE reconcile_runs SET found = found + 1, \
        repaired = repaired + CASE WHEN CAST($3 AS BOOLEAN) THEN 1 ELSE 0 END \
        WHERE team_id = $1 AND id = $2 AND status = 'running'";
    FOUND = "SELECT found FROM reconcile_runs WHERE team_id = $1 AND id = $2";
    /// The last that is over. Ids grow with time.
    LAST_OVER = concat!(run!(), "WHERE team_id = $1 AND ended_at IS NOT NULL ORDER BY id DESC LIMIT 1");
    END = "UPDATE reconcile_runs SET status = $3, reason = $4, caught_up_to = $5, ended_at = $6 \
        WHERE team_id = $1 AND id = $2 AND ended_at IS NULL";
    CAUGHT_UP_TO = "SELECT MAX(caught_up_to) FROM reconcile_runs WHERE team_id = $1";
    FORGET = "DELETE FROM reconcile_runs WHERE team_id = $1 AND ended_at < $2";
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `run_…`.
    pub id: String,
    /// The project whose API asked for it.
    pub project_id: Option<ProjectId>,
    /// What it may do about what it finds.
    pub remedy: Remedy,
    /// Whether it looks at all customers, and not at a sample.
    pub is_whole: bool,
    /// How far it has come.
    pub status: RunStatus,
    /// Why it could not look.
    pub reason: Option<String>,
    /// From when on events were asked for.
    pub events_wish: Option<Micros>,
    /// From when on they are looked for, once it has begun.
    pub events_since: Option<Micros>,
    /// What is left to look through for events, once it has begun.
    pub events: Option<Parts>,
    /// How far it has come with payments and balances.
    pub walk: Walk,
    /// How much of it is done, of `total`.
    pub done: i64,
    /// How much there is to do, as far as that is known.
    pub total: i64,
    /// How many differences it found.
    pub found: i64,
    /// How many of those it repaired.
    pub repaired: i64,
    /// When it was asked for.
    pub created_at: Micros,
    /// When it was over.
    pub ended_at: Option<Micros>,
}

fn decode(row: &dyn Row) -> Result<Run, Fault> {
    let (at, until, width) = (row.opt_time(8)?, row.opt_time(9)?, row.opt_int(10)?);
    let events = at.zip(until).zip(width);
    Ok(Run {
        id: row.string(0)?,
        project_id: row.opt_project_id(1)?,
        remedy: row.read(2, Remedy::read)?,
        is_whole: row.flag(3)?,
        status: row.read(4, RunStatus::read)?,
        reason: row.opt_string(5)?,
        events_wish: row.opt_time(6)?,
        events_since: row.opt_time(7)?,
        events: events.map(|((at, until), width)| Parts { at, until, width }),
        done: row.int(11)?,
        total: row.int(12)?,
        found: row.int(13)?,
        repaired: row.int(14)?,
        created_at: row.time(15)?,
        ended_at: row.opt_time(16)?,
        walk: Walk {
            stage: row.read(17, Stage::read)?,
            slots: row.int(18)?,
            after: row.string(19)?,
            looked: row.int(20)?,
            asked: row.int(21)?,
        },
    })
}

/// What a run is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// The project whose API asks.
    pub project_id: Option<ProjectId>,
    /// What it may do about what it finds.
    pub remedy: Remedy,
    /// Whether it looks at all customers, and not at a sample.
    pub is_whole: bool,
    /// From when on it looks for events, if not since it did last.
    pub since: Option<Micros>,
}

/// Keeps a run that has not begun.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    wish: &Wish,
    at: Micros,
) -> Result<(), Fault> {
    let walk = Walk::begin();
    let row = params![
        team_id,
        id,
        wish.project_id.as_ref(),
        wish.remedy.as_str(),
        wish.is_whole,
        wish.since,
        at,
        walk.stage.as_str(),
        walk.slots,
        &walk.after,
        walk.looked,
        walk.asked,
    ];
    tx.must(INSERT, row)
}

/// The run with this id.
pub(crate) fn get(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<Run>, Fault> {
    tx.one(GET, params![team_id, id], decode)
}

/// The runs of a team that have not begun.
pub(crate) fn queued(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Vec<Run>, Fault> {
    tx.all(QUEUED, params![team_id], decode)
}

/// The run of the team that is under way.
pub(crate) fn running(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<String>, Fault> {
    tx.one(RUNNING, params![team_id], |row| row.string(0))
}

/// Begins a run; tells whether it had not begun yet.
pub(crate) fn begin(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    events: &Parts,
) -> Result<bool, Fault> {
    let row = params![
        team_id,
        id,
        events.at,
        events.until,
        events.width,
        events.hours_left()
    ];
    tx.hit(BEGIN, row)
}

/// Keeps how far a run has looked through the events; tells whether it is under way.
pub(crate) fn advance(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    events: &Parts,
) -> Result<bool, Fault> {
    let row = params![team_id, id, events.at, events.width, events.hours_left()];
    tx.hit(MOVE, row)
}

/// Keeps how far a run has come from where it was, and how much more it knows of; tells whether it is under
/// way and was there.
pub(crate) fn walk(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    (from, to): (&Walk, &Walk),
    left: i64,
) -> Result<bool, Fault> {
    let row = params![
        team_id,
        id,
        to.stage.as_str(),
        to.slots,
        &to.after,
        to.looked,
        left,
        from.stage.as_str(),
        from.slots,
        &from.after,
        to.asked,
    ];
    tx.hit(WALK, row)
}

/// Counts a difference, and returns how many there are by now; `None` when the run is not under way.
pub(crate) fn count(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    is_repaired: bool,
) -> Result<Option<i64>, Fault> {
    if !tx.hit(COUNT, params![team_id, id, is_repaired])? {
        return Ok(None);
    }
    tx.one(FOUND, params![team_id, id], |row| row.int(0))
}

/// Ends a run; tells whether it was not over yet.
pub(crate) fn end(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    how: (RunStatus, Option<&str>),
    caught_up_to: Option<Micros>,
    at: Micros,
) -> Result<bool, Fault> {
    let (status, reason) = how;
    let row = params![team_id, id, status.as_str(), reason, caught_up_to, at];
    tx.hit(END, row)
}

/// The last run of a team that is over.
pub(crate) fn last_over(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<Run>, Fault> {
    tx.one(LAST_OVER, params![team_id], decode)
}

/// Until when no event of the team is missed any more.
pub(crate) fn caught_up_to(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<Micros>, Fault> {
    let newest = tx.one(CAUGHT_UP_TO, params![team_id], |row| row.opt_int(0))?;
    Ok(newest.flatten().map(Micros))
}

/// Forgets the runs of a team that were over before a time; their lines go first.
pub(crate) fn forget(tx: &mut dyn Tx, team_id: &TeamId, before: Micros) -> Result<(), Fault> {
    tx.execute(FORGET, params![team_id, before]).map(|_| ())
}
