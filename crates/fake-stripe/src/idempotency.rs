//! Answers kept per idempotency key, for a day of the fake's clock.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use serde_json::Value;

use crate::error::StripeError;

const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// What tells one request from another under the same key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fingerprint {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) params: Value,
}

/// An answer as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    pub(crate) request_id: String,
}

#[derive(Debug)]
struct Entry {
    fingerprint: Fingerprint,
    began: i64,
    /// Absent while the first request is being worked on.
    saved: Option<Saved>,
}

/// Keys are apart for test mode and live mode.
type ScopedKey = (bool, String);

/// The answers kept so far.
#[derive(Debug, Default)]
pub(crate) struct Replies(Mutex<HashMap<ScopedKey, Entry>>);

impl Replies {
    /// Claims a key for a request: `None` when the request is to be worked on, the kept answer when
    /// it was made before.
    pub(crate) fn begin(
        &self,
        key: &ScopedKey,
        fingerprint: Fingerprint,
        now: i64,
    ) -> Result<Option<Saved>, StripeError> {
        let mut entries = self.entries();
        entries.retain(|_, entry| entry.saved.is_none() || now - entry.began < KEPT_SECONDS);
        let Some(entry) = entries.get(key) else {
            entries.insert(
                key.clone(),
                Entry {
                    fingerprint,
                    began: now,
                    saved: None,
                },
            );
            return Ok(None);
        };
        if entry.fingerprint != fingerprint {
            let message = format!(
                "The idempotency key '{}' was first used for another request; use a new key for a new request.",
                key.1
            );
            return Err(StripeError::key_reused(message));
        }
        match &entry.saved {
            Some(saved) => Ok(Some(saved.clone())),
            None => Err(StripeError::key_in_use()),
        }
    }

    /// Keeps the answer for the key.
    pub(crate) fn keep(&self, key: &ScopedKey, saved: Saved) {
        if let Some(entry) = self.entries().get_mut(key) {
            entry.saved = Some(saved);
        }
    }

    /// Gives the key back unless an answer was kept for it.
    pub(crate) fn release(&self, key: &ScopedKey) {
        let mut entries = self.entries();
        if entries.get(key).is_some_and(|entry| entry.saved.is_none()) {
            entries.remove(key);
        }
    }

    /// Forgets every answer, as if a day had gone by. What is being worked on stays.
    pub(crate) fn forget(&self) {
        self.entries().retain(|_, entry| entry.saved.is_none());
    }

    /// The keys in use at `now`, with their mode.
    pub(crate) fn keys(&self, now: i64) -> Vec<ScopedKey> {
        let entries = self.entries();
        let known = entries
            .iter()
            .filter(|(_, entry)| entry.saved.is_none() || now - entry.began < KEPT_SECONDS);
        known.map(|(key, _)| key.clone()).collect()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<ScopedKey, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
