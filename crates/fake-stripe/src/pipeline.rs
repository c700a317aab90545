//! What happens to every request around its operation: the log, faults, the API key, idempotency.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::call::{Call, Incoming};
use crate::connection::Breaker;
use crate::error::{NotKept, StripeError};
use crate::fault::{self, Fault, Injection};
use crate::generation::Generation;
use crate::idempotency::{Fingerprint, Saved};
use crate::journal::Received;
use crate::server::App;

const BODY_LIMIT: usize = 1024 * 1024;
const LONGEST_KEY: usize = 255;

/// What becomes of a request.
enum Outcome {
    Answer(Response),
    Reset,
}

/// The middleware around all routes.
pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    Extension(breaker): Extension<Arc<Breaker>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StripeError::bad_request("The body is too large or broke off.").into_response();
    };
    let incoming = Incoming::read(&parts, &body);
    let request = Request::from_parts(parts, Body::empty());
    // In a task of its own the work goes on when the caller leaves, as it does at Stripe.
    let work = tokio::spawn(async move { work(&app, incoming, request, next).await });
    match work.await {
        Ok(Outcome::Answer(response)) => response,
        Ok(Outcome::Reset) | Err(_) => {
            breaker.trip();
            std::future::pending().await
        }
    }
}

async fn work(app: &App, incoming: Incoming, request: Request, next: Next) -> Outcome {
    if *app.down.borrow() {
        return Outcome::Reset;
    }
    let Incoming { received, params } = incoming;
    app.journal.push(received.clone());
    if received.path.starts_with("/_fake/") {
        let request = with_call(request, app, &received, params.unwrap_or_default());
        return Outcome::Answer(next.run(request).await);
    }
    let injection = app.faults.take(request.method(), &received.path);
    let admission = admit(app, &received, injection.as_ref(), params);
    // The idempotency key is claimed by now: a second request with it meets one in progress.
    if let Some(Fault::Hang(time)) = injection.as_ref().map(Injection::fault) {
        tokio::time::sleep(*time).await;
    }
    let outcome = match admission {
        Admission::Refused(refusal) => Outcome::Answer(refusal),
        Admission::Reset => Outcome::Reset,
        Admission::Work(params, claim) => {
            let request = with_call(request, app, &received, params);
            perform(app, &received, injection.as_ref(), claim, request, next).await
        }
    };
    match outcome {
        Outcome::Answer(response) => {
            app.journal
                .answered(&received.request_id, response.status().as_u16());
            let default = default_generation(app, &received);
            Outcome::Answer(with_headers(response, &received, default))
        }
        Outcome::Reset => Outcome::Reset,
    }
}

type Params = serde_json::Map<String, serde_json::Value>;
type Claim = Option<(bool, String)>;

/// What is decided before any work.
enum Admission {
    Refused(Response),
    Reset,
    Work(Params, Claim),
}

fn admit(
    app: &App,
    received: &Received,
    injection: Option<&Injection>,
    params: Result<Params, StripeError>,
) -> Admission {
    match injection.map(|injection| (injection, injection.fault())) {
        Some((_, Fault::Reset)) => return Admission::Reset,
        Some((injection, Fault::Status(status))) if *status != 500 => {
            return Admission::Refused(injected(injection, *status));
        }
        _ => {}
    }
    let admitted = app
        .keys()
        .check(received.api_key.as_deref())
        .and(in_context(app, received))
        .and(params)
        .and_then(|params| {
            let claim = claim(received)?;
            let Some(key) = &claim else {
                return Ok(Admission::Work(params, None));
            };
            let fingerprint = Fingerprint {
                method: received.method.clone(),
                path: received.path.clone(),
                params: received.params.clone(),
            };
            let saved = app.replies.begin(key, fingerprint, app.clock.now())?;
            let Some(saved) = saved else {
                return Ok(Admission::Work(params, claim));
            };
            Ok(
                match injection.map(|injection| (injection, injection.fault())) {
                    Some((injection, Fault::Status(status) | Fault::StatusAfterCommit(status))) => {
                        Admission::Refused(injected(injection, *status))
                    }
                    Some((_, Fault::ResetAfterCommit)) => Admission::Reset,
                    _ => Admission::Refused(replay(saved)),
                },
            )
        });
    admitted.unwrap_or_else(|refusal| Admission::Refused(refusal.into_response()))
}

