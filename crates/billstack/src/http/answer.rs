//! How a write becomes an answer: checked, run, recorded under its Idempotency-Key, committed.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_store::Act;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::customers;
use billstack_store::idempotency::{self, Answer, Claim, Keyed};
use billstack_store::{Abort, Tx};
use serde::Serialize;

use crate::app::App;
use crate::error::ApiError;
use crate::http::access::Caller;

/// From how many bytes on an answer is worth a copy that takes no more room than it needs.
const LARGE: usize = 64 * 1024;

/// How often a write is tried with fresh ids when a code it made was taken.
const FRESH_IDS: usize = 3;

/// `200` with a JSON body.
pub fn ok(body: &impl Serialize) -> Answer {
    answer(StatusCode::OK, body)
}

/// `201` with a JSON body.
pub fn created(body: &impl Serialize) -> Answer {
    answer(StatusCode::CREATED, body)
}

/// An answer with a JSON body.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Answer {
    Answer {
        status: status.as_u16(),
        body: json(body),
        customer_id: None,
    }
}

/// The JSON of one of our own types.
///
/// # Panics
/// Never for them: they consist of texts, numbers and maps with texts as keys, which always serialise.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut json = serde_json::to_vec(value).expect("our own types serialise");
    trim(&mut json);
    String::from_utf8(json).expect("JSON is UTF-8")
}

/// Gives back the room that a large answer grew into in vain: it may wait for its client.
pub(crate) fn trim(json: &mut Vec<u8>) {
    if json.len() > LARGE {
        json.shrink_to_fit();
    }
}

/// A refusal as an answer that can be kept.
pub(crate) fn refusal_answer(error: &ApiError, customer_id: Option<String>) -> Answer {
    Answer {
        status: error.reason.status().as_u16(),
        body: error.body(),
        customer_id,
    }
}

/// Sends an answer.
pub fn send(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    send_json(status, answer.body)
}

/// Sends a body that is JSON already.
pub(crate) fn send_json(status: StatusCode, body: impl Into<Body>) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, json)], body.into()).into_response()
}

/// Sends an answer that was given before.
pub(crate) fn replay(answer: Answer) -> Response {
    let mut response = send(answer);
    let name = HeaderName::from_static("idempotency-replayed");
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static("true"));
    response
}

/// What came of a change.
pub(crate) enum Done<T> {
    /// It was made now. The answer is there already when it was kept under an Idempotency-Key.
    Fresh(T, Option<Answer>),
    /// An earlier request under the same Idempotency-Key made it.
    Replayed(Answer),
}

impl App {
    /// Runs a change for a caller and answers it. In one transaction: the caller's right is checked
    /// again, the Idempotency-Key is claimed, the operation runs, its answer is kept.
    pub async fn write_answer<T: Send + 'static>(
        &self,
        caller: &Caller,
        keyed: Option<Keyed>,
        op: impl Fn(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Clone + Send + 'static,
        answer: impl Fn(&T) -> Answer + Clone + Send + 'static,
    ) -> Result<Response, ApiError> {
        let kept = answer.clone();
        let done = self.change(caller, keyed.as_ref(), op, move |made| Some(kept(made)));
        match done.await {
            Ok(Done::Fresh(made, kept)) => Ok(send(kept.unwrap_or_else(|| answer(&made)))),
            Ok(Done::Replayed(answer)) => Ok(replay(answer)),
            Err(abort) => self.fail(caller, keyed, abort).await,
        }
    }

    /// The first half of [`App::write_answer`]: makes the change. Under an Idempotency-Key the answer is
    /// kept in the same transaction; `None` says that there is nothing to keep yet.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        caller: &Caller,
        keyed: Option<&Keyed>,
        op: impl Fn(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Clone + Send + 'static,
        answer: impl Fn(&T) -> Option<Answer> + Clone + Send + 'static,
    ) -> Result<Done<T>, Abort> {
        let mut tries = 0;
        loop {
            let (guard, key) = (caller.guard.clone(), keyed.cloned());
            let (op, answer) = (op.clone(), answer.clone());
            let origin = self.origin(caller.actor.clone(), &caller.request_id);
            let done = self.store.write(origin, move |tx, act| {
                guard.recheck(tx, act)?;
                run_keyed(tx, act, key.as_ref(), &op, &answer)
            });
            tries += 1;
            match done.await {
                Err(Abort::Refused(Refusal::CodeCollision)) if tries < FRESH_IDS => {}
                done => return done,
            }
        }
    }

