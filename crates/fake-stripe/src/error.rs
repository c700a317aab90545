//! Refusals in Stripe's error shape.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refusal: an HTTP status and the members of Stripe's `error` object.
#[derive(Debug, Clone)]
pub(crate) struct StripeError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    code: Option<String>,
    param: Option<String>,
    /// Whether the refusal came before any work began, and so is not kept for an idempotency key.
    early: bool,
}

/// Marks an answer that is not kept for its idempotency key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotKept;

impl StripeError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            code: None,
            param: None,
            early: true,
        }
    }

    /// A parameter that cannot be accepted.
    pub(crate) fn parameter(code: &str, param: &str, message: impl Into<String>) -> Self {
        let refusal = Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message);
        refusal.with_code(code).with_param(param)
    }

    /// A request that cannot be read.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// An object that does not exist; this one is found out while working, so it is kept.
    pub(crate) fn missing(noun: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {noun}: '{id}'");
        let refusal = Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message);
        Self {
            early: false,
            ..refusal.with_code("resource_missing").with_param(param)
        }
    }

    /// A method and path that are not served.
    pub(crate) fn unknown_route(method: &str, path: &str) -> Self {
        let message =
            format!("Unrecognized request URL ({method}: {path}). This fake does not serve it.");
        Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
    }

    /// No API key, or one that is not accepted.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message)
    }

    /// A key that is known but may not do this.
    pub(crate) fn forbidden(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "invalid_request_error", message).with_code(code)
    }

    /// An idempotency key that was first used for something else.
    pub(crate) fn key_reused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "idempotency_error", message)
    }

    /// An idempotency key whose first request has not been answered.
    pub(crate) fn key_in_use() -> Self {
        let message = "Another request with this idempotency key is still being worked on.";
        Self::new(StatusCode::CONFLICT, "idempotency_error", message)
            .with_code("idempotency_key_in_use")
    }

    /// The answer of an injected fault.
    pub(crate) fn injected(
        status: StatusCode,
        code: Option<String>,
        message: Option<String>,
    ) -> Self {
        if code.as_deref() == Some("lock_timeout") && message.is_none() {
            return Self {
                status,
                ..Self::locked()
            };
        }
        let (kind, usual) = match status.as_u16() {
            401 => ("invalid_request_error", "Invalid API key provided."),
            429 => (
                "invalid_request_error",
                "Too many requests in too short a time.",
            ),
            500.. => ("api_error", "Something went wrong on the other side."),
            _ => ("invalid_request_error", "The request was refused."),
        };
        let code = code.or_else(|| (status.as_u16() == 429).then(|| "rate_limit".to_owned()));
        Self {
            code,
            ..Self::new(status, kind, message.unwrap_or_else(|| usual.to_owned()))
        }
    }

    /// An object that another call is changing.
    pub(crate) fn locked() -> Self {
        let message = "Another request is changing this object at the moment. Make changes of one object one after the other, or try again later.";
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "invalid_request_error",
            message,
        )
        .with_code("lock_timeout")
    }

    pub(crate) fn with_code(self, code: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..self
        }
    }

    fn with_param(self, param: &str) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..self
        }
    }

    fn body(&self) -> Value {
        let mut error = json!({"message": self.message, "type": self.kind});
        if let Some(code) = &self.code {
            error["code"] = json!(code);
            error["doc_url"] = json!(format!(
                "https://stripe.com/docs/error-codes/{}",
                code.replace('_', "-")
            ));
        }
        if let Some(param) = &self.param {
            error["param"] = json!(param);
        }
        json!({"error": error})
    }
}

impl IntoResponse for StripeError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if self.early {
            response.extensions_mut().insert(NotKept);
        }
        response
    }
}
