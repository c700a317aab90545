//! What webhooks tell to which endpoint: one row for each event and each endpoint that wants it. The transaction of the
//! event names these in `webhook_outbox`. When it is due is in its row of work.

pub(crate) mod trouble;

use billstack_core::ids::{IdKind, TeamId};
use billstack_core::time::Micros;
use billstack_core::webhook::endpoint::DeliveryState;
use billstack_core::webhook::types::Type;

use super::projects::project_of;
use super::teams::team_of;
use super::work;
use crate::seam::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::seam::{Act, Fault, Lane, Place, Row, Tx};
use crate::{params, statements};

/// The kind of work that sends one; its subjects are ids of deliveries, and its lanes are endpoints.
pub const KIND: &str = "webhook";

/// SQL for the columns of a delivery.
macro_rules! columns {
    () => {
        "SELECT id, endpoint_id, event_id, event_at, type, is_replay, state, attempts, created_at, ended_at \
         FROM webhook_deliveries WHERE team_id = $1 AND "
    };
}

statements! {
    INSERT = "INSERT INTO webhook_deliveries (team_id, id, project_id, endpoint_id, event_at, event_id, type, \
        is_replay, state, attempts, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', 0, $9)";
    GET = concat!(columns!(), "id = $2 AND project_id = $3");
    /// All that is needed to send it, by three keys.
    TO_SEND = concat!("SELECT d.id, d.endpoint_id, d.event_id, d.event_at, d.type, d.is_replay, d.state, d.attempts, \
        d.created_at, d.ended_at, ", team_of!("d"), ", ", project_of!("d"), ", e.url, e.secret, e.old_secret, \
        e.old_valid_until, e.state, e.deleted_at, v.type, v.subject, v.actor, v.request_id, v.facts, v.referral_id, \
        v.sequence, (SELECT p.clock_offset FROM projects AS p \
            WHERE p.team_id = d.team_id AND p.project_id = d.project_id) \
        FROM webhook_deliveries AS d \
        JOIN webhook_endpoints AS e ON e.team_id = d.team_id AND e.project_id = d.project_id AND e.id = d.endpoint_id \
        JOIN events AS v ON v.team_id = d.team_id AND v.created_at = d.event_at AND v.id = d.event_id \
        WHERE d.team_id = $1 AND d.id = $2");
    /// What was not sent by hand, from a place on.
    AFTER = concat!(columns!(), "endpoint_id = $2 AND ended_at IS NOT NULL AND state = $3 \
        AND (created_at, id) > ($4, $5) AND created_at < $6 AND NOT is_replay ORDER BY created_at, id LIMIT $7");
    COUNTED = "SELECT type, COUNT(*) FROM webhook_deliveries WHERE team_id = $1 AND endpoint_id = $2 AND ended_at IS NOT NULL AND state = $3 \
        AND created_at >= $4 AND created_at < $5 AND NOT is_replay GROUP BY type";
    /// However many more there are.
    COUNT_SINCE = "SELECT COUNT(*) FROM (SELECT id FROM webhook_deliveries WHERE team_id = $1 AND endpoint_id = $2 \
        AND ended_at IS NOT NULL AND state = $3 AND created_at >= $4 LIMIT $5) AS lately";
    TO_FORGET = "SELECT team_id, id FROM webhook_deliveries \
        WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2";
    FORGET = "DELETE FROM webhook_deliveries WHERE team_id = $1 AND id = $2";
    TRIED = "UPDATE webhook_deliveries SET attempts = $3, state = $4, ended_at = $5 \
        WHERE team_id = $1 AND id = $2 AND state = 'waiting'";
}

/// Every list of deliveries.
pub(crate) const LISTS: &[&List] = &[&OF_ENDPOINT];

static OF_ENDPOINT: List = List {
    name: "webhook deliveries of an endpoint",
    select: concat!(columns!(), "endpoint_id = $2"),
    scope: 2,
    filters: &[
        Filter::Within(
            "id",
            "SELECT w.subject FROM work AS w WHERE w.team_id = $1 AND w.kind = 'webhook' AND w.lane",
        ),
        Filter::Equals("ended_at IS NOT NULL AND state"),
        Filter::Equals("type"),
    ],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// An event on its way to an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// `whd_…`.
    pub id: String,
    /// Where it is sent.
    pub endpoint_id: String,
    /// The event that it tells of.
    pub event_id: String,
    /// When that was recorded.
    pub event_at: Micros,
    /// As what it is told.
    pub kind: Type,
    /// Whether somebody asked for it; then it is tried once.
    pub is_replay: bool,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// Since when it waits or has waited.
    pub created_at: Micros,
    /// When it was over, by the time of day: it is forgotten so long after.
    pub ended_at: Option<Micros>,
}

