//! `/_fake/…`: steering the fake from another process. Not a part of Stripe.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::params::{allow, choice, integer, required, text};
use crate::call::Call;
use crate::error::StripeError;
use crate::fault::{Fault, Injection, RateLimit};
use crate::server::App;

type Answer = Result<Json<Value>, StripeError>;

const FAULTS: [&str; 9] = [
    "status",
    "status_after_commit",
    "hang",
    "hang_after_commit",
    "reset",
    "reset_after_commit",
    "unreadable",
    "proxy_page",
    "proxy_page_after_commit",
];

/// `POST /_fake/faults` takes `fault` (one of the names above), `status` or `milliseconds` where the
/// fault needs it, and optionally `times`, `skip`, `method`, `path`, `path_ending`, `code`, `message`,
/// `reason` (why a 429) and `permission` (that a 403 misses).
pub(super) async fn inject(
    State(app): State<Arc<App>>,
    Extension(call): Extension<Arc<Call>>,
) -> Answer {
    let mut injection = ordered(&call)?;
    for (name, set) in [
        (
            "method",
            Injection::method as fn(Injection, &str) -> Injection,
        ),
        ("path", Injection::path),
        ("path_ending", Injection::path_ending),
        ("code", Injection::code),
        ("message", Injection::message),
    ] {
        if let Some(value) = text(&call, name)? {
            injection = set(injection, value);
        }
    }
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    injection = injection
        .times(integer(&call, "times")?.map_or(1, count))
        .skip(integer(&call, "skip")?.map_or(0, count));
    app.faults.inject(injection);
    Ok(Json(json!({"left": app.faults.left()})))
}

fn ordered(call: &Call) -> Result<Injection, StripeError> {
    if let Some(permission) = text(call, "permission")? {
        return Ok(Injection::missing_permission(permission));
    }
    let reasons = RateLimit::ALL.map(RateLimit::reason);
    if let Some(reason) = choice(call, "reason", &reasons)? {
        let limit = RateLimit::ALL
            .into_iter()
            .find(|one| one.reason() == reason);
        return Ok(Injection::rate_limited(
            limit.unwrap_or(RateLimit::GlobalRate),
        ));
    }
    required(call, "fault")?;
    let status = |usual| {
        let status = integer(call, "status")?;
        Ok(status.map_or(usual, |status| u16::try_from(status).unwrap_or(usual)))
    };
    let milliseconds = integer(call, "milliseconds")?.unwrap_or(1000);
    let time = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
    Ok(Injection::new(match choice(call, "fault", &FAULTS)? {
        Some("status_after_commit") => Fault::StatusAfterCommit(status(500)?),
        Some("hang") => Fault::Hang(time),
        Some("hang_after_commit") => Fault::HangAfterCommit(time),
        Some("reset") => Fault::Reset,
        Some("reset_after_commit") => Fault::ResetAfterCommit,
        Some("unreadable") => Fault::Unreadable,
        Some("proxy_page") => Fault::ProxyPage(status(502)?),
        Some("proxy_page_after_commit") => Fault::ProxyPageAfterCommit(status(502)?),
        _ => Fault::Status(status(500)?),
    }))
}

/// `POST /_fake/clock` moves the clock by `advance` seconds, or stops it at `set`.
pub(super) async fn clock(
    State(app): State<Arc<App>>,
    Extension(call): Extension<Arc<Call>>,
) -> Answer {
    allow(&call, &["advance", "set"])?;
    if let Some(at) = integer(&call, "set")? {
        app.clock.set(at);
    }
    app.clock
        .advance(integer(&call, "advance")?.unwrap_or_default());
    Ok(Json(json!({"now": app.clock.now()})))
}

/// `POST /_fake/idempotency_keys/forget` forgets all answers kept for keys, as if a day had gone by.
pub(super) async fn forget_keys(State(app): State<Arc<App>>) -> Answer {
    app.replies.forget();
    Ok(Json(json!({})))
}

/// `POST /_fake/turns` takes `latency` in milliseconds, and `refuse_overlap`, which is `true` or `false`.
pub(super) async fn turns(
    State(app): State<Arc<App>>,
    Extension(call): Extension<Arc<Call>>,
) -> Answer {
    allow(&call, &["latency", "refuse_overlap"])?;
    if let Some(latency) = integer(&call, "latency")? {
        let latency = u64::try_from(latency).unwrap_or_default();
        app.turns.set_latency(Duration::from_millis(latency));
    }
    if let Some(refuse) = choice(&call, "refuse_overlap", &["true", "false"])? {
        app.turns.refuse_overlap(refuse == "true");
    }
    Ok(Json(json!({})))
}

/// `GET /_fake/requests` lists the requests received, oldest first, and `overlaps`: the pairs of ids of
/// writes to one customer that were in flight at the same time.
pub(super) async fn requests(State(app): State<Arc<App>>) -> Answer {
    let received = app.journal.all().into_iter();
    let requests = received.filter(|one| !one.path.starts_with("/_fake/"));
    let requests = requests.map(|one| {
        json!({
            "request_id": one.request_id, "method": one.method, "path": one.path, "params": one.params,
            "api_key": one.api_key, "idempotency_key": one.idempotency_key,
            "stripe_version": one.stripe_version, "customer": one.customer, "began": one.began,
            "ended": one.ended, "answered": one.answered
        })
    });
    let overlaps = app.journal.overlaps().into_iter();
    let overlaps = overlaps.map(|(one, other)| json!([one.request_id, other.request_id]));
    Ok(Json(json!({
        "requests": requests.collect::<Vec<_>>(), "overlaps": overlaps.collect::<Vec<_>>()
    })))
}

/// Takes a `key` and the `permissions[]` that it has from now on; none at all when they are left out.
pub(super) async fn restrict(
    State(app): State<Arc<App>>,
    Extension(call): Extension<Arc<Call>>,
) -> Result<Json<Value>, StripeError> {
    let key = required(&call, "key")?;
    let granted = call.params.get("permissions").and_then(Value::as_array);
    let granted = granted.into_iter().flatten().filter_map(Value::as_str);
    app.permissions().restrict(key, granted);
    Ok(Json(json!({"key": key})))
}
