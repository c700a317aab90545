//! Why a transaction did not do what was asked: the store failed, or the rules said no.

use std::fmt;

/// Why the store could not do its work. None of these says anything about the caller's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The queue is full, or the operation had waited too long to be kept; nothing changed.
    Overloaded,
    /// The store is closing; nothing was tried.
    Closed,
    /// The database cannot be reached or refuses to work (disk full, read-only); nothing changed.
    Unavailable(String),
    /// The connection was lost while committing: the change may or may not be there.
    Unknown(String),
    /// Another transaction was in the way; the engine runs the operation again.
    Conflict(String),
    /// A defect of ours: a statement that fails, a value of the wrong type, a broken invariant.
    Defect(String),
    /// The operation panicked and was rolled back.
    Panicked(String),
}

impl Fault {
    /// A value that is not of the type its column promises.
    pub fn decode(column: usize) -> Fault {
        Fault::Defect(format!("column {column} holds a value of another type"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Overloaded => f.write_str("the queue is full, or the operation waited too long"),
            Fault::Closed => f.write_str("the store is closing"),
            Fault::Unavailable(why) => write!(f, "database unavailable: {why}"),
            Fault::Unknown(why) => write!(f, "connection lost while committing: {why}"),
            Fault::Conflict(why) => write!(f, "conflict with another transaction: {why}"),
            Fault::Defect(why) => write!(f, "defect: {why}"),
            Fault::Panicked(why) => write!(f, "operation panicked: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// Why an operation ended without a result.
///
/// The seam does not know what a rule can refuse; `R` is the operations' [`Refusal`](crate::Refusal).
#[derive(Clone, Debug, PartialEq)]
pub enum Abort<R> {
    /// The rules refuse the change. Whatever the operation wrote is rolled back.
    Refused(R),
    /// The store failed.
    Fault(Fault),
}

impl<R> From<Fault> for Abort<R> {
    fn from(fault: Fault) -> Self {
        Abort::Fault(fault)
    }
}
