//! Writes that leave nothing behind: they tell whether writes work.

use crate::seam::place::no_team;
use crate::seam::{Fault, Tx};
use crate::tables::locks;

/// What nodes that probe at once take turns by; the rows have such names too.
const NAME: &str = "probe";

/// How many rows it makes, and how long their names are: more than 64 KiB. A row or two would fit into
/// what a full disk has left, or into what a write that failed on it has left behind, and tell that all
/// is well while the next write fails again. A longer name would not fit into an index of PostgreSQL.
const ROWS: u64 = 36;
const LENGTH: usize = 1_900;

/// Writes rows and removes them again; the commit needs the disk all the same.
pub(crate) fn write(tx: &mut dyn Tx) -> Result<(), Fault> {
    tx.lock(&no_team(), &[NAME])?;
    for number in 0..ROWS {
        locks::make(tx, &format!("{NAME} {number} {:x<LENGTH$}", ""))?;
    }
    match locks::remove(tx)? {
        ROWS => Ok(()),
        other => Err(Fault::Defect(format!("the probe made {other} rows"))),
    }
}
