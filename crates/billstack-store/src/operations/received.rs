//! Events of Stripe as they are looked for.

use billstack_core::attribution::Outcome;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, Page, Part};
use crate::seam::{Fault, Tx};
use crate::tables::stripe_events::{self, StripeEvent};

pub use crate::tables::stripe_events::signed::newest as newest_signed;

/// What may be asked for.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// Its type.
    pub kind: Option<String>,
    /// Received at this time or later.
    pub from: Option<Micros>,
    /// Received before this time.
    pub to: Option<Micros>,
}

/// Events, the latest received first, without their payloads. A page begins below `to` and ends at `from`, so that
/// neither needs an index of its own.
pub fn list(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    filter: &EventFilter,
    page: &Page,
) -> Result<Part<StripeEvent>, Fault> {
    let mut page = page.clone();
    if let Some(to) = filter.to
        && page.after.as_ref().is_none_or(|after| after.at >= to.0)
    {
        // No id is empty, so whatever was received at that very time comes after this place.
        page.after = Some(Cursor {
            at: to.0,
            key: String::new(),
        });
    }
    let kind = filter.kind.clone();
    let mut part = stripe_events::list(tx, team_id, filter.outcome, kind, &page)?;
    let from = filter.from.unwrap_or(Micros(i64::MIN));
    if part
        .rows
        .last()
        .is_some_and(|event| event.received_at < from)
    {
        part.rows.retain(|event| event.received_at >= from);
        part.next = None;
    }
    Ok(part)
}
