//! What is known of subscriptions, findable by everyone they may belong to.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Row, Tx, Val};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO subscription_starts (team_id, match_key, object_id, event_id, \
        began_at, counted_at, existed, project_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (team_id, match_key, object_id) DO NOTHING";
    /// The first event that counts, or a later one by which the team says that another project is meant.
    SET_COUNTED = "UPDATE subscription_starts SET event_id = $4, counted_at = $5, \
        existed = TRUE, project_id = $6 WHERE team_id = $1 AND match_key = $2 AND object_id = $3 \
        AND (counted_at IS NULL OR (counted_at <= $5 AND project_id IS DISTINCT FROM $6))";
    SET_EXISTED = "UPDATE subscription_starts SET existed = TRUE \
        WHERE team_id = $1 AND match_key = $2 AND object_id = $3 AND NOT existed";
    /// The subscriptions known under two names, which may be equal: then each is seen twice, which changes
    /// neither answer. Two selects, because SQLite builds a temporary table for `IN`, at twice the cost.
    KNOWN = "SELECT COUNT(*), MIN(CASE WHEN existed \
        AND (project_id IS NULL OR project_id = $4) THEN began_at END) FROM (\
        SELECT existed, project_id, began_at FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $2 UNION ALL \
        SELECT existed, project_id, began_at FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $3) AS known";
    BEGAN = "SELECT began_at FROM subscription_starts \
        WHERE team_id = $1 AND match_key = 'stripe:' || $2 AND object_id = $3";
    /// Those that may convert, and of them the newest, are never crowded out.
    EVENTS_OF = "SELECT event_id, began_at, object_id FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $2 \
        ORDER BY CASE WHEN counted_at IS NULL THEN 1 ELSE 0 END, began_at DESC, object_id LIMIT 100";
}

/// What an event tells of a subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) object_id: &'a str,
    pub(crate) event_id: &'a str,
    pub(crate) began_at: Micros,
    /// When the event happened, if the subscription counts by it.
    pub(crate) counted_at: Option<Micros>,
    /// Whether it has been a real subscription at any time.
    pub(crate) existed: bool,
    /// The project that the event named.
    pub(crate) project_id: Option<&'a ProjectId>,
}

/// Keeps what an event tells under a name of somebody it may belong to.
pub(crate) fn keep(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    name: &str,
    told: Told<'_>,
) -> Result<(), Fault> {
    let Told {
        object_id,
        event_id,
        ..
    } = told;
    let row = params![
        team_id,
        name,
        object_id,
        event_id,
        told.began_at,
        told.counted_at,
        told.existed,
        told.project_id,
    ];
    if tx.hit(INSERT, row)? {
        return Ok(());
    }
    match told.counted_at {
        Some(at) => {
            let row = params![team_id, name, object_id, event_id, at, told.project_id];
            tx.hit(SET_COUNTED, row)?;
        }
        None if told.existed => {
            tx.hit(SET_EXISTED, params![team_id, name, object_id])?;
        }
        None => {}
    }
    Ok(())
}

/// What is known of a customer's subscriptions.
#[derive(Default)]
pub(crate) struct KnownStarts {
    /// Whether there is any event to decide anew.
    pub(crate) any: bool,
    /// When the oldest one in the customer's project began.
    pub(crate) earliest: Option<Micros>,
}

/// What is known of the subscriptions of a Stripe customer, in one project or in none.
pub(crate) fn known_of_stripe(
    tx: &mut dyn Tx,
    place: &Place,
    stripe_id: &str,
) -> Result<KnownStarts, Fault> {
    known_of(tx, place, &[format!("stripe:{stripe_id}")])
}

/// The same of whoever is known under these names, one or two.
pub(crate) fn known_of(
    tx: &mut dyn Tx,
    place: &Place,
    names: &[String],
) -> Result<KnownStarts, Fault> {
    let (first, last) = (names.first(), names.last());
    let scope = params![
        &place.team_id,
        first.map(String::as_str),
        last.map(String::as_str),
        &place.project_id
    ];
    Ok(tx.one(KNOWN, scope, decode)?.unwrap_or_default())
}

/// A row of [`KNOWN`].
pub(crate) fn decode(row: &dyn Row) -> Result<KnownStarts, Fault> {
    Ok(KnownStarts {
        any: row.int(0)? > 0,
        earliest: row.opt_time(1)?,
    })
}

/// When a subscription of a Stripe customer began, if an event told.
pub(crate) fn began(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_id: &str,
    subscription_id: &str,
) -> Result<Option<Micros>, Fault> {
    let key = params![team_id, stripe_id, subscription_id];
    tx.one(BEGAN, key, |row| row.time(0))
}

/// The ids of the events kept under names, those of the oldest subscription first: it is the one that
/// converts.
pub(crate) fn events_of(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    names: &[String],
) -> Result<Vec<String>, Fault> {
    let scopes: Vec<_> = names
        .iter()
        .map(|name| [Val::from(team_id), Val::from(name)])
        .collect();
    let queries: Vec<_> = scopes.iter().map(|scope| (EVENTS_OF, &scope[..])).collect();
    let mut kept = Vec::new();
    tx.query_together(&queries, &mut |_, row| {
        kept.push((row.time(1)?, row.string(2)?, row.string(0)?));
        Ok(())
    })?;
    kept.sort_unstable();
    Ok(kept.into_iter().map(|(_, _, event_id)| event_id).collect())
}
