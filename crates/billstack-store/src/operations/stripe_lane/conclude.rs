//! What a step of an operation found out, and how it is kept.

use billstack_core::delivery::answer::Answer;
use billstack_core::delivery::customer::Customer;
use billstack_core::delivery::look::Look;
use billstack_core::delivery::operation::Effect;
use billstack_core::delivery::{Kind, Pause, Reason, State};
use billstack_core::ids::TeamId;
use billstack_core::ledger::Cause;
use billstack_core::time::Micros;

use super::reversal::hold_credit_still;
use super::written::deliver;
use super::{Job, PROBE_EVERY, is_unchanged};
use crate::operations::credits::delivery::{KIND, attention, keep};
use crate::operations::payments;
use crate::operations::test_clock;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::Credit;
use crate::tables::stripe_connections::{self, Connection, Paused};
use crate::tables::stripe_operations::StripeOperation;
use crate::tables::work;

/// A line of a balance.
#[derive(Clone, Debug)]
pub struct Written {
    /// `cbtxn_…`.
    pub id: String,
    /// When Stripe wrote it.
    pub created: Micros,
    /// The balance after it; below zero the customer has credit.
    pub ending_balance: i64,
}

/// What a step found out.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The line was written.
    Written(Written),
    /// The line was not written, as far as the answer tells.
    Answered(Answer),
    /// The line was looked for and found.
    Found(Written),
    /// It was looked for, and not found as it should be.
    Looked(NotFound),
    /// Something had to be read first, and could not be.
    Unread(Answer),
    /// What Stripe says of a customer whom a call did not find.
    Customer(Customer),
    /// The customer cannot be given the credit.
    Unfit(Reason),
}

/// What was found in place of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// Its line, with another amount or currency.
    AmountDiffers,
    /// One like it that nobody accounts for.
    PossibleDuplicate,
    /// None.
    Absent,
}

/// An outcome with what Stripe said, and what chance and settings add.
#[derive(Clone, Debug)]
pub struct Told {
    /// The outcome.
    pub outcome: Outcome,
    /// What Stripe said when it refused.
    pub refusal: Option<String>,
    /// The permission that it named.
    pub lacks: Option<String>,
    /// Any number.
    pub chance: u64,
    /// How long after its last try a key is given up, in microseconds.
    pub unknown_wait: i64,
}

/// Keeps what a step found out. With `None` the lane is somebody else's by now.
pub fn conclude(
    tx: &mut dyn Tx,
    act: &mut Act,
    job: &Job,
    told: &Told,
) -> Result<(Option<Job>, Effect), Fault> {
    let lane = job.lane.extended(tx, act.real())?;
    let mut job = job.clone();
    let place = job.place();
    test_clock::enter(tx, act, &place)?;
    let mut credit = hold_credit_still(tx, &place, &job.operation)?;
    // Whoever took it over has begun by changing it, and makes the same call or looks.
    if !is_unchanged(tx, &job)? {
        if let Some(lane) = &lane {
            lane.leave(tx)?;
        }
        return Ok((None, Effect::None));
    }
    let effect = apply(tx, act, &place, &mut job.operation, &mut credit, told)?;
    follow(tx, act, &job, told, effect)?;
    let waits_for_lines =
        job.operation.kind == Kind::PutBack && job.operation.cause.cause != Cause::User;
    if !job.operation.progress.is_open() && !waits_for_lines {
        // What was told of the payment meanwhile has waited for this.
        payments::again(tx, act, &place, &credit.id)?;
    }
    let job = lane.map(|lane| Job { lane, ..job });
    Ok((job, effect))
}

fn apply(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &mut StripeOperation,
    credit: &mut Credit,
    told: &Told,
) -> Result<Effect, Fault> {
    let is_told_of_silence = operation.progress.is_long_silent();
    let (now, progress) = (act.at, &mut operation.progress);
    operation.refusal.clone_from(&told.refusal);
    let effect = match &told.outcome {
        Outcome::Written(line) => {
            progress.heard(Answer::Written, now, told.chance);
            deliver(tx, act, place, operation, credit, line)?;
            return Ok(Effect::None);
        }
        Outcome::Found(line) => {
            progress.looked(&Look::Adopt(&line.id), now, told.unknown_wait);
            deliver(tx, act, place, operation, credit, line)?;
            return Ok(Effect::None);
        }
        Outcome::Answered(answer) => progress.heard(*answer, now, told.chance),
        Outcome::Looked(found) => {
            let look = match found {
                NotFound::AmountDiffers => Look::AmountDiffers(""),
                NotFound::PossibleDuplicate => Look::PossibleDuplicate(""),
                NotFound::Absent => Look::Absent,
            };
            progress.looked(&look, now, told.unknown_wait);
            Effect::None
        }
        Outcome::Unread(answer) => progress.look_failed(*answer, now, told.chance),
        Outcome::Customer(customer) => {
            progress.customer_is(customer);
            Effect::None
        }
        Outcome::Unfit(reason) => {
            progress.attend(*reason);
            Effect::None
        }
    };
    keep(tx, act, place, operation, credit)?;
    if !is_told_of_silence {
        attention::tell_silence(tx, act, place, credit)?;
    }
    Ok(effect)
}

/// Does what an outcome means for the whole team.
fn follow(
    tx: &mut dyn Tx,
    act: &mut Act,
    job: &Job,
    told: &Told,
    effect: Effect,
) -> Result<(), Fault> {
    let team_id = &job.lane.team_id;
    if let Effect::Pause(reason) = effect {
        let lacks = told.lacks.as_deref();
        return pause(tx, act, team_id, &job.connection, reason, lacks);
    }
    let key_does = job.operation.progress.state == State::Delivered
        || matches!(told.outcome, Outcome::Answered(Answer::Refused { .. }));
    if key_does && job.connection.pause.is_some() && stripe_connections::resume(tx, team_id)? {
        work::hasten_all(tx, act, team_id, KIND)?;
    }
    Ok(())
}

/// Calls nothing of a team any more until its key is tried again.
pub(super) fn pause(
    tx: &mut dyn Tx,
    act: &Act,
    team_id: &TeamId,
    connection: &Connection,
    reason: Pause,
    lacks: Option<&str>,
) -> Result<(), Fault> {
    let lacks = lacks.filter(|_| reason == Pause::PermissionMissing);
    let paused = Paused {
        reason,
        lacks: lacks.map(str::to_owned),
        until: act.real().plus(PROBE_EVERY),
    };
    stripe_connections::pause(tx, team_id, connection, &paused).map(drop)
}
