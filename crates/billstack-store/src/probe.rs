//! A write that leaves nothing behind: it tells whether writes work.

use crate::tx::{Abort, Tx};
use crate::{params, statements};

statements! {
    MAKE = "INSERT INTO locks (team_id, name) VALUES (0, $1) ON CONFLICT DO NOTHING";
    REMOVE = "DELETE FROM locks WHERE team_id = 0 AND name = $1";
}

/// The row it makes.
const NAME: &str = "probe";

/// Writes a row and removes it again; the commit needs the disk all the same.
pub(crate) fn write(tx: &mut dyn Tx) -> Result<(), Abort> {
    tx.hit(MAKE, params![NAME])?;
    Ok(tx.must(REMOVE, params![NAME])?)
}
