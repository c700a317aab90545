//! Webhooks to the systems of a team: where they are sent, what is on its way, and what became of it.
//!
//! The transaction of an event names the endpoints that are to be told (`tables::events`, `webhook_outbox`). Whoever
//! sends makes a delivery for each (`spread`). That has a row of work as long as it waits, in the lane of its endpoint,
//! so that none waits for another endpoint's.

mod conclude;
pub mod endpoints;
pub mod log;
pub mod replay;
mod spread;

use std::collections::BTreeSet;

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use billstack_core::webhook::endpoint::DeliveryState;

use super::work::Key;
use crate::seam::place::no_team;
use crate::seam::{Act, Fault, Lane, Tx};
use crate::tables::webhook_deliveries::{self, ToSend};
use crate::tables::work::{self as rows, When};
use crate::tables::{webhook_endpoints, webhook_outbox};

pub use crate::tables::webhook_attempts::Attempt;
pub use crate::tables::webhook_deliveries::{Delivery, DeliveryFilter, KIND, ToTell};
pub use crate::tables::webhook_endpoints::{Endpoint, NewEndpoint, holds_secrets, of_project};
pub use conclude::{Concluded, Told, conclude};
pub use spread::spread;

/// How many deliveries to an endpoint may be under way at once, over all nodes.
pub const AT_ONCE: i64 = 4;

/// How many endpoints are looked at by one statement.
const PAGE: i64 = 1_000;

/// Up to how many deliveries are counted that are due.
pub const MOST_COUNTED: i64 = 10_000;

/// How many deliveries are ended at once which nobody is told of any more.
const ENDED_AT_ONCE: i64 = 200;

/// A delivery under a lease: whoever has claimed it sends it once.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What is to be sent, and where.
    pub to_send: ToSend,
    /// Until when the lease is held, which is also what it is known by.
    pub until: Micros,
}

impl Job {
    /// The number of this attempt.
    pub fn attempt(&self) -> i64 {
        self.to_send.delivery.attempts + 1
    }

    /// The lane that it is in.
    pub fn lane(&self) -> Lane {
        Lane::new(&self.to_send.place, &self.to_send.delivery.endpoint_id)
    }

    fn key(&self) -> Key {
        let place = &self.to_send.place;
        let id = &self.to_send.delivery.id;
        Key::new(&place.team_id, &place.project_id, KIND, id)
    }
}

/// The lanes in which something is due that may be sent now, the longest due first.
///
/// It costs a few steps for each endpoint there is, however much waits in each.
pub fn due(tx: &mut dyn Tx, now: Micros) -> Result<Vec<Lane>, Fault> {
    let mut due = filled(tx, now, AT_ONCE)?;
    due.sort_by_key(|(_, since)| *since);
    Ok(due.into_iter().map(|(lane, _)| lane).collect())
}

/// The lanes in which something is due and fewer than so many are under way, and since when it is.
fn filled(tx: &mut dyn Tx, now: Micros, at_once: i64) -> Result<Vec<(Lane, Micros)>, Fault> {
    let mut last = Lane {
        team: i64::MIN,
        project: i64::MIN,
        endpoint_id: String::new(),
    };
    let mut due = Vec::new();
    loop {
        let page = webhook_endpoints::with_due(tx, now, at_once, last, PAGE)?;
        due.extend(page.due);
        if page.seen < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(due);
        }
        last = page.last;
    }
}

/// How many deliveries of a team should have been sent by now, up to [`MOST_COUNTED`], and since when the oldest should.
pub fn overdue_in_team(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    now: Micros,
) -> Result<(i64, Option<Micros>), Fault> {
    let (mut counted, mut oldest) = (0, None::<Micros>);
    let before = Lane {
        team: team_id.number(),
        project: i64::MIN,
        endpoint_id: String::new(),
    };
    let due = webhook_endpoints::with_due(tx, now, i64::MAX, before, PAGE)?.due;
    for (lane, since) in due {
        if lane.team == team_id.number() {
            counted += rows::count_due(tx, KIND, &lane, now, MOST_COUNTED - counted)?;
            oldest = Some(oldest.map_or(since, |oldest| oldest.min(since)));
        }
    }
    Ok((counted, oldest))
}

/// How many deliveries should have been sent by now, up to [`MOST_COUNTED`], and since when the oldest should.
pub fn overdue(tx: &mut dyn Tx, now: Micros) -> Result<(i64, Option<Micros>), Fault> {
    let (mut counted, mut oldest) = (0, None::<Micros>);
    let mut projects = BTreeSet::new();
    for (lane, since) in filled(tx, now, i64::MAX)? {
        counted += rows::count_due(tx, KIND, &lane, now, MOST_COUNTED - counted)?;
        projects.insert((lane.team, lane.project));
        oldest = Some(oldest.map_or(since, |oldest| oldest.min(since)));
    }
    for project in projects {
        counted += webhook_outbox::count(tx, project, (MOST_COUNTED - counted).max(0))?;
    }
    Ok((counted.min(MOST_COUNTED), oldest))
}

