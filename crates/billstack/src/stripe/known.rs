//! Connections as last read, so that an event need not wait until its team's secrets are looked up and
//! opened.
//!
//! They decide only whether an event is read. The transaction that stores it checks that the team still has
//! that connection ([`intake::take_in`](billstack_store::intake::take_in)), whichever node changed it; and a
//! signature that does not match is checked against the database before it is refused.

use billstack_store::Thing;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use billstack_store::Refusal;
use billstack_store::stripe_connection::{self, Connection};
use billstack_store::teams;

use super::{SecretField, unsealed};
use crate::app::App;
use crate::error::{ApiError, Reason};
use crate::settings::SecretText;

/// The most teams that are known at a time.
const MOST: usize = 10_000;

/// A connection in use, and the secrets that its events are signed with.
#[derive(Debug)]
pub struct Opened {
    /// As the database had it.
    pub connection: Connection,
    secret: Option<SecretText>,
    old_secret: Option<SecretText>,
}

impl Opened {
    /// The secrets that are valid at a time.
    pub fn secrets(&self, now: Micros) -> impl Iterator<Item = &SecretText> {
        let old_until = self.connection.old_valid_until;
        let old_is_valid = old_until.is_some_and(|until| now < until);
        let old = self.old_secret.iter().filter(move |_| old_is_valid);
        self.secret.iter().chain(old)
    }

    /// The number of one of these secrets, by its place among them.
    pub fn version(&self, place: usize) -> i64 {
        let back = i64::try_from(place).unwrap_or(i64::MAX);
        self.connection.secret_version.saturating_sub(back)
    }
}

/// Connections by team.
#[derive(Debug, Default)]
pub struct KnownConnections(RwLock<HashMap<TeamId, Arc<Opened>>>);

impl KnownConnections {
    /// The team's connection as it was last read.
    pub fn get(&self, team_id: &TeamId) -> Option<Arc<Opened>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(team_id).map(Arc::clone)
    }

    /// Forgets the team's connection, and the secrets with it.
    pub fn remove(&self, team_id: &TeamId) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(team_id);
    }

    fn insert(&self, team_id: &TeamId, opened: Arc<Opened>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Starting over is enough: those in use are known again at their next event.
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(team_id.clone(), opened);
    }
}

impl App {
    /// Reads and opens a team's connection, and remembers it.
    ///
    /// # Errors
    /// There is no such team; or the team has no signing secret, so that no signature can be valid.
    pub async fn open_connection(&self, team_id: &TeamId) -> Result<Arc<Opened>, ApiError> {
        // A team that another node disconnected is forgotten at its next event.
        self.known_connections.remove(team_id);
        let team = team_id.clone();
        let read = self.store.point(move |tx| {
            let connection = stripe_connection::get(tx, &team)?;
            if connection.is_none() {
                teams::get(tx, &team)?.ok_or(Refusal::NotFound(Thing::Team))?;
            }
            Ok(connection)
        });
        let signs = |one: &Connection| one.is_active && one.webhook_secret.is_some();
        let connection = read.await?.filter(signs);
        let connection = connection.ok_or(ApiError::new(Reason::InvalidSignature))?;
        let field = SecretField::WebhookSecret;
        let open = |sealed: &Option<String>| {
            let opened = sealed
                .as_deref()
                .map(|s| unsealed(&self.cipher, team_id, field, s));
            opened.transpose()
        };
        let opened = Arc::new(Opened {
            secret: open(&connection.webhook_secret)?,
            // An old secret whose key is lost must not keep the new one from being used.
            old_secret: open(&connection.old_webhook_secret).unwrap_or_default(),
            connection,
        });
        self.known_connections.insert(team_id, Arc::clone(&opened));
        Ok(opened)
    }
}
