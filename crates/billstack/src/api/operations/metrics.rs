//! `GET /metrics`, in the Prometheus text format.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::serve::Peer;
use crate::secrets::constant_time_eq;
use crate::telemetry;

/// The marks of a proxy. Whoever it asks for may be anywhere, though it stands on this machine itself.
const OF_A_PROXY: [&str; 7] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-real-ip",
];

/// Read the metrics.
///
/// Needs `Authorization: Bearer` with `BILLSTACK_METRICS_TOKEN`; when that is not set, only callers
/// on the same machine are answered, and nobody for whom a proxy there asks.
#[utoipa::path(
    get, path = "", operation_id = "metrics",
    security((), ("metricsToken" = [])),
    responses((status = 200, description = "Counters and histograms.", content_type = "text/plain", body = String, example = "billstack_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1")),
)]
pub async fn handle(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    match &app.settings.metrics_token {
        Some(token) => {
            let given = headers
                .get(AUTHORIZATION)
                .map(HeaderValue::as_bytes)
                .unwrap_or_default();
            let wanted = format!("Bearer {}", token.expose());
            if !constant_time_eq(given, wanted.as_bytes()) {
                let wanted = "Send the token of BILLSTACK_METRICS_TOKEN as a bearer token.";
                return Err(ApiError::new(Reason::Unauthenticated).message(wanted));
            }
        }
        None if !peer.ip().to_canonical().is_loopback() || was_forwarded(&headers) => {
            return Err(ApiError::new(Reason::Forbidden));
        }
        None => {}
    }
    telemetry::queue_depth(app.store.queued_writes());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], telemetry::render()).into_response())
}

fn was_forwarded(headers: &HeaderMap) -> bool {
    OF_A_PROXY.iter().any(|name| headers.contains_key(*name))
}
