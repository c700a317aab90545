//! The time a client may take: for a request head, and for taking its answer.
//!
//! Hyper has one clock for waiting between requests and for the head of a request together. It serves
//! as the limit of an idle connection; the tighter limit of a head is kept here. So is that of an answer:
//! whoever takes a byte of it now and then is never still, and would hold its memory for ever.

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
    /// Nothing, for as long as an idle connection may be kept open, since then.
    Idle(Instant),
}

#[derive(Debug)]
struct State {
    stage: Stage,
    /// Until when the client must have taken all that it was answered; none when it has.
    owed: Option<Instant>,
    /// Whether all of the last answer has been handed over for sending.
    is_handed_over: bool,
}

/// Follows a connection from head to answer; clones follow the same one.
#[derive(Debug, Clone)]
pub(super) struct ClientClock(Arc<Mutex<State>>);

impl ClientClock {
    /// The clock of a new connection, from which a first head is awaited at once.
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(State {
            stage: Stage::Head(Instant::now()),
            owed: None,
            is_handed_over: true,
        })))
    }

    /// Bytes have arrived: the first ones after an answer begin the next head.
    pub(super) fn received(&self) {
        self.with(|state| {
            if matches!(state.stage, Stage::Idle(_)) {
                state.stage = Stage::Head(Instant::now());
            }
        });
    }

    /// A head is complete.
    pub(super) fn head_ended(&self) {
        self.with(|state| state.stage = Stage::Request);
    }

    /// A request whose body has been read whole is answered.
    pub(super) fn answered(&self) {
        self.with(|state| state.stage = Stage::Idle(Instant::now()));
    }

    /// An answer is about to be sent, for which the client gets so long; `wait` comes once for all the answers
    /// that it has not taken yet.
    pub(super) fn owes(&self, wait: Duration, sending: Duration) {
        self.with(|state| {
            let owed = state.owed.unwrap_or_else(|| Instant::now() + wait);
            state.owed = Some(owed + sending);
            state.is_handed_over = false;
        });
    }

    /// The next part of an answer of unknown length is about to be sent; the client took those before it.
    pub(super) fn owes_next(&self, limit: Duration) {
        self.with(|state| state.owed = Some(Instant::now() + limit));
    }

    /// All of the answer is on its way through our own buffers.
    pub(super) fn handed_over(&self) {
        self.with(|state| state.is_handed_over = true);
    }

    /// Our own buffers are empty.
    pub(super) fn flushed(&self) {
        self.with(|state| {
            if state.is_handed_over {
                state.owed = None;
            }
        });
    }

    /// Since when the client has neither asked for anything nor been answered; none while it does or is.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        self.with(|state| match state.stage {
            Stage::Head(since) | Stage::Idle(since) => Some(since).filter(|_| state.owed.is_none()),
            Stage::Request => None,
        })
    }

    /// Completes when a head has taken longer than `limit`, or the taking of an answer too long.
    ///
    /// It looks when a head that is under way, or could begin now, would be late. That costs a request
    /// nothing, and no late head is missed.
    pub(super) async fn late(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let due = self.with(|state| {
                let head = match state.stage {
                    Stage::Head(begun) => Some(begun + limit),
                    _ => None,
                };
                head.into_iter().chain(state.owed).min()
            });
            if due.is_some_and(|due| due <= now) {
                return;
            }
            let next_look = now + limit;
            sleep_until(due.map_or(next_look, |due| due.min(next_look))).await;
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
