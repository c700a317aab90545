//! How much room the database takes.

use crate::params;
use crate::seam::{Fault, Tx};

const SIZE: &str = "SELECT pg_database_size(current_database())";

/// The bytes of the database. Its log is the server's, which has several databases.
pub(crate) fn of_database(tx: &mut dyn Tx) -> Result<u64, Fault> {
    let size = tx.one(SIZE, params![], |row| row.int(0))?;
    Ok(size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))
}
