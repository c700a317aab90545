//! Events that endpoints are still to be told of: one row for each event, written by the transaction of the event and
//! taken out by the one that makes a delivery for each endpoint.
//!
//! Whoever changes something waits for this row alone, however many endpoints there are.

use billstack_core::time::Micros;
use billstack_core::webhook::types::Type;

use crate::seam::{Act, Fault, Lane, Place, Row, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO webhook_outbox (team_id, project_id, event_at, event_id, type, endpoint_ids, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    IS_THERE = "SELECT event_id FROM webhook_outbox WHERE team_id = $1 AND project_id = $2 LIMIT 1";
    NEXT = "SELECT event_at, event_id, type, endpoint_ids, created_at FROM webhook_outbox \
        WHERE team_id = $1 AND project_id = $2 ORDER BY event_at, event_id LIMIT $3";
    TAKE_OUT = "DELETE FROM webhook_outbox \
        WHERE team_id = $1 AND project_id = $2 AND event_at = $3 AND event_id = $4";
    /// However much more there is.
    ENDPOINTS = "SELECT endpoint_ids FROM webhook_outbox WHERE team_id = $1 AND project_id = $2 LIMIT $3";
}

/// An event that some endpoints are to be told of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Untold {
    /// The event, by both parts of its key.
    pub(crate) event_at: Micros,
    pub(crate) event_id: String,
    /// As what it is told.
    pub(crate) kind: Type,
    /// Who wanted it when it happened.
    pub(crate) endpoint_ids: Vec<String>,
    /// Since when it is to be told, by the time of day.
    pub(crate) created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Untold, Fault> {
    Ok(Untold {
        event_at: row.time(0)?,
        event_id: row.string(1)?,
        kind: row.read(2, Type::read)?,
        endpoint_ids: ids(row.text(3)?).map(str::to_owned).collect(),
        created_at: row.time(4)?,
    })
}

/// The endpoints that a row names.
pub(crate) fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|id| !id.is_empty())
}

/// Has endpoints told of an event, and wakes their lanes. Nothing is waited for.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    (event_at, event_id): (Micros, &str),
    kind: Type,
    endpoint_ids: &[&str],
) -> Result<(), Fault> {
    let ids = endpoint_ids.join(" ");
    let row = params![
        &place.team_id,
        &place.project_id,
        event_at,
        event_id,
        kind.as_str(),
        &ids,
        act.real(),
    ];
    tx.must_later(INSERT, row)?;
    for id in endpoint_ids {
        act.fill(Lane::new(place, id));
    }
    Ok(())
}

/// Whether there is any event that an endpoint of the project of a lane is still to be told of.
pub(crate) fn is_there(tx: &mut dyn Tx, lane: &Lane) -> Result<bool, Fault> {
    tx.exists(IS_THERE, params![lane.team, lane.project])
}

/// The oldest of them, so many at most.
pub(crate) fn next(tx: &mut dyn Tx, lane: &Lane, limit: i64) -> Result<Vec<Untold>, Fault> {
    tx.all(NEXT, params![lane.team, lane.project, limit], decode)
}

/// Takes one out, which has to be there; told later if it is not.
pub(crate) fn take_out(tx: &mut dyn Tx, lane: &Lane, untold: &Untold) -> Result<(), Fault> {
    let key = params![lane.team, lane.project, untold.event_at, &untold.event_id];
    tx.must_later(TAKE_OUT, key)
}

/// How many deliveries the events of a project will be, counted over so many events at most.
pub(crate) fn count(tx: &mut dyn Tx, (team, project): (i64, i64), most: i64) -> Result<i64, Fault> {
    let mut deliveries = 0;
    tx.query(ENDPOINTS, params![team, project, most], &mut |row| {
        deliveries += i64::try_from(ids(row.text(0)?).count()).unwrap_or(0);
        Ok(())
    })?;
    Ok(deliveries)
}
