//! How a store is opened.

use std::sync::Arc;

use billstack_core::time::Micros;

/// What to do when the storage can no longer be trusted: log the text and end the process.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Whether an operation that began at a time may no longer be kept.
pub type IsLate = Arc<dyn Fn(Micros) -> bool + Send + Sync>;

/// What the reads of a store are for, which tells PostgreSQL how to plan them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reads {
    /// Each finds its rows by a key or an index, whatever the statistics say.
    ByKey,
    /// Some look over everything, as a check of all rules does.
    WholeTables,
}

/// Sizes and hooks of a store. The defaults suit tests and small tools.
#[derive(Clone)]
pub struct Options {
    /// How many operations a queue holds; more are refused with [`crate::Fault::Overloaded`].
    pub queue_capacity: usize,
    /// SQLite: threads that scan.
    pub reader_threads: usize,
    /// PostgreSQL: connections that write.
    pub write_lanes: usize,
    /// PostgreSQL: connections that look up a few rows by key.
    pub point_lanes: usize,
    /// PostgreSQL: connections that scan.
    pub scan_lanes: usize,
    /// What reads are for.
    pub reads: Reads,
    /// This is a server. SQLite: refuse to open a file that another one holds. PostgreSQL: refuse to open a database
    /// that does not give it all of its connections.
    pub exclusive: bool,
    /// Called when a failed write to disk may have left memory and disk different.
    pub on_fatal: Fatal,
    /// Asked when an operation has run: what is late is not kept.
    pub is_late: IsLate,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            queue_capacity: 4096,
            reader_threads: 2,
            write_lanes: 1,
            point_lanes: 4,
            scan_lanes: 4,
            reads: Reads::WholeTables,
            exclusive: false,
            on_fatal: Arc::new(|why| tracing::error!(why, "the storage can no longer be trusted")),
            is_late: Arc::new(|_| false),
        }
    }
}
