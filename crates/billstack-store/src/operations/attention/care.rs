//! What needs a person because nobody looks after it: copies, checks of the books, and what Stripe should tell.

use billstack_core::attention::{
    Kind, NEVER, OLDEST_BACKUP, OLDEST_CHECK, SETTLED_AFTER, neglected as late, silent_since,
};
use billstack_core::time::{Micros, span};

use super::{Copies, Line};
use crate::operations::upkeep::{self, Run};
use crate::seam::list::Page;
use crate::seam::{Fault, Place, Tx};
use crate::tables::customers::{self, CustomerFilter};
use crate::tables::stripe_connections::Connection;
use crate::tables::{stripe_events, teams};

/// What the last check found, and which copies and checks were not made, once there is something to lose.
pub(super) fn neglected(
    tx: &mut dyn Tx,
    place: &Place,
    now: Micros,
    copies: Copies,
) -> Result<Vec<Line>, Fault> {
    let last = upkeep::last(tx)?;
    let mut lines = Vec::new();
    let broken = last.verify.as_ref().filter(|run| run.result > 0);
    lines.extend(broken.map(|run| Line {
        count: usize::try_from(run.result).unwrap_or(usize::MAX),
        at: Some(run.began_at),
        ..Line::new(Kind::BooksBroken, &run.result.to_string())
    }));
    let team = teams::get(tx, &place.team_id)?;
    let is_new = team.is_none_or(|team| now.since(team.created_at) <= SETTLED_AFTER);
    if is_new || !is_in_use(tx, place)? {
        return Ok(lines);
    }
    let of = |kind, run: Option<&Run>, longest| {
        let began_at = run.map(|run| run.began_at);
        let word = late(began_at, longest, now)?;
        Some(Line {
            at: began_at,
            ..Line::new(kind, word)
        })
    };
    let copy = match copies {
        Copies::Noted => of(Kind::BackupMissing, last.backup.as_ref(), OLDEST_BACKUP),
        Copies::Elsewhere => None,
    };
    // A backup checks the books too: whoever makes one has done both.
    let check = match copy {
        Some(_) => None,
        None => of(Kind::BooksUnchecked, last.verify.as_ref(), OLDEST_CHECK),
    };
    lines.extend(copy);
    lines.extend(check);
    Ok(lines)
}

/// Whether Stripe has told nothing for longer than it tries to.
pub(super) fn silent(
    tx: &mut dyn Tx,
    place: &Place,
    now: Micros,
    connection: &Connection,
) -> Result<Option<Line>, Fault> {
    let connected_at = connection.connected_at;
    if silent_since(connected_at, None, now).is_none() {
        return Ok(None);
    }
    let newest = stripe_events::list(tx, &place.team_id, None, None, &Page::first(1))?;
    let newest = newest.rows.into_iter().next();
    let last = newest.as_ref().map(|event| event.received_at);
    let Some(since) = silent_since(connected_at, last, now) else {
        return Ok(None);
    };
    if !is_in_use(tx, place)? {
        return Ok(None);
    }
    let subject = newest.as_ref().map_or(NEVER, |event| event.id.as_str());
    Ok(Some(Line {
        at: last,
        detail: Some(span(now.since(since))),
        ..Line::new(Kind::StripeSilent, subject)
    }))
}

/// Whether there is anybody in the project of whom something could be told or lost.
fn is_in_use(tx: &mut dyn Tx, place: &Place) -> Result<bool, Fault> {
    let filter = CustomerFilter::default();
    let found = customers::list(tx, place, &filter, &Page::first(1))?;
    Ok(!found.rows.is_empty())
}
