//! Connections that can be used again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::url::{Host, Target};
use super::connection::Connection;

/// How long a connection waits for its next request.
const LONGEST_IDLE: Duration = Duration::from_secs(10);

/// How many wait at most.
const MOST: usize = 64;

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    is_tls: bool,
    host: Host,
    port: u16,
}

impl Place {
    fn of(target: &Target) -> Place {
        Place {
            is_tls: target.is_tls(),
            host: target.host().clone(),
            port: target.port(),
        }
    }
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_usable(&self) -> bool {
        self.connection.is_usable() && self.since.elapsed() < LONGEST_IDLE
    }
}

/// The connections that wait.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<Place, Vec<Idle>>>);

impl Pool {
    /// Takes a connection to a target that goes to one of the addresses that its host has now.
    pub(super) fn take(&self, target: &Target, addresses: &[SocketAddr]) -> Option<Connection> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = places.get_mut(&Place::of(target))?;
        waiting.retain(|idle| idle.is_usable() && addresses.contains(&idle.connection.peer()));
        waiting.pop().map(|idle| idle.connection)
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(&self, target: &Target, connection: Connection) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, waiting| {
            waiting.retain(Idle::is_usable);
            !waiting.is_empty()
        });
        if places.values().map(Vec::len).sum::<usize>() >= MOST {
            return;
        }
        let since = Instant::now();
        let waiting = places.entry(Place::of(target)).or_default();
        waiting.push(Idle { connection, since });
    }
}
