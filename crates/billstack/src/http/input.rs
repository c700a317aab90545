//! What a handler takes in: a JSON body read strictly, and the Idempotency-Key with it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use billstack_store::idempotency::Keyed;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::json::{read_json, read_object};
use crate::http::known::Known;
use crate::http::serve::read_body;

/// The largest body of our own API, in bytes.
pub const LARGEST_BODY: usize = 256 * 1024;

/// Where the route has another limit for its body, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct LargestBody(pub usize);

/// The longest Idempotency-Key, in characters.
const LONGEST_KEY: usize = 255;

/// A request as a JSON object in the body, and the Idempotency-Key of project calls.
pub struct Input<T> {
    /// What is asked for.
    pub body: T,
    /// Set when the request carries an Idempotency-Key.
    pub keyed: Option<Keyed>,
}

/// A request whose body, if it has one, says nothing; and its Idempotency-Key.
pub struct NoInput {
    /// Set when the request carries an Idempotency-Key.
    pub keyed: Option<Keyed>,
}

impl<T: DeserializeOwned> FromRequest<Shared> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(ApiError::new(Reason::UnsupportedMediaType));
        }
        let bytes = read(&parts, body, app).await?;
        let keyed = keyed(&parts, &bytes)?;
        Ok(Input {
            body: read_json(&bytes, &known(&parts))?,
            keyed,
        })
    }
}

impl FromRequest<Shared> for NoInput {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts, body, app).await?;
        if !bytes.is_empty() && !is_json(&parts.headers) {
            return Err(ApiError::new(Reason::UnsupportedMediaType));
        }
        let keyed = keyed(&parts, &bytes)?;
        if !bytes.is_empty() {
            read_object(&bytes, &known(&parts))?.knows(&[])?;
        }
        Ok(NoInput { keyed })
    }
}

/// What the call knows; the route put it there.
fn known(parts: &Parts) -> Arc<Known> {
    parts.extensions.get().cloned().unwrap_or_default()
}

/// The whole body of a request, as far as the route allows one.
pub(crate) async fn read(parts: &Parts, body: Body, app: &Shared) -> Result<Bytes, ApiError> {
    let timeout = Duration::from_secs(app.settings.body_timeout_seconds.into());
    let largest = parts.extensions.get::<LargestBody>();
    read_body(
        body,
        largest.map_or(LARGEST_BODY, |largest| largest.0),
        timeout,
    )
    .await
}

/// Whether the body is declared as JSON; parameters such as `charset` do not matter.
fn is_json(headers: &HeaderMap) -> bool {
    is_declared_as(headers, "application/json")
}

/// Whether the body is declared to be of this type.
pub(crate) fn is_declared_as(headers: &HeaderMap, wanted: &str) -> bool {
    let mut declared = headers.get_all(CONTENT_TYPE).iter();
    let kind = declared
        .next()
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(wanted) && declared.next().is_none()
}

/// The Idempotency-Key of a project call that changes something.
fn keyed(parts: &Parts, body: &[u8]) -> Result<Option<Keyed>, ApiError> {
    let Some(access) = parts.extensions.get::<ProjectAccess>() else {
        return Ok(None);
    };
    let mut keys = parts.headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next().filter(|_| parts.method != Method::GET) else {
        return Ok(None);
    };
    let key = key
        .to_str()
        .ok()
        .filter(|key| key.bytes().all(|byte| matches!(byte, b' '..=b'~')))
        .filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let (Some(key), None) = (key, keys.next()) else {
        let message = "`Idempotency-Key` must be one value of 1 to 255 printable ASCII characters.";
        return Err(ApiError::invalid("Idempotency-Key", message));
    };
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), &parts.uri.to_string()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(body);
    Ok(Some(Keyed {
        team_id: access.place.team_id.clone(),
        caller: access.caller.actor.to_text(),
        key: key.to_owned(),
        request_hash: hex::encode(hash.finalize()),
    }))
}
