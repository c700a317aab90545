//! Idempotency keys: the first answer to a request, replayed to its repetitions.
//!
//! The row commits with the operation. A call that changes something in Stripe commits a claim first;
//! a claim that outlives its time (the process died) may be taken over.

use billstack_core::ids::TeamId;

use crate::act::Act;
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Tx};
use crate::{params, statements};

statements! {
    CLAIM = "INSERT INTO idempotency_keys (team_id, caller, idempotency_key, request_hash, \
        claimed_until, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    GET = "SELECT request_hash, status, body, claimed_until FROM idempotency_keys \
        WHERE team_id = $1 AND caller = $2 AND idempotency_key = $3";
    TAKE_OVER = "UPDATE idempotency_keys SET claimed_until = $4 WHERE team_id = $1 \
        AND caller = $2 AND idempotency_key = $3 AND status IS NULL AND claimed_until = $5";
    KEEP = "UPDATE idempotency_keys SET status = $4, body = $5, customer_id = $6 \
        WHERE team_id = $1 AND caller = $2 AND idempotency_key = $3 AND status IS NULL";
    RECORD = "INSERT INTO idempotency_keys (team_id, caller, idempotency_key, request_hash, \
        claimed_until, created_at, status, body, customer_id) \
        VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    RELEASE = "DELETE FROM idempotency_keys WHERE team_id = $1 AND caller = $2 \
        AND idempotency_key = $3 AND status IS NULL";
}

/// How long a claim holds when nobody answers: longer than any call to Stripe may take.
const CLAIM_LASTS: i64 = 120 * 1_000_000;

/// A request under an Idempotency-Key.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// The team of the caller.
    pub team_id: TeamId,
    /// The API key or user, as [`crate::act::Actor::to_text`] writes it.
    pub caller: String,
    /// The header's value.
    pub key: String,
    /// A hash of method, path and body.
    pub request_hash: String,
}

/// An answer as it was, or will be, sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The customer whose personal data the body holds; erased with them.
    pub customer_id: Option<String>,
}

/// Whether the request is new.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Claim {
    /// It is ours to run.
    Ours,
    /// It was answered before.
    Answered(Answer),
}

/// What a key was used for before; `None` when it was not. A claim that has outlived its time is taken
/// over.
pub fn look(tx: &mut dyn Tx, act: &Act, keyed: &Keyed) -> Result<Option<Claim>, Abort> {
    let (team_id, caller, key) = (&keyed.team_id, &keyed.caller, &keyed.key);
    let found = tx.one(GET, params![team_id, caller, key], |row| {
        let (hash, status, body) = (row.string(0)?, row.opt_int(1)?, row.opt_string(2)?);
        Ok((hash, status, body, row.int(3)?))
    })?;
    let Some((hash, status, body, claimed_until)) = found else {
        return Ok(None);
    };
    if hash != keyed.request_hash {
        return Err(Refusal::KeyReused.into());
    }
    if let (Some(status), Some(body)) = (status, body) {
        let status = u16::try_from(status).map_err(|_| Fault::decode(1))?;
        return Ok(Some(Claim::Answered(Answer {
            status,
            body,
            customer_id: None,
        })));
    }
    let until = act.at.plus(CLAIM_LASTS);
    let expired = claimed_until < act.at.0;
    if expired
        && tx.hit(
            TAKE_OVER,
            params![team_id, caller, key, until, claimed_until],
        )?
    {
        return Ok(Some(Claim::Ours));
    }
    Err(Refusal::KeyInUse.into())
}

/// Keeps the answer under a key that was not used before.
///
/// It comes after the operation: whatever refuses that has written nothing then. On PostgreSQL a request
/// under the same key that runs at the same moment is waited for; when it was first, this one is run
/// again, and finds its answer.
pub fn record(tx: &mut dyn Tx, act: &Act, keyed: &Keyed, answer: &Answer) -> Result<(), Fault> {
    let recorded = tx.hit(
        RECORD,
        params![
            &keyed.team_id,
            &keyed.caller,
            &keyed.key,
            &keyed.request_hash,
            act.at,
            i64::from(answer.status),
            &answer.body,
            answer.customer_id.as_deref(),
        ],
    )?;
    if recorded {
        return Ok(());
    }
    Err(Fault::Conflict("the key was used meanwhile".to_owned()))
}

/// Claims a key, or finds the answer under it. On PostgreSQL a request that runs at the same moment
/// is waited for.
pub fn claim(tx: &mut dyn Tx, act: &Act, keyed: &Keyed) -> Result<Claim, Abort> {
    let (team_id, caller, key) = (&keyed.team_id, &keyed.caller, &keyed.key);
    let until = act.at.plus(CLAIM_LASTS);
    let claim = params![team_id, caller, key, &keyed.request_hash, until, act.at];
    if tx.hit(CLAIM, claim)? {
        return Ok(Claim::Ours);
    }
    let found = look(tx, act, keyed)?;
    Ok(found.ok_or_else(|| Fault::Conflict("the key was released meanwhile".to_owned()))?)
}

/// Keeps the answer under a claimed key.
pub fn keep(tx: &mut dyn Tx, keyed: &Keyed, answer: &Answer) -> Result<(), Fault> {
    let (team_id, caller, key) = (&keyed.team_id, &keyed.caller, &keyed.key);
    let (status, customer_id) = (i64::from(answer.status), answer.customer_id.as_deref());
    tx.must(
        KEEP,
        params![team_id, caller, key, status, &answer.body, customer_id],
    )
}

/// Gives a claim up, so that the request may be tried again.
pub fn release(tx: &mut dyn Tx, keyed: &Keyed) -> Result<(), Fault> {
    tx.hit(RELEASE, params![&keyed.team_id, &keyed.caller, &keyed.key])
        .map(|_| ())
}
