//! Idempotency keys: the first answer to a request, replayed to its repetitions.
//!
//! The answer commits with the operation. A call that changes something in Stripe commits its key without an
//! answer first, and takes its turn as a row of `work`; a turn whose lease runs out (the process died) may
//! be taken over.

use billstack_core::time::{DAY, MINUTE};

use super::refusal::{Abort, Refusal};
use crate::seam::{Act, Fault, Tx};
use crate::tables::idempotency_keys;
use crate::tables::work::{self, Key, When};

pub use crate::tables::idempotency_keys::{Answer, Keyed, find};

/// The kind of work. It is due when nobody can want the turn any more.
pub const KIND: &str = "idempotent_call";

/// How long a turn lasts when nobody answers: longer than any call to Stripe may take.
const LEASE: i64 = 2 * MINUTE;

/// How long an unanswered turn is kept for a repetition of its request.
const GIVEN_UP_AFTER: i64 = DAY;

/// Whether the request is new.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Claim {
    /// It is ours to run.
    Ours,
    /// It was answered before.
    Answered(Answer),
}

/// What a key was used for before; `None` when it was not. A turn that has outlived its lease is taken
/// over.
pub fn look(tx: &mut dyn Tx, act: &mut Act, keyed: &Keyed) -> Result<Option<Claim>, Abort> {
    let Some(used) = idempotency_keys::hold(tx, keyed)? else {
        return Ok(None);
    };
    if used.request_hash != keyed.request_hash {
        return Err(Refusal::KeyReused.into());
    }
    if let Some(answer) = used.answer {
        return Ok(Some(Claim::Answered(answer)));
    }
    if take_turn(tx, act, keyed)? {
        return Ok(Some(Claim::Ours));
    }
    Err(Refusal::KeyInUse.into())
}

/// Keeps the answer under a key that was not used before.
///
/// It runs after the operation, so a refused one has written nothing. On PostgreSQL it waits for a request
/// under the same key that runs at the same moment; if that was first, this one is run again and finds its
/// answer.
pub fn record(tx: &mut dyn Tx, act: &Act, keyed: &Keyed, answer: &Answer) -> Result<(), Fault> {
    if idempotency_keys::insert(tx, keyed, Some(answer), act.real())? {
        return Ok(());
    }
    Err(Fault::Conflict("the key was used meanwhile".to_owned()))
}

/// Claims a key, or finds the answer under it. On PostgreSQL it waits for a request under the same key that
/// runs at the same moment.
pub fn claim(tx: &mut dyn Tx, act: &mut Act, keyed: &Keyed) -> Result<Claim, Abort> {
    if idempotency_keys::insert(tx, keyed, None, act.real())? && take_turn(tx, act, keyed)? {
        return Ok(Claim::Ours);
    }
    let found = look(tx, act, keyed)?;
    Ok(found.ok_or_else(|| Fault::Conflict("the key was released meanwhile".to_owned()))?)
}

/// Keeps the answer under a claimed key.
pub fn keep(tx: &mut dyn Tx, keyed: &Keyed, answer: &Answer) -> Result<(), Fault> {
    idempotency_keys::answer(tx, keyed, answer)?;
    work::done(tx, &key(keyed)).map(|_| ())
}

/// Gives a claim up, so that the request may be tried again.
pub fn release(tx: &mut dyn Tx, keyed: &Keyed) -> Result<(), Fault> {
    idempotency_keys::drop(tx, keyed)?;
    work::done(tx, &key(keyed)).map(|_| ())
}

fn take_turn(tx: &mut dyn Tx, act: &mut Act, keyed: &Keyed) -> Result<bool, Fault> {
    let (key, given_up) = (key(keyed), act.real().plus(GIVEN_UP_AFTER));
    work::enqueue(tx, act, &key, "{}", given_up)?;
    work::lease(tx, &key, act.real(), act.real().plus(LEASE), When::AnyTime)
}

fn key(keyed: &Keyed) -> Key {
    Key::of_team(
        &keyed.team_id,
        KIND,
        &format!("{} {}", keyed.caller, keyed.key),
    )
}
