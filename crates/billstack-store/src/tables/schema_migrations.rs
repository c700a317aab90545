//! The list of migrations, which they write themselves; here is the mark in it which tells that a database is a copy
//! that is not whole, and of what.
//!
//! It is a row with a version that no program has: servers refuse a schema newer than themselves, whatever their own
//! version is.

use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

const HALF_MADE: &str = "the database is a copy that is not whole";

/// The version of the row.
pub(crate) const VERSION: i64 = 1_000_000_000;

statements! {
    /// When its schema was made, to the microsecond, tells one database from others, wherever its file is.
    IDENTITY = "SELECT applied_at FROM schema_migrations WHERE version = 1";
    PUT = "INSERT INTO schema_migrations (version, name, applied_at, fingerprint) VALUES ($1, $2, $3, $4)";
    FIND = "SELECT fingerprint FROM schema_migrations WHERE version = $1";
    REMOVE = "DELETE FROM schema_migrations WHERE version = $1";
}

/// Which database a copy is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Identity(i64);

impl Identity {
    /// Why another source cannot go on with the copy.
    pub(crate) fn is_of_another(self) -> Fault {
        Fault::Unavailable(
            "holds the beginning of a copy of another database; go on with that one, or name an empty target"
                .to_owned(),
        )
    }
}

/// Whose copy a copy of this database is.
pub(crate) fn identity(tx: &mut dyn Tx) -> Result<Identity, Fault> {
    let made = tx.one(IDENTITY, params![], |row| row.int(0))?;
    made.map(Identity)
        .ok_or_else(|| Fault::Defect("the list of migrations is empty".to_owned()))
}

/// Marks a database.
pub(crate) fn put(tx: &mut dyn Tx, identity: &Identity, at: Micros) -> Result<(), Fault> {
    tx.must(PUT, params![VERSION, "copy under way", at, identity.0])
}

/// The mark, if there is one.
pub(crate) fn find(tx: &mut dyn Tx) -> Result<Option<Identity>, Fault> {
    tx.one(FIND, params![VERSION], |row| row.int(0).map(Identity))
}

/// Takes the mark away: the copy is whole.
pub(crate) fn remove(tx: &mut dyn Tx) -> Result<(), Fault> {
    tx.must(REMOVE, params![VERSION])
}

/// Why whoever meets a mark goes no further.
pub(crate) fn half_made() -> Fault {
    Fault::Unavailable(format!(
        "{HALF_MADE}; run the same `billstack copy` again, which goes on where it stopped, or make a new, empty \
         database"
    ))
}

/// Whether that is what a fault says.
pub(crate) fn is_half_made(fault: &Fault) -> bool {
    matches!(fault, Fault::Unavailable(why) if why.contains(HALF_MADE))
}
