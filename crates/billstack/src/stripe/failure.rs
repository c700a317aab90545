//! How a call that moves or reads money fails: told apart finely enough to know what may be done next.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

/// The longest part of a sentence of Stripe's that is kept, in characters.
const LONGEST_SENTENCE: usize = 300;

/// Why a call has not done what it was to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody knows whether Stripe did it: the same request under the same key finds out.
    Unknown(Silent),
    /// An error of Stripe's own, in its JSON. It is kept under the idempotency key, and whether anything was done is
    /// not certain.
    ServerError {
        /// From 500 on.
        status: u16,
        /// Whether it is the kept answer of an earlier request.
        replayed: bool,
        /// What `Stripe-Should-Retry` says, where it is there.
        should_retry: Option<bool>,
    },
    /// Too much at once; nothing was done.
    RateLimited {
        /// `Stripe-Rate-Limited-Reason`: `global-rate`, `endpoint-concurrency`, `resource-specific` …
        reason: Option<String>,
        /// Somebody else holds the object.
        lock_timeout: bool,
        /// How many seconds `Retry-After` asks for.
        retry_after: Option<u64>,
        /// What `Stripe-Should-Retry` says, where it is there.
        should_retry: Option<bool>,
    },
    /// The first request under this idempotency key still runs.
    KeyInUse,
    /// The idempotency key came with other parameters before.
    KeyReused,
    /// Stripe does not accept the secret key.
    Unauthorized,
    /// The secret key may not do this; the name is that of the permission, `rak_…`, where Stripe names it.
    PermissionMissing(Option<String>),
    /// There is no such object for this key: never, not any more, or in another account or mode.
    NotFound,
    /// Stripe said no.
    Refused(Refused),
}

/// Why there was no answer to go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silent {
    /// It took too long.
    TimedOut,
    /// The connection did not come about or broke.
    CutOff,
    /// Somebody in between answered, not Stripe.
    NotStripe,
    /// Stripe took the request, and its answer cannot be read.
    Unreadable,
}

/// A refusal in Stripe's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// `error.code`.
    pub code: Option<String>,
    /// `error.type`.
    pub kind: Option<String>,
    /// The beginning of `error.message`. It may repeat what was sent, so it is shown to the team and never logged.
    pub message: String,
}

#[derive(Deserialize)]
struct Body {
    error: Members,
}

#[derive(Default, Deserialize)]
struct Members {
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: String,
}

impl Failure {
    /// What an answer without success means.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let status = status.as_u16();
        let told = serde_json::from_slice::<Body>(body).ok();
        let Some(Body { error }) = told.or_else(|| (status == 429).then(Body::empty)) else {
            return Failure::Unknown(Silent::NotStripe);
        };
        let code = error.code.as_deref();
        match (status, code, error.kind.as_deref()) {
            (429, ..) | (_, Some("lock_timeout"), _) => Failure::RateLimited {
                reason: text(headers, "stripe-rate-limited-reason").map(str::to_owned),
                lock_timeout: code == Some("lock_timeout"),
                retry_after: text(headers, "retry-after").and_then(|text| text.parse().ok()),
                should_retry: flag(headers, "stripe-should-retry"),
            },
            (500.., ..) => Failure::ServerError {
                status,
                replayed: flag(headers, "idempotent-replayed") == Some(true),
                should_retry: flag(headers, "stripe-should-retry"),
            },
            (409, Some("idempotency_key_in_use"), _) => Failure::KeyInUse,
            (400, _, Some("idempotency_error")) => Failure::KeyReused,
            (401, ..) => Failure::Unauthorized,
            (403, ..) => Failure::PermissionMissing(permission_in(&error.message)),
            (404, ..) => Failure::NotFound,
            _ => Failure::Refused(Refused {
                status,
                message: error.message.chars().take(LONGEST_SENTENCE).collect(),
                code: error.code,
                kind: error.kind,
            }),
        }
    }
}

impl Body {
    fn empty() -> Body {
        Body {
            error: Members::default(),
        }
    }
}

/// The permission that Stripe's sentence names: "Having the 'rak_…' permission would allow this request to continue".
fn permission_in(message: &str) -> Option<String> {
    let named = &message[message.find("rak_")?..];
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let end = named.find(|c| !plain(c)).unwrap_or(named.len());
    Some(named[..end].chars().take(64).collect())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn flag(headers: &HeaderMap, name: &str) -> Option<bool> {
    text(headers, name)?.parse().ok()
}
