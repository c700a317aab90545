//! Point look-ups on the calling thread, over a connection that belongs to this store and thread.
//!
//! To begin and end a read transaction takes a tenth of the time of a look-up: two locks on the log, which
//! all threads take in turn. So look-ups that follow each other on a thread share one, for as long as nothing is
//! committed and the thread has work; and a key that one of them has found sound is so for the others, which
//! is another twentieth.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use self_cell::self_cell;

use super::commits::Commits;
use super::connection::open_reader;
use super::transaction::SqliteTx;
use crate::Abort;
use crate::tx::{Fault, Tx};

/// Look-ups that may share a transaction: it keeps the log from being begun anew, and does not see what
/// another process (a command line tool) commits.
const MOST_SHARED: u32 = 64;

self_cell!(
    /// A connection together with the statements prepared on it.
    struct Statements {
        owner: Connection,
        #[not_covariant]
        dependent: SqliteTx,
    }
);

/// A connection for reads, and the transaction that is left open on it.
struct Reader {
    statements: Statements,
    shared: Option<Shared>,
}

/// A transaction that further look-ups may share.
#[derive(Clone, Copy)]
struct Shared {
    /// How many commits there had been before it began.
    commits: u64,
    look_ups: u32,
}

thread_local! {
    /// One reader per store, because many servers may run in one process (tests do).
    static READERS: RefCell<HashMap<u64, Reader>> = RefCell::new(HashMap::new());
    /// Whether this thread says when it has no work.
    static RESTS: Cell<bool> = const { Cell::new(false) };
}

static NEXT_STORE: AtomicU64 = AtomicU64::new(0);

/// Runs bounded reads where they are called. Long-lived threads only: each keeps its connection.
pub(crate) struct Inline {
    store: u64,
    path: PathBuf,
    commits: Arc<Commits>,
}

/// See [`crate::store::rest`].
pub(crate) fn rest() {
    RESTS.set(true);
    READERS.with_borrow_mut(|readers| readers.values_mut().for_each(Reader::let_go));
}

impl Inline {
    /// Connections are opened when a thread first reads.
    pub(crate) fn new(path: PathBuf, commits: Arc<Commits>) -> Inline {
        Inline {
            store: NEXT_STORE.fetch_add(1, Ordering::Relaxed),
            path,
            commits,
        }
    }

    /// Runs `read` in a read transaction that has seen every commit. It must not read inline itself.
    pub(crate) fn run<T>(
        &self,
        read: impl FnOnce(&mut dyn Tx) -> Result<T, Abort>,
    ) -> Result<T, Abort> {
        READERS.with_borrow_mut(|readers| {
            let reader = match readers.entry(self.store) {
                Entry::Occupied(reader) => reader.into_mut(),
                Entry::Vacant(free) => free.insert(self.open()?),
            };
            reader.run(&self.commits, read)
        })
    }

    /// Ends the transaction that look-ups of this thread share: there will be a commit.
    pub(crate) fn let_go(&self) {
        READERS.with_borrow_mut(|readers| readers.get_mut(&self.store).map(Reader::let_go));
    }

    fn open(&self) -> Result<Reader, Fault> {
        let connection = open_reader(&self.path)?;
        Ok(Reader {
            statements: Statements::new(connection, |open| SqliteTx::new(open)),
            shared: None,
        })
    }
}

impl Reader {
    fn run<T>(
        &mut self,
        commits: &Commits,
        read: impl FnOnce(&mut dyn Tx) -> Result<T, Abort>,
    ) -> Result<T, Abort> {
        // Looked at before the transaction begins: then it has seen at least these.
        let commits = commits.settled();
        // Out of the way first, so that nothing is shared after a panic.
        let shared = self
            .shared
            .take()
            .filter(|shared| Some(shared.commits) == commits && shared.look_ups < MOST_SHARED);
        let look_ups = shared.map_or(0, |shared| shared.look_ups) + 1;
        self.statements.with_dependent_mut(|_, tx| {
            if shared.is_none() {
                begin(tx)?;
            }
            let outcome = read(tx);
            let is_sound = !matches!(outcome, Err(Abort::Fault(_)));
            match commits.filter(|_| is_sound && RESTS.get()) {
                Some(commits) => self.shared = Some(Shared { commits, look_ups }),
                None => tx.step("COMMIT")?,
            }
            outcome
        })
    }

    fn let_go(&mut self) {
        self.shared = None;
        self.statements.with_dependent_mut(|_, tx| {
            if !tx.connection().is_autocommit() {
                // Nothing was written, so nothing is lost; should it fail, the next look-up tries again.
                let _ = tx.step("ROLLBACK");
            }
        });
    }
}

/// Begins a transaction, and ends one before that was left open: because it has become too old, or because a
/// look-up panicked.
fn begin(tx: &mut SqliteTx<'_>) -> Result<(), Fault> {
    if !tx.connection().is_autocommit() {
        tx.step("ROLLBACK")?;
    }
    tx.begin_shared()
}

impl Drop for Inline {
    fn drop(&mut self) {
        // Other threads close theirs when they end.
        let _ = READERS.try_with(|readers| {
            let open = readers.try_borrow_mut();
            open.map(|mut open| open.remove(&self.store))
        });
    }
}
