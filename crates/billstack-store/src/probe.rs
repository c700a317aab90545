//! Writes that leave nothing behind: they tell whether writes work.

use crate::teams;
use crate::tx::{Abort, Fault, Tx};
use crate::{params, statements};

statements! {
    MAKE = "INSERT INTO locks (team_id, name) VALUES (0, $1)";
    REMOVE = "DELETE FROM locks WHERE team_id = 0";
}

/// What nodes that probe at once take turns by; the rows have such names too.
const NAME: &str = "probe";

/// How many rows it makes, and how long their names are: more than 64 KiB. A row or two would fit into
/// what a full disk has left, or into what a write that failed on it has left behind, and tell that all
/// is well while the next write fails again. A longer name would not fit into an index of PostgreSQL.
const ROWS: u64 = 36;
const LENGTH: usize = 1_900;

/// Writes rows and removes them again; the commit needs the disk all the same.
pub(crate) fn write(tx: &mut dyn Tx) -> Result<(), Abort> {
    tx.lock(&teams::none(), &[NAME])?;
    for number in 0..ROWS {
        let name = format!("{NAME} {number} {:x<LENGTH$}", "");
        tx.must_later(MAKE, params![&name])?;
    }
    match tx.execute(REMOVE, &[])? {
        ROWS => Ok(()),
        other => Err(Fault::Defect(format!("the probe made {other} rows")).into()),
    }
}
