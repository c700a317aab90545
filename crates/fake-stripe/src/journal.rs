//! What was received, for assertions.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// One request as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The parameters of the query (GET, DELETE) or of the form body (POST), brackets resolved.
    pub params: Value,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// The API key.
    pub api_key: Option<String>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The `Stripe-Version` header.
    pub stripe_version: Option<String>,
    /// The `Stripe-Context` header.
    pub stripe_context: Option<String>,
    /// The `Request-Id` given to it.
    pub request_id: String,
    /// The status it was answered with; none while it is being worked on, or when its connection was
    /// broken on purpose.
    pub answered: Option<u16>,
}

/// The list of received requests.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Vec<Received>>);

impl Journal {
    pub(crate) fn push(&self, received: Received) {
        self.entries().push(received);
    }

    pub(crate) fn answered(&self, request_id: &str, status: u16) {
        if let Some(entry) = self
            .entries()
            .iter_mut()
            .rev()
            .find(|entry| entry.request_id == request_id)
        {
            entry.answered = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.entries().clone()
    }

    pub(crate) fn clear(&self) {
        self.entries().clear();
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