/// Checks that a call for one object names the account it is in: by its context, or by none for the key's own.
fn in_context(app: &App, received: &Received) -> Result<(), StripeError> {
    let id = received.path.rsplit('/').next().unwrap_or_default();
    let books = app.books(is_live(received));
    if books.contexts.get(id) == received.stripe_context.as_ref() {
        return Ok(());
    }
    Err(StripeError::missing("object in this context", id, "id"))
}

/// The idempotency key of a request that may carry one. Stripe ignores it on other methods.
fn claim(received: &Received) -> Result<Claim, StripeError> {
    let Some(key) = received
        .idempotency_key
        .as_ref()
        .filter(|_| received.method == Method::POST.as_str())
    else {
        return Ok(None);
    };
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(StripeError::key_reused(format!(
            "An idempotency key has 1 to {LONGEST_KEY} characters."
        )));
    }
    Ok(Some((is_live(received), key.clone())))
}

async fn perform(
    app: &App,
    received: &Received,
    injection: Option<&Injection>,
    claim: Claim,
    request: Request,
    next: Next,
) -> Outcome {
    let fault = injection.map(|injection| (injection, injection.fault()));
    let mut answer = match fault {
        Some((injection, Fault::Status(status))) => keep_anyway(injected(injection, *status)),
        _ => next.run(request).await,
    };
    if let Some((injection, Fault::StatusAfterCommit(status))) = fault {
        answer = keep_anyway(injected(injection, *status));
    }
    if let Some(key) = claim {
        answer = keep(app, &key, received, answer).await;
    }
    match fault {
        Some((_, Fault::ResetAfterCommit)) => Outcome::Reset,
        _ => Outcome::Answer(answer),
    }
}

/// Keeps an answer for its key, unless it is of the kind that is not kept.
async fn keep(app: &App, key: &(bool, String), received: &Received, answer: Response) -> Response {
    if answer.extensions().get::<NotKept>().is_some() {
        app.replies.release(key);
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let saved = Saved {
        status: parts.status,
        body: body.to_vec(),
        request_id: received.request_id.clone(),
    };
    app.replies.keep(key, saved);
    Response::from_parts(parts, Body::from(body))
}

fn keep_anyway(mut response: Response) -> Response {
    response.extensions_mut().remove::<NotKept>();
    response
}

fn replay(saved: Saved) -> Response {
    let mut response = (
        saved.status,
        [(header::CONTENT_TYPE, "application/json")],
        Bytes::from(saved.body),
    )
        .into_response();
    set(&mut response, "idempotent-replayed", "true");
    set(&mut response, "original-request", &saved.request_id);
    response
}

fn injected(injection: &Injection, status: u16) -> Response {
    let status = fault::status(status);
    let mut response = StripeError::injected(status, injection.error_code()).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        set(&mut response, "retry-after", "1");
    }
    for (name, value) in injection.headers() {
        set(&mut response, name, value);
    }
    response
}

fn with_call(mut request: Request, app: &App, received: &Received, params: Params) -> Request {
    let call = Call {
        params,
        livemode: is_live(received),
        generation: received
            .stripe_version
            .as_deref()
            .map_or_else(|| default_generation(app, received), Generation::of_version),
        now: app.clock.now(),
        request_id: received.request_id.clone(),
        idempotency_key: received.idempotency_key.clone(),
    };
    request.extensions_mut().insert(Arc::new(call));
    request
}

fn default_generation(app: &App, received: &Received) -> Generation {
    app.books(is_live(received)).default_generation
}

fn with_headers(mut response: Response, received: &Received, default: Generation) -> Response {
    set(&mut response, "request-id", &received.request_id);
    set(
        &mut response,
        "stripe-version",
        received
            .stripe_version
            .as_deref()
            .unwrap_or(default.api_version()),
    );
    if let Some(key) = &received.idempotency_key {
        set(&mut response, "idempotency-key", key);
    }
    response
}

fn set(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}

fn is_live(received: &Received) -> bool {
    received
        .api_key
        .as_deref()
        .is_some_and(|key| key.starts_with("sk_live_") || key.starts_with("rk_live_"))
}
