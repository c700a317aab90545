//! Writes that leave nothing behind: they tell whether writes work.

use crate::seam::place::no_team;
use crate::seam::{Fault, Tx};
use crate::tables::locks;

/// Nodes that probe at the same moment take turns by this lock; the rows have such names too.
const NAME: &str = "probe";

/// How many rows it writes, and how long their names are: more than 64 KiB. A row or two might still fit on a
/// full disk, and the probe would succeed while the next write fails. PostgreSQL could not index longer
/// names.
const ROWS: u64 = 36;
const LENGTH: usize = 1_900;

/// Writes rows and removes them again; the commit still needs the disk.
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
