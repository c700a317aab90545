//! The lane of a customer of Stripe, as the worker that holds its lease goes along it: one operation after the
//! other, each step committed before and after its call.

pub mod balance;
mod conclude;
pub(in crate::operations) mod drift;
mod held;
mod reversal;
mod written;

use billstack_core::delivery::operation::Step;
use billstack_core::ids::TeamId;
use billstack_core::time::{MINUTE, Micros};

use super::credits::delivery::{LaneFacts, attention, hold_credit, keep};
use crate::operations::test_clock;
use crate::operations::work::Leased;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::stripe_balances;
use crate::tables::stripe_connections::{self, Connection};
use crate::tables::stripe_operations::{self, StripeOperation};
use crate::tables::work::{self, Key};

pub use conclude::{NotFound, Outcome, Told, Written, conclude};
pub use held::hold_on;
pub use reversal::{Decided, Payer, begin_reversal};

use balance::Reading;
use conclude::pause;

/// How often it is tried whether a pause is over.
const PROBE_EVERY: i64 = 15 * MINUTE;

/// A lane under a lease.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The team.
    pub team_id: TeamId,
    /// The customer of Stripe; empty for the team as a whole.
    pub stripe_customer_id: String,
    key: Key,
    /// Until when the lease is held, which is also what it is known by.
    until: Micros,
    /// For how long it is held each time.
    lease: i64,
}

/// What is to be done next.
#[derive(Clone, Debug)]
pub struct Job {
    /// The lane.
    pub lane: Lane,
    /// The operation.
    pub operation: StripeOperation,
    /// The connection of its team, which has a secret key.
    pub connection: Connection,
}

impl Lane {
    /// The lane of a leased row, whose lease is so long.
    ///
    /// # Errors
    /// When a hand has changed the facts.
    pub fn of(leased: &Leased, lease: i64) -> Result<Lane, Fault> {
        let facts: LaneFacts =
            serde_json::from_str(&leased.work.facts).map_err(|e| Fault::Defect(e.to_string()))?;
        Ok(Lane {
            team_id: TeamId::from(facts.team_id),
            stripe_customer_id: leased.key.subject.clone(),
            key: leased.key.clone(),
            until: leased.work.leased_until,
            lease,
        })
    }

    /// The lane with its lease begun anew; `None` when somebody else has taken it over.
    fn extended(&self, tx: &mut dyn Tx, now: Micros) -> Result<Option<Lane>, Fault> {
        // Never the same again, since the time is what the lease is known by.
        let until = now.plus(self.lease).max(self.until.plus(1));
        let lane = Lane {
            until,
            ..self.clone()
        };
        Ok(work::extend(tx, &self.key, self.until, until)?.then_some(lane))
    }

    fn rest(&self, tx: &mut dyn Tx, until: Micros, why: &str) -> Result<(), Fault> {
        work::put_back(tx, &self.key, self.until, until, Some(why)).map(|_| ())
    }

    /// Gives the lease up until something is due. The row is held before that is looked up, so that no operation is
    /// missed which is being written meanwhile.
    fn leave(&self, tx: &mut dyn Tx) -> Result<(), Fault> {
        let never = Micros(i64::MAX);
        if !work::put_back(tx, &self.key, self.until, never, None)? {
            return Ok(());
        }
        let (team_id, customer) = (&self.team_id, &self.stripe_customer_id);
        let balance = stripe_balances::get(tx, team_id, customer)?;
        let reading = balance.and_then(|balance| balance.due);
        let operation = stripe_operations::next_due(tx, team_id, customer)?;
        match reading.into_iter().chain(operation).min() {
            Some(due) => work::put_back(tx, &self.key, Micros(0), due, None)?,
            None => work::done(tx, &self.key)?,
        };
        Ok(())
    }
}

/// What a lane does next.
#[derive(Clone, Debug)]
pub enum Turn {
    /// The lines of its balance are read.
    Read(Box<Reading>),
    /// An operation goes on.
    Step(Box<Job>),
}