fn decode(row: &dyn Row) -> Result<Delivery, Fault> {
    Ok(Delivery {
        id: row.string(0)?,
        endpoint_id: row.string(1)?,
        event_id: row.string(2)?,
        event_at: row.time(3)?,
        kind: row.read(4, Type::read)?,
        is_replay: row.flag(5)?,
        state: row.read(6, DeliveryState::read)?,
        attempts: row.int(7)?,
        created_at: row.time(8)?,
        ended_at: row.opt_time(9)?,
    })
}

/// An event as it is in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct ToTell {
    /// `evt_…`.
    pub id: String,
    /// When it was recorded.
    pub created_at: Micros,
    /// Its type in the log.
    pub kind: String,
    /// The id or code of what changed.
    pub subject: String,
    /// Who did it.
    pub actor: String,
    /// The request it happened in.
    pub request_id: String,
    /// Details, a JSON object.
    pub facts: String,
    /// The referral whose story it is part of, and its number there.
    pub in_story: Option<(String, i64)>,
}

/// A delivery with all that is needed to send it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToSend {
    /// The delivery.
    pub delivery: Delivery,
    /// Where it happened.
    pub place: Place,
    /// Where it goes.
    pub url: String,
    /// The secrets to sign with, sealed: the present one, and the one before as long as it is good.
    pub secrets: Vec<String>,
    /// What it tells of.
    pub event: ToTell,
    /// Whether the endpoint is told nothing of events any more, and whether it is gone.
    is_disabled: bool,
    is_deleted: bool,
}

impl ToSend {
    /// Whether nobody is to be told of it any more. An endpoint that is disabled still gets what is asked for by hand.
    pub(crate) fn is_for_nobody(&self) -> bool {
        self.is_deleted || (self.is_disabled && !self.delivery.is_replay)
    }
}

fn decode_to_send(row: &dyn Row, real: Micros) -> Result<ToSend, Fault> {
    let delivery = decode(row)?;
    let now = real.plus(row.int(25)?);
    let old = row.opt_string(14)?;
    let is_good = row.opt_time(15)?.is_some_and(|until| until > now);
    let secrets = row.opt_string(13)?.into_iter();
    let in_story = row.opt_string(23)?.zip(row.opt_int(24)?);
    Ok(ToSend {
        place: Place::new(row.team_id(10)?, row.project_id(11)?),
        url: row.string(12)?,
        secrets: secrets.chain(old.filter(|_| is_good)).collect(),
        event: ToTell {
            id: delivery.event_id.clone(),
            created_at: delivery.event_at,
            kind: row.string(18)?,
            subject: row.string(19)?,
            actor: row.string(20)?,
            request_id: row.string(21)?,
            facts: row.string(22)?,
            in_story,
        },
        is_disabled: row.text(16)? == "disabled",
        is_deleted: row.opt_int(17)?.is_some(),
        delivery,
    })
}

/// What a new delivery tells, and to whom.
#[derive(Clone, Copy)]
pub(crate) struct New<'a> {
    pub(crate) lane: &'a Lane,
    pub(crate) event_at: Micros,
    pub(crate) event_id: &'a str,
    pub(crate) kind: Type,
    pub(crate) is_replay: bool,
    /// Since when it waits, by the clock of its project.
    pub(crate) created_at: Micros,
}

/// Has an event sent to an endpoint, and returns the id of the delivery. Nothing is waited for.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    act: &mut Act,
    new: New<'_>,
    run_after: Micros,
) -> Result<String, Fault> {
    let id = act.id(IdKind::WebhookDelivery);
    let row = params![
        new.lane.team,
        &id,
        new.lane.project,
        &new.lane.endpoint_id,
        new.event_at,
        new.event_id,
        new.kind.as_str(),
        new.is_replay,
        new.created_at,
    ];
    tx.must_later(INSERT, row)?;
    work::enqueue_in_lane(tx, act, KIND, new.lane, &id, run_after)?;
    Ok(id)
}

/// The delivery with this id in a project.
pub(crate) fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Delivery>, Fault> {
    tx.one(GET, params![&place.team_id, id, &place.project_id], decode)
}

