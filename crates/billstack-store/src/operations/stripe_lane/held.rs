//! The lease of a lane while Stripe is asked.

use billstack_core::time::Micros;

use super::{Job, Lane};
use crate::seam::{Act, Fault, Tx};

impl Lane {
    /// Whether the lease lasts until a time of day.
    pub fn is_held_until(&self, at: Micros) -> bool {
        self.until >= at
    }
}

/// Begins the lease of a job anew; `None` when somebody else has taken its lane over.
pub fn hold_on(tx: &mut dyn Tx, act: &mut Act, job: &Job) -> Result<Option<Job>, Fault> {
    let lane = job.lane.extended(tx, act.real())?;
    Ok(lane.map(|lane| Job {
        lane,
        ..job.clone()
    }))
}
