//! Idempotency keys, and the first answer to a request under each.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    /// Locked, because storing the answer ends the turn: a call that waits for the turn would otherwise take
    /// it again.
    HOLD = "SELECT request_hash, status, body FROM idempotency_keys \
        WHERE team_id = $1 AND caller = $2 AND idempotency_key = $3 /* FOR SHARE */";
    FIND = "SELECT body FROM idempotency_keys \
        WHERE team_id = $1 AND caller = $2 AND idempotency_key = $3 AND body IS NOT NULL";
    /// Without an answer, which a call to Stripe will give.
    INSERT = "INSERT INTO idempotency_keys (team_id, caller, idempotency_key, request_hash, \
        created_at, status, body, customer_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT DO NOTHING";
    ANSWER = "UPDATE idempotency_keys SET status = $4, body = $5, customer_id = $6 \
        WHERE team_id = $1 AND caller = $2 AND idempotency_key = $3 AND status IS NULL";
    DROP = "DELETE FROM idempotency_keys WHERE team_id = $1 AND caller = $2 \
        AND idempotency_key = $3 AND status IS NULL";
    DROP_OF_CUSTOMER = "DELETE FROM idempotency_keys WHERE team_id = $1 AND customer_id = $2";
    DROP_OLD = "DELETE FROM idempotency_keys WHERE (team_id, caller, idempotency_key) IN (\
        SELECT team_id, caller, idempotency_key FROM idempotency_keys WHERE created_at < $1 \
        ORDER BY created_at LIMIT $2)";
}

/// A request under an Idempotency-Key.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// The team of the caller.
    pub team_id: TeamId,
    /// The API key or user, as [`crate::Actor::to_text`] writes it.
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

/// What a key has been used for.
pub(crate) struct Used {
    pub(crate) request_hash: String,
    /// `None` while the call that will give it is running.
    pub(crate) answer: Option<Answer>,
}

/// What a key has been used for, as it stays until the transaction ends; `None` when it has not.
pub(crate) fn hold(tx: &mut dyn Tx, keyed: &Keyed) -> Result<Option<Used>, Fault> {
    let scope = params![&keyed.team_id, &keyed.caller, &keyed.key];
    tx.one(HOLD, scope, |row| {
        let (status, body) = (row.opt_int(1)?, row.opt_string(2)?);
        let answer = match status.zip(body) {
            Some((status, body)) => Some(Answer {
                status: u16::try_from(status).map_err(|_| Fault::decode(1))?,
                body,
                customer_id: None,
            }),
            None => None,
        };
        let request_hash = row.string(0)?;
        Ok(Used {
            request_hash,
            answer,
        })
    })
}

/// The body of the answer under a key, for whoever only reads.
pub fn find(tx: &mut dyn Tx, keyed: &Keyed) -> Result<Option<String>, Fault> {
    let scope = params![&keyed.team_id, &keyed.caller, &keyed.key];
    tx.one(FIND, scope, |row| row.string(0))
}

/// Adds a key, with its answer when there is one; tells whether nobody was first.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    keyed: &Keyed,
    answer: Option<&Answer>,
    at: Micros,
) -> Result<bool, Fault> {
    let row = params![
        &keyed.team_id,
        &keyed.caller,
        &keyed.key,
        &keyed.request_hash,
        at,
        answer.map(|answer| i64::from(answer.status)),
        answer.map(|answer| answer.body.as_str()),
        answer.and_then(|answer| answer.customer_id.as_deref()),
    ];
    tx.hit(INSERT, row)
}

/// Keeps the answer under a key that has none.
pub(crate) fn answer(tx: &mut dyn Tx, keyed: &Keyed, answer: &Answer) -> Result<(), Fault> {
    let row = params![
        &keyed.team_id,
        &keyed.caller,
        &keyed.key,
        i64::from(answer.status),
        &answer.body,
        answer.customer_id.as_deref(),
    ];
    tx.must(ANSWER, row)
}

/// Removes a key that has no answer; tells whether there was one.
pub(crate) fn drop(tx: &mut dyn Tx, keyed: &Keyed) -> Result<bool, Fault> {
    tx.hit(DROP, params![&keyed.team_id, &keyed.caller, &keyed.key])
}

/// Removes the answers that hold personal data of a customer.
pub(crate) fn drop_of_customer(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<(), Fault> {
    let scope = params![&place.team_id, id];
    tx.execute(DROP_OF_CUSTOMER, scope).map(|_| ())
}

/// Removes keys first used before a time. Returns how many.
pub(crate) fn drop_old(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(DROP_OLD, params![before, limit])
}
