//! Runs that compare our books with Stripe's: asked for, taken in turn, carried on by whoever holds the lease.
//!
//! How far a run has come is kept with what it found in the same transaction, so that a node that takes it over
//! neither looks twice nor tells twice. Times here are times of day: they are compared with Stripe's.

pub mod balances;
pub mod payments;
pub mod unlinked;

use billstack_core::attribution::Outcome;
use billstack_core::ids::{IdKind, TeamId};
use billstack_core::reconcile::{self, Parts, Remedy, RunStatus};
use billstack_core::time::{DAY, Micros};
use serde::{Deserialize, Serialize};

use super::intake::{self, Incoming, Intake};
use super::payments::asking;
use super::refusal::{Abort, Refusal, Thing};
use super::work::{self, Key, Work};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::reconcile_runs::MOST_LINES;
use crate::tables::stripe_connections::{self, Connection};
use crate::tables::{reconcile_lines, reconcile_runs, stripe_events};

pub use crate::tables::reconcile_lines::Line;
pub use crate::tables::reconcile_runs::{Run, Wish};

/// The kind of work that carries a run on; its subjects are ids of runs.
pub const KIND: &str = "reconcile";

/// The kind of work that asks for a run of a team each day.
pub const DAILY: &str = "reconcile_daily";

/// How often that is.
pub const EVERY: i64 = DAY;

/// For how long a run that is over is kept.
const KEPT: i64 = 90 * DAY;

/// The name that those who begin a run of a team share.
const NAME: &str = "reconcile";

/// What the work knows besides the run.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunFacts {
    team_id: String,
}

/// The row of the queue that carries a run on.
pub fn key_of(team_id: &TeamId, run_id: &str) -> Key {
    Key::of_team(team_id, KIND, run_id)
}

/// The team of a run.
///
/// # Errors
/// When a hand has changed the facts.
pub fn team_of_run(work: &Work) -> Result<TeamId, Fault> {
    let facts: RunFacts =
        serde_json::from_str(&work.facts).map_err(|e| Fault::Defect(e.to_string()))?;
    Ok(TeamId::from(facts.team_id))
}

/// The team that work of [`DAILY`] is about.
pub fn team_of_day(key: &Key) -> TeamId {
    TeamId::from(key.subject.as_str())
}

/// Has a run made each day from tomorrow on.
pub(super) fn every_day(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId) -> Result<(), Fault> {
    let key = Key::of_team(team_id, DAILY, team_id.as_str());
    let tomorrow = act.real().plus(EVERY);
    work::enqueue(tx, act, &key, "{}", tomorrow).map(|_| ())
}

/// Asks for a run of a team, and returns it. Whoever asks for what waits already gets that one.
pub fn ask(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId, wish: &Wish) -> Result<Run, Abort> {
    if !stripe_connections::has_secret_key(tx, team_id)? {
        return Err(Refusal::NoSecretKey.into());
    }
    let waiting = reconcile_runs::queued(tx, team_id)?;
    if let Some(same) = waiting.into_iter().find(|run| is_asked_by(run, wish)) {
        return Ok(same);
    }
    forget(tx, act, team_id)?;
    let (id, now) = (act.id(IdKind::ReconcileRun), act.real());
    reconcile_runs::insert(tx, team_id, &id, wish, now)?;
    let facts = RunFacts {
        team_id: team_id.to_string(),
    };
    let facts = serde_json::to_string(&facts).map_err(|e| Fault::Defect(e.to_string()))?;
    work::enqueue(tx, act, &key_of(team_id, &id), &facts, now)?;
    must_be_there(tx, team_id, &id)
}

fn is_asked_by(run: &Run, wish: &Wish) -> bool {
    run.project_id == wish.project_id
        && run.remedy == wish.remedy
        && run.is_whole == wish.is_whole
        && run.events_wish == wish.since
}

fn forget(tx: &mut dyn Tx, act: &Act, team_id: &TeamId) -> Result<(), Fault> {
    let before = act.real().plus(-KEPT);
    reconcile_lines::forget(tx, team_id, before)?;
    reconcile_runs::forget(tx, team_id, before)
}

