//! One request and its answer, with a bound on everything.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Failure, Silent, StripeClient, StripeError, VERSION};
use crate::settings::SecretText;

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// The pause before the second try when no connection came about.
const PAUSE: Duration = Duration::from_millis(100);

const NO_ANSWER: StripeError = StripeError::Unavailable { answered: false };

/// Stripe's error object, as far as it is repeated to anybody.
#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: ErrorMembers,
}

#[derive(Default, Deserialize)]
struct ErrorMembers {
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// An answer of success.
pub(super) struct Success {
    body: Vec<u8>,
    /// Whether it is the kept answer of an earlier request.
    pub(super) replayed: bool,
}

impl Success {
    /// Its members.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|_| Failure::Unknown(Silent::Unreadable))
    }
}

impl StripeClient {
    /// A request that [`StripeClient::send`] can send more than once: it only reads, or carries an
    /// idempotency key.
    pub(super) fn request(&self, method: Method, path: &str, key: &SecretText) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(key.expose())
            .header("stripe-version", VERSION)
    }

    /// Sends a request and reads the answer's members.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, StripeError> {
        let body = self.send(request).await?;
        // A success that cannot be read is no answer: something in between spoiled it.
        serde_json::from_slice(&body).map_err(|_| {
            tracing::warn!("an answer of Stripe cannot be read");
            NO_ANSWER
        })
    }

    /// Sends a request, once more if the connection broke, and reads the answer whole.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, StripeError> {
        let again = request.try_clone();
        let response = match (request.send().await, again) {
            (Err(error), Some(again)) if !error.is_timeout() => {
                tokio::time::sleep(PAUSE).await;
                again.send().await
            }
            (outcome, _) => outcome,
        };
        // The address of a call may hold an e-mail address.
        let response = response.map_err(|error| {
            let error = error.without_url();
            tracing::warn!(%error, timeout = error.is_timeout(), "Stripe did not answer");
            NO_ANSWER
        })?;
        let status = response.status();
        let request_id = response.headers().get("request-id").cloned();
        let body = read(response).await?;
        if status.is_success() {
            return Ok(body);
        }
        let error = refusal(status, &body);
        tracing::warn!(
            ?error,
            status = status.as_u16(),
            ?request_id,
            "Stripe refused a call"
        );
        Err(error)
    }

    /// Sends a request that may be repeated, once more if the connection broke, and reads the answer's members.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Failure> {
        self.twice(request).await?.read()
    }

    /// Sends a request that may be repeated, once more if the connection broke, and takes the answer whole.
    pub(super) async fn twice(&self, request: RequestBuilder) -> Result<Success, Failure> {
        let again = request.try_clone();
        match (self.once(request).await, again) {
            (Err(Failure::Unknown(Silent::CutOff)), Some(again)) => {
                tokio::time::sleep(PAUSE).await;
                self.once(again).await
            }
            (outcome, _) => outcome,
        }
    }

    /// Sends a request once, and takes the answer whole.
    pub(super) async fn once(&self, request: RequestBuilder) -> Result<Success, Failure> {
        let response = request.send().await.map_err(|error| {
            let timed_out = error.is_timeout();
            let error = error.without_url();
            tracing::warn!(%error, timed_out, "Stripe did not answer");
            Failure::Unknown(if timed_out {
                Silent::TimedOut
            } else {
                Silent::CutOff
            })
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response).await;
        let body = body.map_err(|_| Failure::Unknown(Silent::CutOff))?;
        if status.is_success() {
            let replayed = headers.get("idempotent-replayed");
            return Ok(Success {
                replayed: replayed.is_some_and(|value| value == "true"),
                body,
            });
        }
        let request_id = headers.get("request-id");
        let status_code = status.as_u16();
        match status_code {
            // Whoever asks knows what that means, and may have asked in order to find out.
            403 | 404 => tracing::debug!(status_code, ?request_id, "Stripe refused a call"),
            _ => tracing::warn!(status_code, ?request_id, "Stripe refused a call"),
        }
        Err(Failure::of(status, &headers, &body))
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, StripeError> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| {
            let error = error.without_url();
            tracing::warn!(%error, "an answer of Stripe broke off");
            NO_ANSWER
        })?;
        let Some(chunk) = chunk else {
            return Ok(body);
        };
        if body.len() + chunk.len() > LARGEST_ANSWER {
            tracing::warn!("an answer of Stripe is too large");
            return Err(NO_ANSWER);
        }
        body.extend_from_slice(&chunk);
    }
}

/// What an answer without success means.
fn refusal(status: StatusCode, body: &[u8]) -> StripeError {
    let error = serde_json::from_slice::<ErrorBody>(body).unwrap_or_default();
    let error = error.error;
    match status.as_u16() {
        401 => StripeError::InvalidKey,
        // Too many requests, or the first one under this idempotency key still runs: nothing was
        // decided, and the same request may be sent again. A redirect is not Stripe speaking.
        409 | 429 | 300..=399 => NO_ANSWER,
        500.. => StripeError::Unavailable { answered: true },
        // The idempotency key was used with other parameters; another key will do.
        400 if error.kind.as_deref() == Some("idempotency_error") => {
            StripeError::Unavailable { answered: true }
        }
        status => {
            let code = error.code.or(error.kind).filter(|code| is_plain(code));
            let code = code.unwrap_or_else(|| format!("status {status}"));
            StripeError::Refused { status, code }
        }
    }
}

fn is_plain(code: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&code.len()) && code.bytes().all(plain)
}
