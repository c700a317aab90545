//! Whether writes fail although the database answers, as on a full disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::tx::Fault;

/// Set by a write that the database did not take. Only [`crate::store::Store::prove_writes`] clears it:
/// that another write went through may mean no more than that it was small, or that it wrote nothing.
#[derive(Clone, Default)]
pub(crate) struct Failing(Arc<AtomicBool>);

impl Failing {
    /// Looks at how a write, or a batch of them, ended.
    pub(crate) fn note(&self, ended: &Result<(), Fault>) {
        if let Err(Fault::Unavailable(_) | Fault::Unknown(_)) = ended {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
