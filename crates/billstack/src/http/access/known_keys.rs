//! API keys that were valid a moment ago, so that a request need not look its key up first.
//!
//! What is known of a key decides only who gets as far as the handler. Every transaction looks
//! whether the key has been revoked since ([`Guard::recheck`](super::Guard::recheck)), on whichever
//! node that was done, and so does whoever refuses without one; nothing else about a key ever changes.
//! A read saves a transaction of its own by it, which was a tenth of its time. The places it was let
//! into are kept too, so that their ids are not hashed and copied again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use billstack_store::Place;
use billstack_store::api_keys::KeyOwner;

use super::Credential;

/// The most keys, and the most projects of one key, that are known at a time.
const MOST: usize = 10_000;

/// Keys by their hash.
#[derive(Debug, Default)]
pub struct KnownKeys(RwLock<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    owner: Arc<KeyOwner>,
    /// The projects it was used for, by their ids; they exist, and projects are not deleted.
    places: HashMap<String, Arc<Place>>,
}

impl KnownKeys {
    /// The key and the place, if it was let into this project of this team before.
    pub(super) fn get(
        &self,
        credential: &Credential,
        team_id: &str,
        project_id: &str,
    ) -> Option<(Arc<KeyOwner>, Arc<Place>)> {
        let hash = credential.api_key()?;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(hash)?;
        let place = known.places.get(project_id)?;
        let is_there = place.team_id.as_str() == team_id;
        is_there.then(|| (Arc::clone(&known.owner), Arc::clone(place)))
    }

    /// Remembers a key that was let into a project.
    pub(super) fn insert(&self, hash: &str, place: Arc<Place>, owner: KeyOwner) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Starting over is enough: those in use are known again at their next request.
        if known.len() >= MOST && !known.contains_key(hash) {
            known.clear();
        }
        let entry = known.entry(hash.to_owned()).or_insert_with(|| Known {
            owner: Arc::new(owner),
            places: HashMap::new(),
        });
        if entry.places.len() >= MOST {
            entry.places.clear();
        }
        let project_id = place.project_id.to_string();
        entry.places.insert(project_id, place);
    }

    /// Forgets a key.
    pub(super) fn remove(&self, credential: &Credential) {
        let Some(hash) = credential.api_key() else {
            return;
        };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(hash);
    }
}