fn must_be_there(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Run, Abort> {
    let run = reconcile_runs::get(tx, team_id, id)?;
    Ok(run.ok_or(Refusal::NotFound(Thing::Run))?)
}

/// A run of a team.
pub fn get(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Run, Abort> {
    must_be_there(tx, team_id, id)
}

/// A run that was asked for in a project.
pub fn get_in(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Run, Abort> {
    let run = must_be_there(tx, &place.team_id, id)?;
    match run.project_id.as_ref() == Some(&place.project_id) {
        true => Ok(run),
        false => Err(Refusal::NotFound(Thing::Run).into()),
    }
}

/// What a run has found so far, the first so many.
pub fn lines(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    run_id: &str,
    limit: i64,
) -> Result<Vec<Line>, Fault> {
    reconcile_lines::of_run(tx, team_id, run_id, limit)
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// That of the run: it is under way.
    Ours(Box<Run>),
    /// Another run of the team is under way.
    Another,
    /// It is over, or gone.
    Over,
}

/// Takes a run up: begins it if it has not begun and no other is under way.
pub fn take_up(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    run_id: &str,
) -> Result<Turn, Abort> {
    act.hold(tx, team_id, vec![NAME.to_owned()])?;
    let Some(run) = reconcile_runs::get(tx, team_id, run_id)? else {
        return Ok(Turn::Over);
    };
    match run.status {
        RunStatus::Running => return Ok(Turn::Ours(Box::new(run))),
        RunStatus::Queued => {}
        RunStatus::Done | RunStatus::Failed | RunStatus::Other(_) => return Ok(Turn::Over),
    }
    if reconcile_runs::running(tx, team_id)?.is_some() {
        return Ok(Turn::Another);
    }
    let events = events_for(tx, act, team_id, &run)?;
    reconcile_runs::begin(tx, team_id, run_id, &events)?;
    if run.remedy == Remedy::Repair {
        // What Stripe has answered by nothing is asked again when a person wants to know.
        work::hasten_all(tx, act, team_id, asking::KIND)?;
    }
    let run = must_be_there(tx, team_id, run_id)?;
    Ok(Turn::Ours(Box::new(run)))
}

/// The time that a run looks through for events.
fn events_for(tx: &mut dyn Tx, act: &Act, team_id: &TeamId, run: &Run) -> Result<Parts, Fault> {
    let now = act.real();
    let connection = stripe_connections::get(tx, team_id)?;
    let connected = connection.map_or(now, |connection| connection.connected_at);
    let looked_through = reconcile_runs::caught_up_to(tx, team_id)?;
    let since = reconcile::since(run.events_wish, looked_through, connected, now);
    Ok(Parts::of(since, reconcile::until(now)))
}

/// Which of these events were never taken in, or could not be read when they were.
pub fn missed(tx: &mut dyn Tx, team_id: &TeamId, event_ids: &[String]) -> Result<Vec<bool>, Fault> {
    let is_missed = |id: &String| {
        let outcome = stripe_events::outcome(tx, team_id, id)?;
        Ok(matches!(outcome, None | Some(Outcome::Failed)))
    };
    event_ids.iter().map(is_missed).collect()
}

/// Takes in an event that was missed, as if it had come by the connection just now, and tells of it.
pub fn feed(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    connection: &Connection,
    (run_id, line): (&str, &Line),
    event: &Incoming,
) -> Result<Intake, Abort> {
    let intake = intake::take_in(tx, act, team_id, connection, event)?;
    if let Intake::Settled(_) = intake {
        tell(tx, team_id, run_id, line)?;
    }
    Ok(intake)
}

/// Keeps how far a run has looked through the events, and what it found there.
pub fn advance(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    run_id: &str,
    events: &Parts,
    found: &[Line],
) -> Result<(), Fault> {
    for line in found {
        tell(tx, team_id, run_id, line)?;
    }
    // One that somebody has ended meanwhile goes no further.
    reconcile_runs::advance(tx, team_id, run_id, events).map(|_| ())
}

fn tell(tx: &mut dyn Tx, team_id: &TeamId, run_id: &str, line: &Line) -> Result<(), Fault> {
    let number = reconcile_runs::count(tx, team_id, run_id, line.is_repaired)?;
    match number {
        Some(number) if number <= MOST_LINES => {
            reconcile_lines::insert(tx, team_id, run_id, number, line)
        }
        _ => Ok(()),
    }
}

/// A run has looked at everything. Returns what has become of it.
pub fn complete(tx: &mut dyn Tx, act: &Act, team_id: &TeamId, run_id: &str) -> Result<Run, Abort> {
    let run = must_be_there(tx, team_id, run_id)?;
    reconcile_runs::walk(tx, team_id, run_id, (&run.walk, &run.walk), 0)?;
    let how = (RunStatus::Done, None);
    reconcile_runs::end(tx, team_id, run_id, how, caught_up_to(&run), act.real())?;
    Ok(run)
}

/// Until when a run that ends leaves no event missed.
fn caught_up_to(run: &Run) -> Option<Micros> {
    // What was only told of is looked for again, and a wish says nothing about the time before it.
    let nothing_left = run.remedy.feeds() || run.found == 0;
    let is_through = |events: &Parts| events.end().is_none();
    let looked = run.events.filter(is_through);
    let looked = looked.filter(|_| nothing_left && run.events_wish.is_none());
    looked.map(|events| events.until)
}

/// A run cannot go on.
pub fn give_up(
    tx: &mut dyn Tx,
    act: &Act,
    team_id: &TeamId,
    run_id: &str,
    why: &str,
) -> Result<(), Fault> {
    // Whatever it could not look at behind the events, those are in.
    let run = reconcile_runs::get(tx, team_id, run_id)?;
    let looked = run.as_ref().and_then(caught_up_to);
    let how = (RunStatus::Failed, Some(why));
    reconcile_runs::end(tx, team_id, run_id, how, looked, act.real()).map(|_| ())
}

/// Leases the work of a run, or of the one before it that is under way, for whoever carries it on beside the workers.
/// `None` while somebody else does.
pub fn lease(
    tx: &mut dyn Tx,
    act: &Act,
    team_id: &TeamId,
    run_id: &str,
    until: Micros,
) -> Result<Option<work::Leased>, Fault> {
    let first = reconcile_runs::running(tx, team_id)?;
    let key = key_of(team_id, first.as_deref().unwrap_or(run_id));
    work::claim_one(tx, act, key, until)
}

/// The teams that can be compared: connected with a secret key.
pub fn teams(tx: &mut dyn Tx) -> Result<Vec<TeamId>, Fault> {
    let active = stripe_connections::active(tx)?.into_iter();
    let with_key = active.filter(|(_, connection)| connection.secret_key.is_some());
    Ok(with_key.map(|(team_id, _)| team_id).collect())
}
