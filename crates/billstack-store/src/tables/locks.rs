//! Rows that are made and removed again, to learn whether writes work.

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    MAKE = "INSERT INTO locks (team_id, name) VALUES (0, $1)";
    REMOVE = "DELETE FROM locks WHERE team_id = 0";
}

/// Adds a row of this name.
pub(crate) fn make(tx: &mut dyn Tx, name: &str) -> Result<(), Fault> {
    tx.must_later(MAKE, params![name])
}

/// Removes all of them and tells how many there were.
pub(crate) fn remove(tx: &mut dyn Tx) -> Result<u64, Fault> {
    tx.execute(REMOVE, &[])
}
