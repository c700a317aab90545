//! What belongs to what in Stripe: charges, payment intents, invoices and subscriptions, as Stripe said. Beside them
//! the events that wait for such a link.

use billstack_core::ids::TeamId;
use billstack_core::payments::{Link, LinkKind};
use billstack_core::time::Micros;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

/// The kind under which an event waits until its charge or payment intent leads to an invoice.
const WAITS: &str = "event_waits";

statements! {
    INSERT = "INSERT INTO payment_links (team_id, from_id, kind, to_id, keep_until) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    FROM = "SELECT kind, from_id, to_id, keep_until FROM payment_links WHERE team_id = $1 AND from_id = $2";
    TO = "SELECT kind, from_id, to_id, keep_until FROM payment_links WHERE team_id = $1 AND to_id = $2";
    KEEP = "UPDATE payment_links SET keep_until = NULL \
        WHERE team_id = $1 AND from_id = $2 AND kind = $3 AND to_id = $4";
    WAITING = "SELECT to_id FROM payment_links \
        WHERE team_id = $1 AND from_id = $2 AND kind = 'event_waits' ORDER BY to_id";
    WAITS_UNTIL = "SELECT MAX(keep_until) FROM payment_links \
        WHERE team_id = $1 AND from_id = $2 AND kind = 'event_waits'";
    STOP_WAITING = "DELETE FROM payment_links WHERE team_id = $1 AND from_id = $2 AND kind = 'event_waits'";
    DROP_OLD = "DELETE FROM payment_links WHERE (team_id, from_id, kind, to_id) IN (\
        SELECT team_id, from_id, kind, to_id FROM payment_links WHERE keep_until < $1 LIMIT $2)";
}

/// A link as it is kept.
pub(crate) struct Kept {
    pub(crate) link: Link,
    /// Until when it is kept; `None` for good.
    pub(crate) keep_until: Option<Micros>,
}

fn decode(row: &dyn Row) -> Result<Option<Kept>, Fault> {
    // What waits is no link, and what a newer version has written is left as it is.
    let Some(kind) = LinkKind::parse(row.text(0)?) else {
        return Ok(None);
    };
    Ok(Some(Kept {
        link: Link {
            kind,
            from: row.string(1)?,
            to: row.string(2)?,
        },
        keep_until: row.opt_time(3)?,
    }))
}

/// Keeps a link; tells whether it is a new one.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    link: &Link,
    keep_until: Micros,
) -> Result<bool, Fault> {
    let row = params![
        team_id,
        &link.from,
        link.kind.as_str(),
        &link.to,
        keep_until
    ];
    tx.hit(INSERT, row)
}

/// The links from something.
pub(crate) fn from(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Vec<Kept>, Fault> {
    let links = tx.all(FROM, params![team_id, id], decode)?;
    Ok(links.into_iter().flatten().collect())
}

/// The links to something.
pub(crate) fn to(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Vec<Kept>, Fault> {
    let links = tx.all(TO, params![team_id, id], decode)?;
    Ok(links.into_iter().flatten().collect())
}

/// Keeps a link for good: a credit depends on it.
pub(crate) fn keep(tx: &mut dyn Tx, team_id: &TeamId, link: &Link) -> Result<(), Fault> {
    let row = params![team_id, &link.from, link.kind.as_str(), &link.to];
    tx.must_later(KEEP, row)
}

/// Notes that an event waits until a charge or a payment intent leads to an invoice.
pub(crate) fn wait(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    event_id: &str,
    keep_until: Micros,
) -> Result<(), Fault> {
    let row = params![team_id, id, WAITS, event_id, keep_until];
    tx.execute(INSERT, row).map(drop)
}

/// Until when events wait for a charge or a payment intent; `None` when none does.
pub(crate) fn waits_until(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
) -> Result<Option<Micros>, Fault> {
    let found = tx.one(WAITS_UNTIL, params![team_id, id], |row| row.opt_time(0))?;
    Ok(found.flatten())
}

/// The events that wait for a charge or a payment intent, which wait no longer.
pub(crate) fn stop_waiting(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
) -> Result<Vec<String>, Fault> {
    let waiting = tx.all(WAITING, params![team_id, id], |row| row.string(0))?;
    if !waiting.is_empty() {
        tx.execute(STOP_WAITING, params![team_id, id])?;
    }
    Ok(waiting)
}

/// Drops links that are kept no longer. Returns how many.
pub(crate) fn drop_old(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(DROP_OLD, params![now, limit])
}
