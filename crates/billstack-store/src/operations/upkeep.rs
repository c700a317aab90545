//! When the rules were last asked, and the last copy was made.

use crate::seam::{Fault, Tx};
use crate::tables::upkeep;

pub use upkeep::{Kind, Run};

/// The latest of each kind, as far as there has been one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Last {
    /// Of checks of every rule.
    pub verify: Option<Run>,
    /// Of copies that are whole.
    pub backup: Option<Run>,
}

/// Notes a run. A clock that was set back does not make it end before it began.
pub fn note(tx: &mut dyn Tx, kind: Kind, run: &Run) -> Result<(), Fault> {
    let ended_at = run.ended_at.max(run.began_at);
    let run = Run {
        ended_at,
        ..run.clone()
    };
    // Whether it is the latest is nobody's business.
    upkeep::put(tx, kind, &run).map(|_| ())
}

/// When each kind last ran.
pub fn last(tx: &mut dyn Tx) -> Result<Last, Fault> {
    Ok(Last {
        verify: upkeep::get(tx, Kind::Verify)?,
        backup: upkeep::get(tx, Kind::Backup)?,
    })
}