/// All that is needed to send a delivery, at this time of the day; `None` where a part of it is gone.
pub(crate) fn to_send(
    tx: &mut dyn Tx,
    team: i64,
    id: &str,
    real: Micros,
) -> Result<Option<ToSend>, Fault> {
    tx.one(TO_SEND, params![team, id], |row| decode_to_send(row, real))
}

/// Keeps how far a delivery that waits has come; told later if it does not.
pub(crate) fn tried(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    attempts: i64,
    (state, ended_at): (DeliveryState, Option<Micros>),
) -> Result<(), Fault> {
    let row = params![team_id, id, attempts, state.as_str(), ended_at];
    tx.must_later(TRIED, row)
}

/// Deliveries to an endpoint in a state, which nobody asked for, after a place in their order and before a time.
pub(crate) fn after(
    tx: &mut dyn Tx,
    (team_id, endpoint_id): (&TeamId, &str),
    state: DeliveryState,
    after: &Cursor,
    before: Micros,
    limit: i64,
) -> Result<Vec<Delivery>, Fault> {
    let state = state.as_str();
    let range = params![
        team_id,
        endpoint_id,
        state,
        after.at,
        &after.key,
        before,
        limit
    ];
    tx.all(AFTER, range, decode)
}

/// How many of them there are in a range of time, by type.
pub(crate) fn counted(
    tx: &mut dyn Tx,
    (team_id, endpoint_id): (&TeamId, &str),
    state: DeliveryState,
    (since, until): (Micros, Micros),
) -> Result<Vec<(Type, i64)>, Fault> {
    let range = params![team_id, endpoint_id, state.as_str(), since, until];
    tx.all(COUNTED, range, |row| {
        Ok((row.read(0, Type::read)?, row.int(1)?))
    })
}

/// How many deliveries to an endpoint that are over have come so far since a time, up to a limit.
pub(crate) fn count_since(
    tx: &mut dyn Tx,
    (team_id, endpoint_id): (&TeamId, &str),
    state: DeliveryState,
    since: Micros,
    limit: i64,
) -> Result<i64, Fault> {
    let scope = params![team_id, endpoint_id, state.as_str(), since, limit];
    let counted = tx.one(COUNT_SINCE, scope, |row| row.int(0))?;
    Ok(counted.unwrap_or_default())
}

/// Forgets a number of deliveries that were over before a time, and what `beside` keeps of each. Returns how
/// many.
pub(crate) fn forget(
    tx: &mut dyn Tx,
    before: Micros,
    limit: i64,
    mut beside: impl FnMut(&mut dyn Tx, i64, &str) -> Result<u64, Fault>,
) -> Result<u64, Fault> {
    let old = tx.all(TO_FORGET, params![before, limit], |row| {
        Ok((row.int(0)?, row.string(1)?))
    })?;
    let mut forgotten = 0;
    for (team, id) in old {
        beside(tx, team, &id)?;
        forgotten += tx.execute(FORGET, params![team, &id])?;
    }
    Ok(forgotten)
}

/// Which deliveries are wanted.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// How far they have come.
    pub state: Option<DeliveryState>,
    /// What they tell.
    pub kind: Option<Type>,
    /// From when on they wait.
    pub from: Option<Micros>,
    /// Before when.
    pub to: Option<Micros>,
}

/// Deliveries to an endpoint, the newest first.
pub(crate) fn list(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    endpoint_id: &str,
    filter: &DeliveryFilter,
    page: &Page,
) -> Result<Part<Delivery>, Fault> {
    let is_waiting = filter.state == Some(DeliveryState::Waiting);
    let ended = filter.state.filter(|_| !is_waiting);
    let wanted = [
        Wanted::from(is_waiting.then(|| endpoint_id.to_owned())),
        Wanted::from(ended.map(|state| state.as_str().to_owned())),
        Wanted::from(filter.kind.map(|kind| kind.as_str().to_owned())),
    ];
    // No key is before the empty one.
    let before = filter.to.map(|to| Cursor {
        at: to.0,
        key: String::new(),
    });
    let after = page.after.clone().or(before);
    let page = Page {
        after,
        ..page.clone()
    };
    let scope = params![team_id, endpoint_id];
    let place = |delivery: &Delivery| Cursor {
        at: delivery.created_at.0,
        key: delivery.id.clone(),
    };
    let mut part = OF_ENDPOINT.read(tx, scope, &wanted, &page, decode, place)?;
    if let Some(from) = filter.from {
        let shown = part.rows.iter().take_while(|row| row.created_at >= from);
        let shown = shown.count();
        if shown < part.rows.len() {
            part.rows.truncate(shown);
            part.next = None;
        }
    }
    Ok(part)
}
