//! From an event that endpoints are to be told of to a delivery for each of them.
//!
//! A lane that has nothing left to send does it for the next events of its project, so no more of them is spread than
//! somebody is there to send, and nobody who changes something waits for it.

use crate::seam::place::no_team;
use crate::seam::{Act, Fault, Lane, Tx};
use crate::tables::webhook_deliveries::{self, New};
use crate::tables::webhook_outbox;

/// How many events are spread at once: others wait behind it.
pub(super) const AT_ONCE: usize = 32;

/// Makes the deliveries of the next events of the project of a lane, and tells of how many events.
pub fn spread(tx: &mut dyn Tx, act: &mut Act, lane: &Lane) -> Result<usize, Fault> {
    if !webhook_outbox::is_there(tx, lane)? {
        return Ok(0);
    }
    // Whoever takes a row out is the only one who could.
    let name = format!("webhook outbox {} {}", lane.team, lane.project);
    tx.lock(&no_team(), &[&name])?;
    let next = webhook_outbox::next(tx, lane, i64::try_from(AT_ONCE).unwrap_or(1))?;
    for untold in &next {
        webhook_outbox::take_out(tx, lane, untold)?;
        for endpoint_id in &untold.endpoint_ids {
            let of_endpoint = Lane {
                endpoint_id: endpoint_id.clone(),
                ..lane.clone()
            };
            let new = New {
                lane: &of_endpoint,
                event_at: untold.event_at,
                event_id: &untold.event_id,
                kind: untold.kind,
                is_replay: false,
                created_at: untold.event_at,
            };
            webhook_deliveries::insert(tx, act, new, untold.created_at)?;
        }
    }
    Ok(next.len())
}
