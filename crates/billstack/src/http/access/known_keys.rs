//! API keys that were valid a moment ago, so that a request need not look its key up first.
//!
//! What is known of a key decides only who gets as far as the handler. Every transaction looks
//! whether the key has been revoked since ([`Guard::recheck`](super::Guard::recheck)), on whichever
//! node that was done; nothing else about a key ever changes. A read saves a transaction of its own
//! by it, which was a tenth of its time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use billstack_store::api_keys::KeyOwner;

/// The most keys, and the most projects of one key, that are known at a time.
const MOST: usize = 10_000;

/// Keys by their hash.
#[derive(Debug, Default)]
pub struct KnownKeys(RwLock<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    owner: Arc<KeyOwner>,
    /// The projects it was used for; they exist, and projects are not deleted.
    projects: HashSet<String>,
}

impl KnownKeys {
    /// The key with this hash, if it was let into this project before.
    pub(super) fn get(&self, hash: &str, project_id: &str) -> Option<Arc<KeyOwner>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(hash)?;
        let owner = known.projects.contains(project_id).then_some(&known.owner);
        owner.map(Arc::clone)
    }

    /// Remembers a key that was let into a project.
    pub(super) fn insert(&self, hash: &str, project_id: &str, owner: KeyOwner) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Starting over is enough: those in use are known again at their next request.
        if known.len() >= MOST && !known.contains_key(hash) {
            known.clear();
        }
        let entry = known.entry(hash.to_owned()).or_insert_with(|| Known {
            owner: Arc::new(owner),
            projects: HashSet::new(),
        });
        if entry.projects.len() >= MOST {
            entry.projects.clear();
        }
        entry.projects.insert(project_id.to_owned());
    }

    /// Forgets a key.
    pub(super) fn remove(&self, hash: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(hash);
    }
}
