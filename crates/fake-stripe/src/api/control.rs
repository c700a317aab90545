//! `POST /_fake/faults`: ordering faults from another process. Not a part of Stripe.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::params::{choice, integer, required, text};
use crate::call::Call;
use crate::error::StripeError;
use crate::fault::{Fault, Injection};
use crate::server::App;

const FAULTS: [&str; 5] = [
    "status",
    "status_after_commit",
    "hang",
    "reset",
    "reset_after_commit",
];

/// Takes `fault` (one of the names above), `status` or `milliseconds` where the fault needs it, and
/// optionally `times`, `method` and `path`.
pub(super) async fn inject(
    State(app): State<Arc<App>>,
    Extension(call): Extension<Arc<Call>>,
) -> Result<Json<Value>, StripeError> {
    required(&call, "fault")?;
    let status = u16::try_from(integer(&call, "status")?.unwrap_or(500)).unwrap_or(500);
    let milliseconds =
        u64::try_from(integer(&call, "milliseconds")?.unwrap_or(1000)).unwrap_or_default();
    let fault = match choice(&call, "fault", &FAULTS)? {
        Some("status_after_commit") => Fault::StatusAfterCommit(status),
        Some("hang") => Fault::Hang(Duration::from_millis(milliseconds)),
        Some("reset") => Fault::Reset,
        Some("reset_after_commit") => Fault::ResetAfterCommit,
        _ => Fault::Status(status),
    };
    let times = usize::try_from(integer(&call, "times")?.unwrap_or(1)).unwrap_or_default();
    let mut injection = Injection::new(fault).times(times);
    if let Some(method) = text(&call, "method")? {
        injection = injection.method(method);
    }
    if let Some(path) = text(&call, "path")? {
        injection = injection.path(path);
    }
    app.faults.inject(injection);
    Ok(Json(json!({"left": app.faults.left()})))
}