/// What is to be done next on a lane. With `None` nothing is, and the lease has been given up.
pub fn next(tx: &mut dyn Tx, act: &mut Act, lane: &Lane) -> Result<Option<Turn>, Fault> {
    let Some(lane) = lane.extended(tx, act.real())? else {
        return Ok(None);
    };
    let Some(connection) = usable_connection(tx, act, &lane)? else {
        return Ok(None);
    };
    if let Some(reading) = balance::due(tx, act, &lane, &connection)? {
        return Ok(Some(Turn::Read(Box::new(reading))));
    }
    let now = act.real();
    let found = stripe_operations::next(tx, &lane.team_id, &lane.stripe_customer_id, now)?;
    let Some(mut operation) = found else {
        lane.leave(tx)?;
        return Ok(None);
    };
    let place = Place::new(lane.team_id.clone(), operation.project_id.clone());
    test_clock::enter(tx, act, &place)?;
    operation.progress.due = operation.progress.due.plus(act.ahead());
    let before = operation.progress.clone();
    operation.progress.take_up(act.at);
    if operation.progress != before {
        let mut credit = hold_credit(tx, &place, &operation)?;
        keep(tx, act, &place, &mut operation, &mut credit)?;
        if !before.is_long_silent() {
            attention::tell_silence(tx, act, &place, &credit)?;
        }
    }
    if operation.progress.due > act.at {
        lane.leave(tx)?;
        return Ok(None);
    }
    Ok(Some(Turn::Step(Box::new(Job {
        lane,
        operation,
        connection,
    }))))
}

/// What is to be read before a reversal: what is new of the balance.
pub fn read_first(tx: &mut dyn Tx, job: &Job) -> Result<Option<Reading>, Fault> {
    balance::reading(tx, &job.lane, &job.connection)
}

/// The connection of the team, if it may be used now; otherwise the lane rests until it may be tried.
fn usable_connection(tx: &mut dyn Tx, act: &Act, lane: &Lane) -> Result<Option<Connection>, Fault> {
    let next_probe = act.real().plus(PROBE_EVERY);
    let found = stripe_connections::get(tx, &lane.team_id)?;
    let usable = |found: &Connection| found.is_active && found.secret_key.is_some();
    let Some(connection) = found.filter(usable) else {
        lane.rest(
            tx,
            next_probe,
            "the team has no secret key of Stripe connected",
        )?;
        return Ok(None);
    };
    let Some(paused) = &connection.pause else {
        return Ok(Some(connection));
    };
    if paused.until > act.real() {
        lane.rest(tx, paused.until, paused.reason.as_str())?;
        return Ok(None);
    }
    if !stripe_connections::try_again(tx, &lane.team_id, paused, next_probe)? {
        lane.rest(tx, next_probe, paused.reason.as_str())?;
        return Ok(None);
    }
    Ok(Some(connection))
}

/// Writes down that a call is about to be made. With `None` it must not be: somebody else has taken the lane over
/// or changed the operation.
pub fn begin(tx: &mut dyn Tx, act: &mut Act, job: &Job) -> Result<Option<Job>, Fault> {
    let Some(lane) = job.lane.extended(tx, act.real())? else {
        return Ok(None);
    };
    let mut job = Job {
        lane,
        ..job.clone()
    };
    let place = job.place();
    test_clock::enter(tx, act, &place)?;
    let mut credit = hold_credit(tx, &place, &job.operation)?;
    if !is_unchanged(tx, &job)? {
        job.lane.leave(tx)?;
        return Ok(None);
    }
    // A key may have become too old since the job was taken.
    job.operation.progress.take_up(act.at);
    if job.operation.progress.step != Step::Call {
        job.lane.leave(tx)?;
        return Ok(None);
    }
    job.operation.progress.begin(act.at, act.real());
    keep(tx, act, &place, &mut job.operation, &mut credit)?;
    Ok(Some(job))
}

impl Job {
    /// Where the credit of its operation is.
    pub fn place(&self) -> Place {
        Place::new(self.lane.team_id.clone(), self.operation.project_id.clone())
    }
}

fn is_unchanged(tx: &mut dyn Tx, job: &Job) -> Result<bool, Fault> {
    let now = stripe_operations::get(tx, &job.lane.team_id, &job.operation.id)?;
    Ok(now.is_some_and(|now| now.version == job.operation.version))
}
