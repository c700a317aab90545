//! Sending again what somebody asks for: one delivery, or what happened in a range of time.
//!
//! What is sent by hand is a delivery of its own, of the same event. It is tried once, says nothing about how the
//! endpoint does, and is sent while the endpoint is disabled too.

use billstack_core::event::{Event, Facts};
use billstack_core::ids::IdKind;
use billstack_core::time::{Micros, SECOND};
use billstack_core::webhook::endpoint::{DeliveryState, Types};
use billstack_core::webhook::types::Type;
use serde::{Deserialize, Serialize};

use super::log::{self, Shown};
use super::{Endpoint, endpoints};
use crate::operations::refusal::Abort;
use crate::operations::test_clock;
use crate::operations::work::{self, Key, Leased};
use crate::seam::list::Cursor;
use crate::seam::{Act, Fault, Lane, Place, Tx};
use crate::tables::webhook_deliveries::{self, New};
use crate::tables::{events, work as rows};

/// The kind of work that sends a range again, a part at a time.
pub const KIND: &str = "webhook_replay";

/// How many of a range are sent in a second.
const IN_A_SECOND: i64 = 20;

/// How many are looked at in one transaction.
const PART: i64 = 200;

/// How long it waits for what is being committed, at the end of the log.
const UNTIL_SETTLED: i64 = 5 * SECOND;

/// Sends a delivery once more.
pub fn one(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    endpoint_id: &str,
    id: &str,
) -> Result<Shown, Abort> {
    let sent = log::get(tx, place, endpoint_id, id)?.delivery;
    let lane = Lane::new(place, endpoint_id);
    let new = New {
        lane: &lane,
        event_at: sent.event_at,
        event_id: &sent.event_id,
        kind: sent.kind,
        is_replay: true,
        created_at: act.at,
    };
    let now = act.real();
    let id = webhook_deliveries::insert(tx, act, new, now)?;
    log::get(tx, place, endpoint_id, &id)
}

/// Which events are sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// From when on.
    pub since: Micros,
    /// Before when.
    pub until: Micros,
    /// Only those whose delivery has come so far; otherwise all in the log, whether or not there was one.
    pub state: Option<DeliveryState>,
    /// Only those of these types; otherwise of those that the endpoint wants.
    pub types: Option<Types>,
}

impl Range {
    fn wants(&self, endpoint: &Endpoint, kind: Type) -> bool {
        let types = self.types.as_ref().unwrap_or(&endpoint.types);
        types.want(kind)
    }
}

/// How many events a range has.
pub fn count(
    tx: &mut dyn Tx,
    place: &Place,
    endpoint_id: &str,
    range: &Range,
) -> Result<i64, Abort> {
    let endpoint = endpoints::get(tx, place, endpoint_id)?;
    let times = (range.since, range.until);
    let of_endpoint = (&place.team_id, endpoint_id);
    let counted: Vec<(Type, i64)> = match range.state {
        Some(state) => webhook_deliveries::counted(tx, of_endpoint, state, times)?,
        None => {
            let logged = events::log::counted(tx, place, times, endpoint_id)?;
            let told = logged.into_iter().filter_map(|(logged, is_held, number)| {
                Some((Type::of_logged_if(&logged, is_held)?, number))
            });
            told.collect()
        }
    };
    let wanted = counted
        .iter()
        .filter(|(kind, _)| range.wants(&endpoint, *kind));
    Ok(wanted.map(|(_, number)| number).sum())
}

/// What the work knows: where, which range, and how far it has come.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RangeFacts {
    team_id: String,
    project_id: String,
    endpoint_id: String,
    until: Micros,
    state: Option<DeliveryState>,
    types: Option<String>,
    at: i64,
    key: String,
}

/// Has a range sent again, in the background; `number` is what [`count`] said.
pub fn begin(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    endpoint_id: &str,
    range: &Range,
    number: i64,
) -> Result<(), Abort> {
    endpoints::get(tx, place, endpoint_id)?;
    let facts = RangeFacts {
        team_id: place.team_id.to_string(),
        project_id: place.project_id.to_string(),
        endpoint_id: endpoint_id.to_owned(),
        until: range.until,
        state: range.state,
        types: range.types.as_ref().map(Types::to_text),
        at: range.since.0,
        key: String::new(),
    };
    // The event is the name of the work, so that two ranges never meet.
    let key = Key::new(
        &place.team_id,
        &place.project_id,
        KIND,
        &act.id(IdKind::WebhookDelivery),
    );
    let at = act.at;
    work::enqueue(tx, act, &key, &text(&facts)?, at)?;
    let event = Event::WebhookEndpointReplayed {
        count: number,
        since: range.since,
        until: range.until,
    };
    events::record(tx, act, place, endpoint_id, &event)?;
    Ok(())
}

