//! Faults that a test orders in advance.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use tokio::sync::Notify;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status and does nothing. A 429 carries `Retry-After: 1` unless the injection
    /// sets another or says why. A 500 is kept for the idempotency key, as Stripe does; other
    /// statuses are not.
    Status(u16),
    /// Does the work, then answers this status; kept for the idempotency key.
    StatusAfterCommit(u16),
    /// Waits, then does the work and answers. The work is done even if the caller has left by then. The
    /// wait ends early when the faults are cleared.
    Hang(Duration),
    /// Does the work, keeps its answer for the idempotency key, and then waits before it answers, as
    /// `Hang` does.
    HangAfterCommit(Duration),
    /// Breaks the connection with a TCP reset before any work.
    Reset,
    /// Does the work, keeps its answer for the idempotency key, then breaks the connection with a
    /// TCP reset, so that the caller cannot know.
    ResetAfterCommit,
    /// Does the work, keeps its answer for the idempotency key, and answers 200 with half of it.
    Unreadable,
    /// Answers this status with a page of HTML, as a proxy on the way does, and does nothing.
    ProxyPage(u16),
    /// Does the work, keeps its answer for the idempotency key, and answers as `ProxyPage` does.
    ProxyPageAfterCommit(u16),
}

/// Why Stripe refuses calls for their number: the `Stripe-Rate-Limited-Reason` of a 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// Too many calls a second in all.
    GlobalRate,
    /// Too many calls a second of one kind.
    EndpointRate,
    /// Too many calls at once in all.
    GlobalConcurrency,
    /// Too many calls at once of one kind.
    EndpointConcurrency,
    /// Too many calls for one object.
    ResourceSpecific,
}

impl RateLimit {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::GlobalRate,
        Self::EndpointRate,
        Self::GlobalConcurrency,
        Self::EndpointConcurrency,
        Self::ResourceSpecific,
    ];

    /// The value of the header.
    pub fn reason(self) -> &'static str {
        match self {
            Self::GlobalRate => "global-rate",
            Self::EndpointRate => "endpoint-rate",
            Self::GlobalConcurrency => "global-concurrency",
            Self::EndpointConcurrency => "endpoint-concurrency",
            Self::ResourceSpecific => "resource-specific",
        }
    }
}

/// The header that says why a call was one too many.
pub(crate) const REASON: &str = "stripe-rate-limited-reason";

/// An order for a fault: which calls it meets and how often.
#[derive(Debug, Clone)]
pub struct Injection {
    fault: Fault,
    skip: usize,
    times: usize,
    method: Option<String>,
    path_prefix: Option<String>,
    path_suffix: Option<String>,
    headers: Vec<(String, String)>,
    code: Option<String>,
    message: Option<String>,
}

impl Injection {
    /// The next call of any kind meets `fault`.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            skip: 0,
            times: 1,
            method: None,
            path_prefix: None,
            path_suffix: None,
            headers: Vec::new(),
            code: None,
            message: None,
        }
    }

    /// The next call is one too many: 429 with the reason, and without `Retry-After`.
    pub fn rate_limited(limit: RateLimit) -> Self {
        Self::new(Fault::Status(429)).header(REASON, limit.reason())
    }

    /// The next call finds its object in use by another: 429 with the code `lock_timeout`, and without
    /// a reason. See also `FakeStripe::refuse_overlap`.
    pub fn lock_timeout() -> Self {
        Self::new(Fault::Status(429)).code("lock_timeout")
    }

    /// The next call lacks this permission, such as `rak_customer_write`: 403 with the sentence that
    /// names it.
    pub fn missing_permission(permission: &str) -> Self {
        Self::new(Fault::Status(403)).message(&format!(
            "The provided key does not have the required permissions for this endpoint. \
             Having the '{permission}' permission would allow this request to continue."
        ))
    }

    /// Lets `calls` matching calls pass before the first one meets the fault.
    #[must_use]
    pub fn skip(self, calls: usize) -> Self {
        Self {
            skip: calls,
            ..self
        }
    }

    /// The next `times` matching calls, instead of one.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Every matching call, until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
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

    /// Only calls whose path ends so, such as `/balance_transactions`.
    #[must_use]
    pub fn path_ending(self, suffix: &str) -> Self {
        Self {
            path_suffix: Some(suffix.to_owned()),
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

    /// Sets `error.message` in the answer of a status fault.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self {
            message: Some(message.to_owned()),
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

    pub(crate) fn error_message(&self) -> Option<String> {
        self.message.clone()
    }

    fn meets(&self, method: &Method, path: &str) -> bool {
        let is_wanted = |wanted: &Option<String>, meets: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(meets)
        };
        self.times > 0
            && is_wanted(&self.method, &|wanted| wanted == method.as_str())
            && is_wanted(&self.path_prefix, &|prefix| path.starts_with(prefix))
            && is_wanted(&self.path_suffix, &|suffix| path.ends_with(suffix))
    }

    /// Counts a call that it meets; true when this one is to fail.
    fn strike(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.times < usize::MAX {
            self.times -= 1;
        }
        true
    }
}

/// The status of a fault; one that is no HTTP status counts as 500.
pub(crate) fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The faults that are still to happen, in the order in which they were injected.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Mutex<Vec<Injection>>,
    cleared: Notify,
}

impl Faults {
    pub(crate) fn inject(&self, injection: Injection) {
        self.pending().push(injection);
    }

    /// Takes back those to come, and ends the waits of those under way.
    pub(crate) fn clear(&self) {
        self.pending().clear();
        self.cleared.notify_waiters();
    }

    /// Waits for this time, or until the faults are cleared.
    pub(crate) async fn wait(&self, time: Duration) {
        tokio::time::timeout(time, self.cleared.notified())
            .await
            .ok();
    }

    /// How many calls are still to be hit.
    pub(crate) fn left(&self) -> usize {
        let pending = self.pending();
        let times = pending.iter().map(|injection| injection.times);
        times.fold(0, usize::saturating_add)
    }

    /// The fault that this call meets, which is thereby used up once.
    pub(crate) fn take(&self, method: &Method, path: &str) -> Option<Injection> {
        let mut pending = self.pending();
        let mut matching = pending
            .iter_mut()
            .filter(|injection| injection.meets(method, path));
        let met = matching.find_map(|injection| injection.strike().then(|| injection.clone()));
        pending.retain(|injection| injection.times > 0);
        met
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Vec<Injection>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
