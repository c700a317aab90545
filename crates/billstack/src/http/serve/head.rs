//! The time a request head may take.
//!
//! Hyper has one clock for waiting between requests and for the head of a request together. It serves
//! as the limit of an idle connection; the tighter limit of a head is kept here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What the client of a connection is expected to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Sending a head, since then.
    Head(Instant),
    /// Waiting for the answer.
    Request,
    /// Nothing, for as long as an idle connection may be kept open.
    Idle,
}

/// Follows a connection from head to answer; clones follow the same one.
#[derive(Debug, Clone)]
pub(super) struct HeadClock(Arc<Mutex<Stage>>);

impl HeadClock {
    /// The clock of a new connection, from which a first head is awaited at once.
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Stage::Head(Instant::now()))))
    }

    /// Bytes have arrived: the first ones after an answer begin the next head.
    pub(super) fn received(&self) {
        self.update(|stage| match stage {
            Stage::Idle => Stage::Head(Instant::now()),
            other => other,
        });
    }

    /// A head is complete.
    pub(super) fn head_ended(&self) {
        self.update(|_| Stage::Request);
    }

    /// A request whose body has been read whole is answered.
    pub(super) fn answered(&self) {
        self.update(|_| Stage::Idle);
    }

    /// Completes when a head has taken longer than `limit`.
    ///
    /// It looks when a head that is under way, or could begin now, would be late. That costs a request
    /// nothing, and no late head is missed.
    pub(super) async fn late(&self, limit: Duration) {
        loop {
            let before = self.update(|stage| stage);
            let begun = match before {
                Stage::Head(begun) => begun,
                _ => Instant::now(),
            };
            sleep_until(begun + limit).await;
            if matches!(before, Stage::Head(_)) && self.update(|stage| stage) == before {
                return;
            }
        }
    }

    fn update(&self, next: impl FnOnce(Stage) -> Stage) -> Stage {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = next(*stage);
        *stage
    }
}
