//! Every request has an id, one line in the log and its place in the metrics.
//!
//! The line names the route, never the path: paths may carry e-mail addresses, and route patterns keep the number of
//! metric series bounded. Who asked where is told by ids, once the caller is known.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tracing::Instrument;

use crate::clock::Clock;
use crate::error::Reason;
use crate::secrets::unique_bytes;
use crate::telemetry;

/// The header that carries the id, in both directions.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where the bytes of a new id come from.
pub type RandomSource = fn() -> [u8; 12];

/// The id of the request at hand, for audit rows and log lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Bytes of a new id: the time, to the millisecond, and random ones. So later ids are greater, and what is found by them
/// grows at its end.
pub fn fresh() -> [u8; 12] {
    let millis = Clock::System.now_micros() / 1_000;
    let mut bytes: [u8; 12] = unique_bytes();
    // 48 bits are enough until the year 10889.
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes
}

/// Gives the request its id, puts it on the answer of `inner`, logs and counts the exchange.
///
/// It belongs outermost, so that every refusal carries the id as well.
pub async fn track<F: Future<Output = Response>>(
    random: RandomSource,
    mut request: Request,
    inner: impl FnOnce(Request) -> F,
) -> Response {
    let started = Instant::now();
    let id = sent_id(&request).unwrap_or_else(|| hex::encode(random()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(RequestId(id.clone()));

    let span = tracing::info_span!("request", request_id = %id);
    let mut response = inner(request).instrument(span.clone()).await;

    let elapsed = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    span.in_scope(|| log(method.as_str(), route, elapsed, &response));
    telemetry::http_request(method.as_str(), route, status, elapsed);
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// Whose request it was and where it led, for its line in the log.
#[derive(Clone, Debug, Default)]
pub struct Whose {
    pub team: Option<String>,
    pub project: Option<String>,
    /// The API key or the user, by id, or who else it was.
    pub caller: Option<String>,
}

/// What balancers and collectors ask all day; their lines would hide the others.
const BY_MACHINES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

fn log(method: &str, route: &str, elapsed: f64, response: &Response) {
    let method = telemetry::known_method(method);
    let status = response.status().as_u16();
    let latency_ms = (elapsed * 1e6).round() / 1e3;
    let reason = response
        .extensions()
        .get::<Reason>()
        .map(|reason| reason.as_str());
    let whose = response.extensions().get::<Whose>();
    let team = whose.and_then(|whose| whose.team.as_deref());
    let project = whose.and_then(|whose| whose.project.as_deref());
    let caller = whose.and_then(|whose| whose.caller.as_deref());
    if status < 400 && BY_MACHINES.contains(&route) {
        tracing::debug!(method, route, status, latency_ms, "answered");
    } else {
        tracing::info!(
            method, route, status, latency_ms, team, project, caller, reason, "answered"
        );
    }
}

/// The caller's own id, if it is one that may be written to a log as it is.
fn sent_id(request: &Request) -> Option<String> {
    let mut values = request.headers().get_all(X_REQUEST_ID).iter();
    let text = values.next()?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let sane = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    (sane && values.next().is_none()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::middleware::Next;
    use axum::routing::get;
    use axum::{Extension, Router, middleware};
    use tower::ServiceExt;

    #[test]
    fn later_ids_are_greater() {
        let (one, other) = (fresh(), fresh());
        assert!(one[..6] <= other[..6] && one != other);
    }

    fn app() -> Router {
        let random: RandomSource = || [0xab; 12];
        let echo = |Extension(id): Extension<RequestId>| async move { id.0 };
        Router::new()
            .route("/echo/{x}", get(echo))
            .layer(middleware::from_fn(move |request, next: Next| {
                track(random, request, |request| next.run(request))
            }))
    }

    async fn answer(path: &str, ids: &[&str]) -> (StatusCode, String) {
        let mut request = Request::builder().uri(path);
        for id in ids {
            request = request.header("x-request-id", *id);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = app().oneshot(request).await.unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap();
        (response.status(), id.to_owned())
    }

    #[tokio::test]
    async fn a_sane_id_is_kept_and_others_are_replaced() {
        let made = "ab".repeat(12);
        let longest = "a".repeat(64);
        assert_eq!(answer("/echo/1", &["A.b_c-9"]).await.1, "A.b_c-9");
        assert_eq!(answer("/echo/1", &[&longest]).await.1, longest);
        let too_long = "a".repeat(65);
        let odd: [&[&str]; 5] = [&[], &[""], &["a b"], &[&too_long], &["a", "b"]];
        for ids in odd {
            assert_eq!(answer("/echo/1", ids).await.1, made, "{ids:?}");
        }
    }

    #[tokio::test]
    async fn errors_carry_it_too() {
        let (status, id) = answer("/nowhere", &["mine"]).await;
        assert_eq!((status, id.as_str()), (StatusCode::NOT_FOUND, "mine"));
    }

    #[tokio::test]
    async fn handlers_see_it() {
        let request = Request::builder()
            .uri("/echo/1")
            .header("x-request-id", "abc");
        let request = request.body(Body::empty()).unwrap();
        let body = app().oneshot(request).await.unwrap().into_body();
        let bytes = axum::body::to_bytes(body, 100).await.unwrap();
        assert_eq!(bytes, "abc");
    }
}
