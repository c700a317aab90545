//! Whether writes fail while the database still answers, as on a full disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::seam::Fault;

/// Set by a failed write. Only [`crate::store::Store::prove_writes`] clears it: another write may have succeeded
/// only because it was small, or wrote nothing.
#[derive(Clone, Default)]
pub(crate) struct Failing(Arc<AtomicBool>);

impl Failing {
    /// Notes the result of a write or a batch of writes.
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
