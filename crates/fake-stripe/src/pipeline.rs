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
const LOCK_TIMEOUT: &str = "lock_timeout";

/// What becomes of a request.
enum Outcome {
    Answer(Response),
    /// An answer that is not Stripe's, and so has none of its headers.
    Foreign(Response),
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
        Ok(Outcome::Answer(response) | Outcome::Foreign(response)) => response,
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
    let Incoming {
        mut received,
        params,
    } = incoming;
    if received.path.starts_with("/_fake/") {
        app.journal.push(&mut received);
        let request = with_call(request, app, &received, params.unwrap_or_default());
        return Outcome::Answer(next.run(request).await);
    }
    received.customer = customer_of(app, &received);
    app.journal.push(&mut received);
    let injection = app.faults.take(request.method(), &received.path);
    let injection = injection.as_ref();
    let outcome = match before(injection) {
        Some(outcome) => outcome,
        None => {
            let worked = admit_and_work(app, &received, injection, params, request, next).await;
            after(app, injection, worked).await
        }
    };
    let outcome = match outcome {
        Outcome::Answer(response) => {
            let default = default_generation(app, &received);
            Outcome::Answer(with_headers(response, &received, default))
        }
        other => other,
    };
    let status = match &outcome {
        Outcome::Answer(response) | Outcome::Foreign(response) => Some(response.status().as_u16()),
        Outcome::Reset => None,
    };
    app.journal.ended(&received.request_id, status);
    outcome
}

/// What a fault makes of a call before anybody looks at it.
fn before(injection: Option<&Injection>) -> Option<Outcome> {
    let injection = injection?;
    match injection.fault() {
        Fault::Reset => Some(Outcome::Reset),
        Fault::Status(status) if *status != 500 => {
            Some(Outcome::Answer(injected(injection, *status)))
        }
        Fault::ProxyPage(status) => Some(Outcome::Foreign(page(*status))),
        _ => None,
    }
}

/// What a fault makes of the answer to a call, which is kept by now.
async fn after(app: &App, injection: Option<&Injection>, answer: Response) -> Outcome {
    match injection.map(Injection::fault) {
        Some(Fault::ResetAfterCommit) => Outcome::Reset,
        Some(Fault::ProxyPageAfterCommit(status)) => Outcome::Foreign(page(*status)),
        Some(Fault::Unreadable) => Outcome::Answer(half(answer).await),
        Some(Fault::HangAfterCommit(time)) => {
            app.faults.wait(*time).await;
            Outcome::Answer(answer)
        }
        _ => Outcome::Answer(answer),
    }
}

async fn admit_and_work(
    app: &App,
    received: &Received,
    injection: Option<&Injection>,
    params: Result<Params, StripeError>,
    request: Request,
    next: Next,
) -> Response {
    let admission = admit(app, received, injection, params);
    // The idempotency key is claimed by now: a second request with it meets one in progress.
    let turn = match &admission {
        Admission::Work(..) => app.turns.take(received),
        Admission::Refused(_) => Ok(None),
    };
    if let Some(Fault::Hang(time)) = injection.map(Injection::fault) {
        app.faults.wait(*time).await;
    }
    match (admission, turn) {
        (Admission::Refused(refusal), _) => refusal,
        (Admission::Work(_, claim), Err(refusal)) => {
            if let Some(key) = claim {
                app.replies.release(&key);
            }
            refusal.into_response()
        }
        (Admission::Work(params, claim), Ok(_turn)) => {
            tokio::time::sleep(app.turns.latency()).await;
            let request = with_call(request, app, received, params);
            perform(app, received, injection, claim, request, next).await
        }
    }
}

type Params = serde_json::Map<String, serde_json::Value>;
type Claim = Option<(bool, String)>;

/// What is decided before any work.
enum Admission {
    Refused(Response),
    Work(Params, Claim),
}

fn admit(
    app: &App,
    received: &Received,
    injection: Option<&Injection>,
    params: Result<Params, StripeError>,
) -> Admission {
    let admitted = app
        .keys()
        .check(received.api_key.as_deref())
        .and_then(|()| app.permissions().check(received))
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
            let fault = injection.map(|injection| (injection, injection.fault()));
            Ok(Admission::Refused(match fault {
                Some((injection, Fault::Status(status) | Fault::StatusAfterCommit(status))) => {
                    injected(injection, *status)
                }
                _ => replay(saved),
            }))
        });
    admitted.unwrap_or_else(|refusal| Admission::Refused(refusal.into_response()))
}

/// The customer whom a call is about: named in its path, or among its parameters.
fn customer_of(app: &App, received: &Received) -> Option<String> {
    let in_path = received.path.strip_prefix("/v1/customers/");
    let in_path = in_path.and_then(|rest| rest.split('/').next());
    let named = in_path.or_else(|| received.params["customer"].as_str())?;
    let books = app.books(is_live(received));
    let of_account = books.customer_of_account(named);
    Some(of_account.unwrap_or_else(|| named.to_owned()))
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
) -> Response {
    let fault = injection.map(|injection| (injection, injection.fault()));
    let mut answer = match fault {
        Some((injection, Fault::Status(status))) => keep_anyway(injected(injection, *status)),
        _ => next.run(request).await,
    };
    if let Some((injection, Fault::StatusAfterCommit(status))) = fault {
        answer = keep_anyway(injected(injection, *status));
    }
    match claim {
        Some(key) => keep(app, &key, received, answer).await,
        None => answer,
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
    let refusal = StripeError::injected(status, injection.error_code(), injection.error_message());
    let mut response = refusal.into_response();
    let is_explained = |(name, _): &(String, String)| name.eq_ignore_ascii_case(fault::REASON);
    let locked = injection.error_code().as_deref() == Some(LOCK_TIMEOUT);
    if status == StatusCode::TOO_MANY_REQUESTS
        && !locked
        && !injection.headers().iter().any(is_explained)
    {
        set(&mut response, "retry-after", "1");
    }
    for (name, value) in injection.headers() {
        set(&mut response, name, value);
    }
    response
}

/// What a proxy in front of Stripe says when it does not get an answer.
fn page(status: u16) -> Response {
    let html = "<html><head><title>Error</title></head><body><h1>The server did not answer</h1></body></html>";
    let headers = [(header::CONTENT_TYPE, "text/html")];
    (fault::status(status), headers, html).into_response()
}

/// The first half of an answer, which is no JSON.
async fn half(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body.slice(..body.len() / 2)))
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
