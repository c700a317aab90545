//! A request, read.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, header, request::Parts};
use serde_json::{Map, Value};

use crate::error::StripeError;
use crate::form;
use crate::generation::Generation;
use crate::ids;
use crate::journal::Received;

/// What an operation needs to know of its request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) params: Map<String, Value>,
    pub(crate) livemode: bool,
    pub(crate) generation: Generation,
    pub(crate) now: i64,
    pub(crate) request_id: String,
    pub(crate) idempotency_key: Option<String>,
}

/// A request as it came in, with what could be read of it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) received: Received,
    pub(crate) params: Result<Map<String, Value>, StripeError>,
}

impl Incoming {
    pub(crate) fn read(parts: &Parts, body: &Bytes) -> Self {
        let params = read_params(parts, body);
        let received = Received {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            params: Value::Object(params.clone().unwrap_or_default()),
            body: body.to_vec(),
            api_key: api_key(&parts.headers),
            idempotency_key: text(&parts.headers, "idempotency-key"),
            stripe_version: text(&parts.headers, "stripe-version"),
            stripe_context: text(&parts.headers, "stripe-context"),
            request_id: ids::new("req_", 14),
            customer: None,
            began: 0,
            ended: None,
            answered: None,
        };
        Self { received, params }
    }
}

fn read_params(parts: &Parts, body: &Bytes) -> Result<Map<String, Value>, StripeError> {
    let query = parts.uri.query().unwrap_or_default();
    let mut text = query.to_owned();
    if parts.method == Method::POST && !body.is_empty() {
        let kind = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(StripeError::bad_request(format!(
                "The body must be form-encoded; its content type was '{kind}'."
            )));
        }
        let body = std::str::from_utf8(body)
            .map_err(|_| StripeError::bad_request("The body is not UTF-8."))?;
        text = [query, body].join("&");
    }
    form::parse(&text).map_err(|name| {
        StripeError::parameter(
            "parameter_invalid",
            &name,
            format!("Invalid parameter: {name}"),
        )
    })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The API key: a bearer token, or the user of basic authentication.
fn api_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(base64(credentials.trim())?).ok()?;
    Some(
        decoded
            .split_once(':')
            .map_or(decoded.as_str(), |(user, _)| user)
            .to_owned(),
    )
}

/// Decodes standard base 64; padding may be missing.
fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for character in text.trim_end_matches('=').bytes() {
        let digit = ALPHABET.iter().position(|known| *known == character)?;
        bits = (bits << 6) | u32::try_from(digit).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
        bits &= 0xff;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{api_key, base64};
    use axum::http::{HeaderMap, HeaderValue, header};

    fn key_of(authorization: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_static(authorization),
        );
        api_key(&headers)
    }

    #[test]
    fn key_from_bearer_or_basic() {
        assert_eq!(key_of("Bearer sk_test_a").as_deref(), Some("sk_test_a"));
        assert_eq!(
            key_of("Basic c2tfdGVzdF9hOg==").as_deref(),
            Some("sk_test_a")
        );
        assert_eq!(key_of("Digest x"), None);
    }

    #[test]
    fn decodes_base64() {
        assert_eq!(base64("TWFueQ=="), Some(b"Many".to_vec()));
        assert_eq!(base64("/+8="), Some(vec![0xff, 0xef]));
        assert_eq!(base64("a b"), None);
    }
}