fn text(facts: &RangeFacts) -> Result<String, Fault> {
    serde_json::to_string(facts).map_err(|e| Fault::Defect(e.to_string()))
}

/// What is left of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// Something; its row of work says when it is due.
    Later,
}

/// Has the next part of a range sent, under a lease, and keeps how far it has come. Nothing can be added to the log any
/// more before `settled`, by the time of day.
pub fn carry_on(
    tx: &mut dyn Tx,
    act: &mut Act,
    leased: &Leased,
    settled: Micros,
) -> Result<Rest, Fault> {
    // Whoever has taken it over meanwhile goes on from what is kept.
    let held = leased.work.leased_until;
    if !rows::extend(tx, &leased.key, held, held.plus(1))? {
        return Ok(Rest::Later);
    }
    let mut facts: RangeFacts =
        serde_json::from_str(&leased.work.facts).map_err(|e| Fault::Defect(e.to_string()))?;
    let place = Place::new(facts.team_id.clone(), facts.project_id.clone());
    test_clock::enter(tx, act, &place)?;
    let found = endpoints::get(tx, &place, &facts.endpoint_id);
    let endpoint = match found {
        Ok(endpoint) => endpoint,
        Err(Abort::Refused(_)) => return Ok(Rest::Nothing),
        Err(Abort::Fault(fault)) => return Err(fault),
    };
    let settled = settled.plus(act.ahead());
    let part = next_part(tx, &place, &facts, facts.until.min(settled))?;
    let range = Range {
        since: Micros(facts.at),
        until: facts.until,
        state: facts.state,
        types: facts.types.as_deref().and_then(Types::from_text),
    };
    let lane = Lane::new(&place, &facts.endpoint_id);
    let mut sent = 0;
    for event in &part {
        facts.at = event.place.at;
        facts.key.clone_from(&event.place.key);
        let Some(kind) = event.kind.filter(|kind| range.wants(&endpoint, *kind)) else {
            continue;
        };
        let new = New {
            lane: &lane,
            event_at: event.event_at,
            event_id: &event.event_id,
            kind,
            is_replay: true,
            created_at: act.at,
        };
        let run_after = act.real().plus(sent * SECOND / IN_A_SECOND);
        webhook_deliveries::insert(tx, act, new, run_after)?;
        sent += 1;
    }
    let is_full = part.len() >= usize::try_from(PART).unwrap_or(usize::MAX);
    let pause = match is_full {
        true => sent * SECOND / IN_A_SECOND,
        false if facts.until > settled => UNTIL_SETTLED,
        false => return Ok(Rest::Nothing),
    };
    let run_after = act.real().plus(pause);
    rows::later(tx, &leased.key, &text(&facts)?, run_after, None)?;
    Ok(Rest::Later)
}

/// An event of a range.
struct InRange {
    /// Where it is in the order of the range.
    place: Cursor,
    event_at: Micros,
    event_id: String,
    kind: Option<Type>,
}

fn next_part(
    tx: &mut dyn Tx,
    place: &Place,
    facts: &RangeFacts,
    before: Micros,
) -> Result<Vec<InRange>, Fault> {
    let after = Cursor {
        at: facts.at,
        key: facts.key.clone(),
    };
    let of_endpoint = (&place.team_id, facts.endpoint_id.as_str());
    let Some(state) = facts.state else {
        let logged = events::log::after(tx, place, &after, before, PART)?;
        let in_range = logged.into_iter().map(|event| {
            let kind = Type::of_logged(&event.kind, &Facts::read(&event.facts));
            InRange {
                place: Cursor {
                    at: event.at.0,
                    key: event.id.clone(),
                },
                event_at: event.at,
                kind: kind.filter(|_| event.subject != facts.endpoint_id),
                event_id: event.id,
            }
        });
        return Ok(in_range.collect());
    };
    let sent = webhook_deliveries::after(tx, of_endpoint, state, &after, before, PART)?;
    let in_range = sent.into_iter().map(|delivery| InRange {
        place: Cursor {
            at: delivery.created_at.0,
            key: delivery.id,
        },
        event_at: delivery.event_at,
        event_id: delivery.event_id,
        kind: Some(delivery.kind),
    });
    Ok(in_range.collect())
}