    /// The other half where the change was not made.
    pub(crate) async fn fail(
        &self,
        caller: &Caller,
        keyed: Option<Keyed>,
        abort: Abort,
    ) -> Result<Response, ApiError> {
        match abort {
            Abort::Refused(refusal) => self.refuse(caller, keyed, refusal).await,
            fault => Err(fault.into()),
        }
    }

    /// Runs a change for a caller that answers with something other than a stored answer.
    pub async fn write<T: Send + 'static>(
        &self,
        caller: &Caller,
        mut op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, ApiError> {
        let guard = caller.guard.clone();
        let origin = self.origin(caller.actor.clone(), &caller.request_id);
        let done = self.store.write(origin, move |tx, act| {
            guard.recheck(tx, act)?;
            op(tx, act)
        });
        Ok(done.await?)
    }

    /// Answers a refusal, and keeps that answer under the Idempotency-Key. The operation has been
    /// rolled back, so nothing but the answer is left to keep.
    ///
    /// An answer that shows a customer who has been erased since is given, but not kept: it would bring
    /// the person back. That is as if the erasure had come after it.
    pub(crate) async fn refuse(
        &self,
        caller: &Caller,
        keyed: Option<Keyed>,
        refusal: Refusal,
    ) -> Result<Response, ApiError> {
        let of_key = matches!(
            refusal,
            Refusal::KeyReused | Refusal::KeyInUse | Refusal::CallerNoLongerAllowed
        );
        let shown = match &refusal {
            Refusal::CustomerExists(place, customer) => Some((place.clone(), customer.id.clone())),
            // A name of a code may be a person's.
            Refusal::ActiveCodeExists(place, code) => {
                Some((place.clone(), code.customer_id.clone()))
            }
            _ => None,
        };
        let error = ApiError::from(refusal);
        let Some(keyed) = keyed.filter(|_| !of_key && error.reason.status().is_client_error())
        else {
            return Err(error);
        };
        let kept = refusal_answer(&error, shown.as_ref().map(|(_, id)| id.clone()));
        let origin = self.origin(caller.actor.clone(), &caller.request_id);
        let done = self.store.write(origin, move |tx, act| {
            let still_there = |tx: &mut dyn Tx, act: &mut Act| match &shown {
                Some((place, id)) if !customers::hold_existing(tx, act, place, id)? => {
                    Err(Refusal::NotFound(Thing::Customer).into())
                }
                _ => Ok(()),
            };
            run_keyed(tx, act, Some(&keyed), &still_there, &|_| Some(kept.clone()))
        });
        match done.await {
            Ok(Done::Fresh(..)) | Err(Abort::Refused(Refusal::NotFound(_))) => Err(error),
            Ok(Done::Replayed(answer)) => Ok(replay(answer)),
            Err(abort) => Err(abort.into()),
        }
    }
}

fn run_keyed<T>(
    tx: &mut dyn Tx,
    act: &mut Act,
    keyed: Option<&Keyed>,
    op: &impl Fn(&mut dyn Tx, &mut Act) -> Result<T, Abort>,
    answer: &impl Fn(&T) -> Option<Answer>,
) -> Result<Done<T>, Abort> {
    let Some(keyed) = keyed else {
        return Ok(Done::Fresh(op(tx, act)?, None));
    };
    let found = idempotency::look(tx, act, keyed)?;
    if let Some(Claim::Answered(answer)) = found {
        return Ok(Done::Replayed(answer));
    }
    let made = op(tx, act)?;
    let Some(answer) = answer(&made) else {
        return Ok(Done::Fresh(made, None));
    };
    match found {
        Some(_) => idempotency::keep(tx, keyed, &answer)?,
        None => idempotency::record(tx, act, keyed, &answer)?,
    }
    Ok(Done::Fresh(made, Some(answer)))
}
