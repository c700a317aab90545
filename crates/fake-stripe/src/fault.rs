//! Faults that a test orders in advance.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status and does nothing. A 429 carries `Retry-After: 1` unless the injection
    /// sets another. A 500 is kept for the idempotency key, as Stripe does; other statuses are not.
    Status(u16),
    /// Does the work, then answers this status; kept for the idempotency key.
    StatusAfterCommit(u16),
    /// Waits, then does the work and answers. The work is done even if the caller has left by then.
    Hang(Duration),
    /// Breaks the connection with a TCP reset before any work.
    Reset,
    /// Does the work, keeps its answer for the idempotency key, then breaks the connection with a
    /// TCP reset, so that the caller cannot know.
    ResetAfterCommit,
}

/// An order for a fault: which calls it meets and how often.
#[derive(Debug, Clone)]
pub struct Injection {
    fault: Fault,
    times: usize,
    method: Option<String>,
    path_prefix: Option<String>,
    headers: Vec<(String, String)>,
    code: Option<String>,
}

impl Injection {
    /// The next call of any kind meets `fault`.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            times: 1,
            method: None,
            path_prefix: None,
            headers: Vec::new(),
            code: None,
        }
    }

    /// The next `times` matching calls, instead of one.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Only calls with this method, such as `POST`.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self {
            method: Some(method.to_ascii_uppercase()),
            ..self
        }
    }

    /// Only calls whose path begins so, such as `/v1/customers`.
    #[must_use]
    pub fn path(self, prefix: &str) -> Self {
        Self {
            path_prefix: Some(prefix.to_owned()),
            ..self
        }
    }

    /// Adds a header to the answer of a status fault, such as `Stripe-Should-Retry` or `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets `error.code` in the answer of a status fault.
    #[must_use]
    pub fn code(self, code: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..self
        }
    }

    pub(crate) fn fault(&self) -> &Fault {
        &self.fault
    }

    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(crate) fn error_code(&self) -> Option<String> {
        self.code.clone()
    }

    fn meets(&self, method: &Method, path: &str) -> bool {
        self.times > 0
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted == method.as_str())
            && self
                .path_prefix
                .as_deref()
                .is_none_or(|prefix| path.starts_with(prefix))
    }
}

/// The status of a fault; one that is no HTTP status counts as 500.
pub(crate) fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The faults that are still to happen, in the order in which they were injected.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Injection>>);

impl Faults {
    pub(crate) fn inject(&self, injection: Injection) {
        self.pending().push(injection);
    }

    pub(crate) fn clear(&self) {
        self.pending().clear();
    }

    /// How many calls are still to be hit.
    pub(crate) fn left(&self) -> usize {
        self.pending().iter().map(|injection| injection.times).sum()
    }

    /// The fault that this call meets, which is thereby used up once.
    pub(crate) fn take(&self, method: &Method, path: &str) -> Option<Injection> {
        let mut pending = self.pending();
        let met = pending
            .iter_mut()
            .find(|injection| injection.meets(method, path))?;
        met.times -= 1;
        let met = met.clone();
        pending.retain(|injection| injection.times > 0);
        Some(met)
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Vec<Injection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