/// Leases what is due in a lane, the longest due first, until `until`: so many at most, and never more than
/// [`AT_ONCE`] with what others have under way.
pub fn claim(
    tx: &mut dyn Tx,
    act: &mut Act,
    lane: &Lane,
    most: i64,
    until: Micros,
) -> Result<Vec<Job>, Fault> {
    // Two who counted at the same moment would each take what is left.
    let name = format!("webhook lane {}", lane.endpoint_id);
    tx.lock(&no_team(), &[&name])?;
    let now = act.real();
    let free = AT_ONCE - rows::under_way(tx, KIND, lane, now)?;
    let mut jobs = Vec::new();
    let mut is_ending = false;
    for key in due_or_spread(tx, act, lane, free.min(most).max(0))? {
        match take_up(tx, &key, now, until)? {
            Some(to_send) => jobs.push(Job { to_send, until }),
            None => is_ending = true,
        }
    }
    if is_ending {
        end_rest(tx, lane, now)?;
    }
    Ok(jobs)
}

/// What is due in a lane, so many at most. If that is not enough, the next events of the project are spread first.
fn due_or_spread(
    tx: &mut dyn Tx,
    act: &mut Act,
    lane: &Lane,
    wanted: i64,
) -> Result<Vec<Key>, Fault> {
    let now = act.real();
    let due = rows::due_in_lane(tx, KIND, lane, now, wanted)?;
    let is_enough = |due: &[Key]| i64::try_from(due.len()).is_ok_and(|found| found >= wanted);
    if is_enough(&due) {
        return Ok(due);
    }
    let events = spread(tx, act, lane)?;
    if events == 0 {
        return Ok(due);
    }
    let due = rows::due_in_lane(tx, KIND, lane, now, wanted)?;
    if events == spread::AT_ONCE && !is_enough(&due) && webhook_endpoints::is_told(tx, lane)? {
        // They were for others, and there may be more.
        act.fill(lane.clone());
    }
    Ok(due)
}

/// Ends what is due in the lane of an endpoint that is told nothing any more, a bounded number at a time.
fn end_rest(tx: &mut dyn Tx, lane: &Lane, now: Micros) -> Result<(), Fault> {
    for key in rows::due_in_lane(tx, KIND, lane, now, ENDED_AT_ONCE)? {
        let to_send = webhook_deliveries::to_send(tx, key.team, &key.subject, now)?;
        if to_send.is_none_or(|to_send| to_send.is_for_nobody()) {
            take_up(tx, &key, now, now.plus(1))?;
        }
    }
    Ok(())
}

/// Leases a delivery that is due, and returns what is needed to send it. One that nobody is to be told of any more is
/// ended, without having been sent.
fn take_up(
    tx: &mut dyn Tx,
    key: &Key,
    now: Micros,
    until: Micros,
) -> Result<Option<ToSend>, Fault> {
    if !rows::lease(tx, key, now, until, When::Due)? {
        return Ok(None);
    }
    let Some(to_send) = webhook_deliveries::to_send(tx, key.team, &key.subject, now)? else {
        rows::done(tx, key)?;
        return Ok(None);
    };
    if !to_send.is_for_nobody() {
        return Ok(Some(to_send));
    }
    rows::done(tx, key)?;
    let (team_id, delivery) = (&to_send.place.team_id, &to_send.delivery);
    let ended = (DeliveryState::Failed, Some(now));
    webhook_deliveries::tried(tx, team_id, &delivery.id, delivery.attempts, ended)?;
    Ok(None)
}

/// Lets nobody else change or judge an endpoint until the transaction ends.
fn hold(tx: &mut dyn Tx, endpoint_id: &str) -> Result<(), Fault> {
    tx.lock(&no_team(), &[&format!("webhook endpoint {endpoint_id}")])
}

/// Gives a lease back, for what has not been sent; tells whether it was still held.
pub fn give_back(tx: &mut dyn Tx, act: &mut Act, job: &Job) -> Result<bool, Fault> {
    let given = rows::put_back(tx, &job.key(), job.until, act.real(), None)?;
    if given {
        act.filled.push(job.lane());
    }
    Ok(given)
}

/// Gives all leases back, where only one process sends and has just started. Returns how many there were.
pub fn give_back_all(tx: &mut dyn Tx) -> Result<u64, Fault> {
    match tx.is_alone() {
        true => rows::give_back_all(tx, KIND),
        false => Ok(0),
    }
}
