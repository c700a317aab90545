//! How much is sent at once: so much by a node, so much to an endpoint, and less to one that is slow.
//!
//! A lane begins with one delivery at a time and gets more as its endpoint answers promptly. So an endpoint that
//! hangs holds one slot rather than four, and all that hang together never hold all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use billstack_core::webhook::attempt::AttemptError;
use billstack_store::Lane;
use billstack_store::webhooks::{AT_ONCE, Attempt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many deliveries a node sends at once.
const ALL: usize = 64;

/// How many of those may go to endpoints that were slow the last time.
const SLOW: usize = 48;

/// How long a prompt answer takes at most, in milliseconds.
const PROMPT: i64 = 5_000;

/// How many lanes are remembered before they are all forgotten: nothing but speed hangs on it.
const MOST_REMEMBERED: usize = 10_000;

/// How an endpoint answered lately, on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// How many deliveries it gets at once.
    pub(super) width: usize,
    is_slow: bool,
}

impl Pace {
    const FIRST: Pace = Pace {
        width: 1,
        is_slow: false,
    };

    fn after(self, attempt: &Attempt) -> Pace {
        let is_slow = attempt.error == Some(AttemptError::Timeout) || attempt.duration_ms > PROMPT;
        let most = usize::try_from(AT_ONCE).unwrap_or(1);
        Pace {
            width: if is_slow {
                1
            } else {
                (self.width * 2).min(most)
            },
            is_slow,
        }
    }
}

/// The slots of a node.
pub(super) struct Slots {
    all: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    paces: Mutex<HashMap<Lane, Pace>>,
}

/// The right to send one delivery.
pub(super) struct Slot {
    _one: OwnedSemaphorePermit,
    _slow: Option<OwnedSemaphorePermit>,
}

impl Default for Slots {
    fn default() -> Slots {
        Slots {
            all: Arc::new(Semaphore::new(ALL)),
            slow: Arc::new(Semaphore::new(SLOW)),
            paces: Mutex::default(),
        }
    }
}

impl Slots {
    /// How a lane is served now.
    pub(super) fn pace(&self, lane: &Lane) -> Pace {
        let paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.get(lane).copied().unwrap_or(Pace::FIRST)
    }

    /// Remembers how an endpoint answered.
    pub(super) fn answered(&self, lane: &Lane, attempt: &Attempt) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if paces.len() >= MOST_REMEMBERED {
            paces.clear();
        }
        let pace = paces.entry(lane.clone()).or_insert(Pace::FIRST);
        *pace = pace.after(attempt);
    }

    /// Waits for a slot. Lanes get them in the order in which they ask.
    pub(super) async fn take(&self, pace: Pace) -> Option<Slot> {
        let slow = match pace.is_slow {
            true => Some(Arc::clone(&self.slow).acquire_owned().await.ok()?),
            false => None,
        };
        let one = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Slot {
            _one: one,
            _slow: slow,
        })
    }

    /// A slot, if one is free.
    pub(super) fn try_take(&self, pace: Pace) -> Option<Slot> {
        let slow = match pace.is_slow {
            true => Some(Arc::clone(&self.slow).try_acquire_owned().ok()?),
            false => None,
        };
        let one = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Slot {
            _one: one,
            _slow: slow,
        })
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::time::Micros;

    use super::*;

    fn lane(number: i64) -> Lane {
        Lane {
            team: number,
            project: 1,
            endpoint_id: "whe_1".to_owned(),
        }
    }

    fn attempt(duration_ms: i64, error: Option<AttemptError>) -> Attempt {
        Attempt {
            at: Micros(0),
            duration_ms,
            status: None,
            error,
            answer: None,
        }
    }

    #[test]
    fn a_prompt_endpoint_gets_more_at_once_and_a_slow_one_less() {
        let (slots, lane) = (Slots::default(), lane(1));
        let mut widths = Vec::new();
        for _ in 0..4 {
            widths.push(slots.pace(&lane).width);
            slots.answered(&lane, &attempt(20, Some(AttemptError::Connect)));
        }
        assert_eq!(widths, [1, 2, 4, 4]);
        for slow in [
            attempt(15_000, Some(AttemptError::Timeout)),
            attempt(14_000, None),
        ] {
            slots.answered(&lane, &attempt(20, None));
            slots.answered(&lane, &slow);
            assert_eq!(slots.pace(&lane).width, 1);
            assert!(slots.pace(&lane).is_slow);
        }
        slots.answered(&lane, &attempt(20, None));
        assert!(!slots.pace(&lane).is_slow, "it is given another chance");
    }

    #[test]
    fn slow_endpoints_never_hold_all_slots() {
        let slots = Slots::default();
        let slow = Pace {
            width: 1,
            is_slow: true,
        };
        let held: Vec<_> = (0..ALL).filter_map(|_| slots.try_take(slow)).collect();
        assert_eq!(held.len(), SLOW);
        let others: Vec<_> = (0..ALL)
            .filter_map(|_| slots.try_take(Pace::FIRST))
            .collect();
        assert_eq!(others.len(), ALL - SLOW);
        drop(held);
        assert!(slots.try_take(slow).is_some(), "they were given back");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let slots = Slots::default();
        for number in 0..25_000 {
            slots.answered(&lane(number), &attempt(20, None));
        }
        let remembered = slots.paces.lock().expect("no panic").len();
        assert!(remembered <= MOST_REMEMBERED);
    }
}
