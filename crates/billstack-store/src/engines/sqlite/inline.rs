//! Point look-ups on the calling thread, over a connection of this store and thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use self_cell::self_cell;

use super::connection::open_reader;
use super::transaction::SqliteTx;
use crate::seam::Abort;
use crate::seam::{Fault, Tx};

self_cell!(
    /// A connection together with the statements prepared on it.
    struct Reader {
        owner: Connection,
        #[not_covariant]
        dependent: SqliteTx,
    }
);

thread_local! {
    /// One reader per store, because a process may run many servers, as tests do.
    static READERS: RefCell<HashMap<u64, Reader>> = RefCell::new(HashMap::new());
}

static NEXT_STORE: AtomicU64 = AtomicU64::new(0);

/// Runs bounded reads on the calling thread. Each thread keeps a connection, so it should be long-lived.
pub(crate) struct Inline {
    store: u64,
    path: PathBuf,
}

impl Inline {
    /// Opens no connection yet: each thread does so at its first read.
    pub(crate) fn new(path: PathBuf) -> Inline {
        Inline {
            store: NEXT_STORE.fetch_add(1, Ordering::Relaxed),
            path,
        }
    }

    /// Runs `read` in a transaction of its own. `read` must not call this again.
    pub(crate) fn run<T, R>(
        &self,
        read: impl FnOnce(&mut dyn Tx) -> Result<T, Abort<R>>,
    ) -> Result<T, Abort<R>> {
        READERS.with_borrow_mut(|readers| {
            let reader = match readers.entry(self.store) {
                Entry::Occupied(reader) => reader.into_mut(),
                Entry::Vacant(free) => free.insert(self.open()?),
            };
            reader.with_dependent_mut(|_, tx| in_transaction(tx, read))
        })
    }

    fn open(&self) -> Result<Reader, Fault> {
        let connection = open_reader(&self.path)?;
        Ok(Reader::new(connection, |open| SqliteTx::new(open)))
    }
}

fn in_transaction<T, R>(
    tx: &mut SqliteTx<'_>,
    read: impl FnOnce(&mut dyn Tx) -> Result<T, Abort<R>>,
) -> Result<T, Abort<R>> {
    if !tx.connection().is_autocommit() {
        // The previous read panicked.
        tx.step("ROLLBACK")?;
    }
    tx.step("BEGIN")?;
    let outcome = read(tx);
    tx.step("COMMIT")?;
    outcome
}

impl Drop for Inline {
    fn drop(&mut self) {
        // Other threads close theirs when they exit.
        let _ = READERS.try_with(|readers| {
            let open = readers.try_borrow_mut();
            open.map(|mut open| open.remove(&self.store))
        });
    }
}
