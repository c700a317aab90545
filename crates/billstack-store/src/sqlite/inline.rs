//! Point look-ups on the calling thread, over a connection that belongs to this store and thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::connection::{SqliteTx, open_reader, step};
use crate::tx::{Abort, Fault, Tx};

thread_local! {
    /// One connection per store, because many servers may run in one process (tests do).
    static CONNECTIONS: RefCell<HashMap<u64, Rc<Connection>>> = RefCell::new(HashMap::new());
}

static NEXT_STORE: AtomicU64 = AtomicU64::new(0);

/// Runs bounded reads where they are called. Long-lived threads only: each keeps its connection.
pub(crate) struct Inline {
    store: u64,
    path: PathBuf,
}

impl Inline {
    /// Connections are opened when a thread first reads.
    pub(crate) fn new(path: PathBuf) -> Inline {
        Inline {
            store: NEXT_STORE.fetch_add(1, Ordering::Relaxed),
            path,
        }
    }

    /// Runs `read` in a read transaction of its own.
    pub(crate) fn run<T>(
        &self,
        read: impl FnOnce(&mut dyn Tx) -> Result<T, Abort>,
    ) -> Result<T, Abort> {
        let connection = self.connection()?;
        if !connection.is_autocommit() {
            // An earlier read panicked and left its transaction open.
            step(&connection, "ROLLBACK")?;
        }
        step(&connection, "BEGIN")?;
        let outcome = read(&mut SqliteTx(&connection));
        step(&connection, "COMMIT")?;
        outcome
    }

    fn connection(&self) -> Result<Rc<Connection>, Fault> {
        CONNECTIONS.with_borrow_mut(|connections| {
            if let Some(connection) = connections.get(&self.store) {
                return Ok(Rc::clone(connection));
            }
            let connection = Rc::new(open_reader(&self.path)?);
            connections.insert(self.store, Rc::clone(&connection));
            Ok(connection)
        })
    }
}

impl Drop for Inline {
    fn drop(&mut self) {
        // Other threads close theirs when they end.
        let _ = CONNECTIONS.try_with(|connections| {
            connections
                .try_borrow_mut()
                .map(|mut open| open.remove(&self.store))
        });
    }
}
