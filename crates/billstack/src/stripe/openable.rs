//! Whether this node can open the secrets in the database.
//!
//! After a restore without the key, or on a node with another one, everything works but what needs a secret, and
//! webhooks would be the first to fail: no balancer should send them to this node.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use billstack_core::ids::TeamId;
use billstack_core::time::SECOND;
use billstack_store::stripe_connection::{self, Connection};

use super::SecretField;
use crate::app::App;
use crate::error::ApiError;

/// How long an answer counts: anybody may ask whether the node is ready, and looking takes a read of all teams.
const LASTS: i64 = 10 * SECOND;

/// What was found when the secrets were looked at last.
#[derive(Debug)]
pub struct Openable {
    at: AtomicI64,
    opened: AtomicBool,
}

impl Default for Openable {
    fn default() -> Openable {
        Openable {
            at: AtomicI64::new(i64::MIN),
            opened: AtomicBool::new(true),
        }
    }
}

impl App {
    /// Whether the key of this node opens most of the teams' secrets. One that does not open where others do is that
    /// team's trouble, and must not stop all nodes.
    pub async fn opens_secrets(&self) -> Result<bool, ApiError> {
        let (now, before) = (self.now().0, self.openable.at.load(Ordering::Relaxed));
        if (before..before.saturating_add(LASTS)).contains(&now) {
            return Ok(self.openable.opened.load(Ordering::Relaxed));
        }
        let active = self.store.scan(|tx| Ok(stripe_connection::active(tx)?));
        let active = active.await?;
        let secrets = active
            .iter()
            .flat_map(|(team, connection)| sealed(team, connection));
        let opens = |(team, field, sealed): (&TeamId, SecretField, &str)| {
            self.cipher.open(sealed, &field.context(team)).is_ok()
        };
        let (open, closed): (Vec<bool>, Vec<bool>) = secrets.map(opens).partition(|opens| *opens);
        let is_ours = closed.is_empty() || open.len() > closed.len();
        self.openable.opened.store(is_ours, Ordering::Relaxed);
        self.openable.at.store(now, Ordering::Relaxed);
        Ok(is_ours)
    }
}

/// The secrets of a connection that are in use.
pub fn sealed<'c>(
    team_id: &'c TeamId,
    connection: &'c Connection,
) -> impl Iterator<Item = (&'c TeamId, SecretField, &'c str)> {
    let fields = [
        (SecretField::SecretKey, &connection.secret_key),
        (SecretField::WebhookSecret, &connection.webhook_secret),
    ];
    fields
        .into_iter()
        .filter_map(move |(field, sealed)| Some((team_id, field, sealed.as_deref()?)))
}
