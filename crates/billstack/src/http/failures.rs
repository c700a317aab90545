//! No answer leaves in another shape than ours, whatever made it.
//!
//! The framework answers some requests itself (an unknown path, a wrong method, a body it cannot read) with
//! plain text or nothing. This replaces such answers with our JSON, and turns a panic into an ordinary 500.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, Reason};
use crate::telemetry;

/// Headers that described the body that is replaced.
const OF_THE_BODY: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::ETAG,
];

/// Rewrites error answers the framework made into our JSON.
///
/// Answers that are JSON already, and pages made on purpose, pass untouched. Other headers stay,
/// so a 405 keeps its `Allow`.
pub fn json_errors(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_ours(response.headers()) {
        return response;
    }
    let (status, reason) = translate(status);
    let (old, _) = response.into_parts();
    let mut answer = ApiError::new(reason).into_response();
    *answer.status_mut() = status;
    for name in old.headers.keys() {
        if OF_THE_BODY.contains(name) {
            continue;
        }
        answer.headers_mut().remove(name);
        for value in old.headers.get_all(name) {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer
}

/// Makes a panic in a handler cost that one request, not the connection.
///
/// The answer says nothing of the cause; the log and `billstack_panics_total` do.
pub async fn catch_panics(running: impl Future<Output = Response>) -> Response {
    let mut running = pin!(running);
    let outcome = poll_fn(|cx| {
        // The future is dropped after a panic and never polled again, so nothing broken is seen.
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(Poll::Ready(response)) => Poll::Ready(Ok(response)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => Poll::Ready(Err(payload)),
        }
    });
    match outcome.await {
        Ok(response) => response,
        Err(payload) => {
            telemetry::panicked();
            tracing::error!(panic = panic_text(&*payload), "a handler panicked");
            ApiError::new(Reason::Internal).into_response()
        }
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(no text)"
    }
}

/// Whether the body was made by us. The framework only ever writes plain text, or nothing.
fn is_ours(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"))
}

/// The status and reason that stand for an answer of the framework.
fn translate(status: StatusCode) -> (StatusCode, Reason) {
    let reason = match status {
        StatusCode::UNAUTHORIZED => Reason::Unauthenticated,
        StatusCode::FORBIDDEN => Reason::Forbidden,
        StatusCode::NOT_FOUND => Reason::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Reason::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Reason::RequestTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => Reason::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Reason::UnsupportedMediaType,
        StatusCode::TOO_MANY_REQUESTS => Reason::RateLimited,
        StatusCode::SERVICE_UNAVAILABLE => Reason::Overloaded,
        // 422 has one meaning here, and it is not "I could not read your body".
        StatusCode::UNPROCESSABLE_ENTITY => {
            return (StatusCode::BAD_REQUEST, Reason::InvalidRequest);
        }
        other if other.is_server_error() => {
            return (StatusCode::INTERNAL_SERVER_ERROR, Reason::Internal);
        }
        _ => Reason::InvalidRequest,
    };
    (status, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, Bytes};
    use axum::extract::{DefaultBodyLimit, Request};
    use axum::middleware::Next;
    use axum::response::Html;
    use axum::routing::{get, post};
    use axum::{Json, Router, middleware};
    use serde_json::Value;
    use tower::ServiceExt;

    async fn panics() -> &'static str {
        tokio::task::yield_now().await;
        panic!("secret detail")
    }

    fn app() -> Router {
        let broken = (StatusCode::BAD_GATEWAY, "inside: 10.0.0.7 refused");
        let page = (StatusCode::NOT_FOUND, Html("<p>no such page</p>"));
        Router::new()
            .route("/get", get(|| async { "ok" }))
            .route("/json", post(|Json(_): Json<Vec<u8>>| async {}))
            .route("/bytes", post(|_: Bytes| async {}))
            .route("/panic", get(panics))
            .route("/broken", get(move || async move { broken }))
            .route("/page", get(move || async move { page }))
            .route("/busy", get(async || StatusCode::TOO_MANY_REQUESTS))
            .route("/own", get(async || ApiError::new(Reason::CodeInactive)))
            .layer(DefaultBodyLimit::max(10))
            .layer(middleware::from_fn(async |request, next: Next| {
                json_errors(catch_panics(next.run(request)).await)
            }))
    }

    async fn answer(request: axum::http::request::Builder, body: &'static str) -> Response {
        let request = request.body(Body::from(body)).unwrap();
        app().oneshot(request).await.unwrap()
    }

    async fn reason_of(response: Response) -> String {
        assert_eq!(response.headers()["content-type"], "application/json");
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await;
        let body: Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
        assert!(!body["error"].as_str().unwrap().contains("10.0.0.7"));
        assert!(!body["error"].as_str().unwrap().contains("secret"));
        body["reason"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn framework_answers_become_ours() {
        let cases = [
            ("GET", "/nowhere", "", 404, "not_found"),
            ("DELETE", "/get", "", 405, "method_not_allowed"),
            ("POST", "/bytes", "12345678901", 413, "payload_too_large"),
            ("POST", "/json", "[]", 415, "unsupported_media_type"),
            ("GET", "/broken", "", 500, "internal"),
            ("GET", "/panic", "", 500, "internal"),
            ("GET", "/busy", "", 429, "rate_limited"),
            ("GET", "/own", "", 409, "code_inactive"),
        ];
        for (method, path, body, status, reason) in cases {
            let request = Request::builder().method(method).uri(path);
            let response = answer(request, body).await;
            assert_eq!(response.status(), status, "{path}");
            if status == 429 {
                assert_eq!(response.headers()["retry-after"], "1");
            }
            assert_eq!(reason_of(response).await, reason, "{path}");
        }
    }

    #[tokio::test]
    async fn a_body_the_framework_cannot_read_is_400() {
        let request = Request::post("/json").header("content-type", "application/json");
        let response = answer(request, "{}").await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(reason_of(response).await, "invalid_request");
    }

    #[tokio::test]
    async fn allow_stays_and_pages_pass() {
        let response = answer(Request::builder().method("DELETE").uri("/get"), "").await;
        assert_eq!(response.headers()["allow"], "GET,HEAD");
        let response = answer(Request::get("/page"), "").await;
        assert!(response.headers()["content-type"] != "application/json");
        let response = answer(Request::get("/get"), "").await;
        assert_eq!(response.status(), StatusCode::OK);
    }
}
