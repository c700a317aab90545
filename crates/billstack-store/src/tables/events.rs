//! The event log: what happened, by whom, and why. It is only ever added to.

pub(crate) mod activity;
pub(crate) mod log;
pub(crate) mod why;

use std::sync::Arc;

use billstack_core::event::{Event, Facts, WithStanding};
use billstack_core::ids::{IdKind, TeamId};
use billstack_core::time::Micros;
use billstack_core::webhook::types::Type;
use serde::Deserialize;

use super::credits::Credit;
use super::program_marks::Mark;
use super::referrals::Chapter;
use super::{webhook_endpoints, webhook_outbox};
use crate::seam::act::Listener;
use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Act, Fault, Place, Row, Tx};
use crate::{params, statements};

/// Events as they are counted: with the time of a conversion, which is Stripe's, and that of its apply, the credit that was
/// granted, and the code.
macro_rules! counted_where {
    ($condition:literal) => {
        concat!(
            "SELECT e.created_at, e.id, e.project_id, e.type, \
             CASE WHEN e.type = 'referral.converted' THEN (SELECT r.converted_at FROM referrals AS r \
             WHERE r.id = e.referral_id AND r.team_id = e.team_id AND r.project_id = e.project_id) END, \
             CASE WHEN e.type = 'credit.granted' THEN (SELECT c.created_at FROM credits AS c \
             WHERE c.team_id = e.team_id AND c.project_id = e.project_id AND c.id = e.subject) END, \
             CASE WHEN e.type = 'credit.granted' THEN e.facts END, \
             CASE WHEN e.type = 'code.created' THEN e.subject \
             WHEN e.type IN ('referral.applied', 'referral.converted') THEN (SELECT r.code FROM referrals AS r \
             WHERE r.id = e.referral_id AND r.team_id = e.team_id AND r.project_id = e.project_id) END, \
             CASE WHEN e.type = 'referral.converted' THEN (SELECT r.created_at FROM referrals AS r \
             WHERE r.id = e.referral_id AND r.team_id = e.team_id AND r.project_id = e.project_id) END FROM events AS e WHERE e.team_id = $1 AND (e.created_at, e.id) > ($2, $3)",
            $condition
        )
    };
}

statements! {
    TO_COUNT = counted_where!(" AND e.created_at < $4 ORDER BY e.created_at, e.id LIMIT $5");
    COUNTED_SINCE = counted_where!(" AND e.project_id = $4 AND e.type IN ('code.created', \
        'code.deactivated', 'referral.applied', 'referral.converted', 'referral.expired', \
        'credit.granted')");
    INSERT = "INSERT INTO events (team_id, created_at, id, project_id, type, subject, referral_id, \
        sequence, actor, request_id, facts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// A story has as many of these as events of Stripe came for it.
    WHY_NOT = "SELECT facts FROM events WHERE team_id = $1 AND referral_id = $2 \
        AND type = 'referral.not_converted' ORDER BY sequence DESC";
    /// For one that looks over the data, and seldom.
    CONNECTED_SINCE = "SELECT id FROM events WHERE team_id = $1 AND created_at > $2 \
        AND type IN ('stripe.connected', 'stripe.disconnected') LIMIT 1";
}

/// Every list of events.
pub(crate) const LISTS: &[&List] = &[&STORY];

static STORY: List = List {
    name: "events of a referral",
    select: "SELECT id, type, subject, actor, request_id, facts, created_at, sequence FROM events \
        WHERE team_id = $1 AND referral_id = $2",
    scope: 2,
    filters: &[],
    keys: ["sequence", "id"],
    order: Order::OldestFirst,
    texts: Texts::new(),
};

/// An event as it is counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counted {
    /// When it was recorded.
    pub(crate) at: i64,
    pub(crate) id: String,
    /// The number of its project; none where it is about a team.
    pub(crate) project: Option<i64>,
    /// Its type.
    pub(crate) kind: String,
    /// When the referral converted, as Stripe says.
    pub(crate) converted_at: Option<i64>,
    /// When the code had been applied of a referral that converted.
    pub(crate) applied_at: Option<i64>,
    /// What was granted.
    pub(crate) credit: Option<CountedCredit>,
    /// The code that was made, applied, or has brought a conversion.
    pub(crate) code: Option<String>,
}

/// A credit as it is counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CountedCredit {
    /// When it was given.
    pub(crate) at: i64,
    pub(crate) granted: Granted,
}

/// What the facts of a grant tell.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Granted {
    /// None for one that no referral has earned.
    pub(crate) side: Option<String>,
    pub(crate) currency: String,
    pub(crate) amount: i64,
}

fn decode_counted(row: &dyn Row) -> Result<Counted, Fault> {
    let credit = match (row.opt_int(5)?, row.opt_text(6)?) {
        // What cannot be read is left out of the sums, and `verify` says so.
        (Some(at), Some(facts)) => serde_json::from_str(facts)
            .ok()
            .map(|granted| CountedCredit { at, granted }),
        _ => None,
    };
    Ok(Counted {
        at: row.int(0)?,
        id: row.string(1)?,
        project: row.opt_int(2)?,
        kind: row.string(3)?,
        converted_at: row.opt_int(4)?,
        credit,
        code: row.opt_string(7)?,
        applied_at: row.opt_int(8)?,
    })
}

/// Shows the events of a team after a mark and before a time, so many at most.
pub(crate) fn to_count(
    tx: &mut dyn Tx,
    team: i64,
    after: &Mark,
    before: Micros,
    limit: i64,
    mut each: impl FnMut(Counted),
) -> Result<(), Fault> {
    let range = params![team, after.at, &after.event_id, before, limit];
    tx.query(TO_COUNT, range, &mut |row| {
        each(decode_counted(row)?);
        Ok(())
    })
}

/// Shows whatever counts in a project since a mark.
pub(crate) fn counted_since(
    tx: &mut dyn Tx,
    place: &Place,
    after: &Mark,
    mut each: impl FnMut(Counted),
) -> Result<(), Fault> {
    let range = params![&place.team_id, after.at, &after.event_id, &place.project_id];
    tx.query(COUNTED_SINCE, range, &mut |row| {
        each(decode_counted(row)?);
        Ok(())
    })
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedEvent {
    /// `evt_…`.
    pub id: String,
    /// Dotted name in the past tense, such as `referral.converted`.
    pub kind: String,
    /// The id or code of what changed.
    pub subject: String,
    /// Who did it, as [`crate::Actor::to_text`] writes it.
    pub actor: String,
    /// The request it happened in.
    pub request_id: String,
    /// Details, a JSON object.
    pub facts: String,
    /// When.
    pub created_at: Micros,
    /// Its number in the story of its referral.
    pub sequence: i64,
}

fn decode(row: &dyn Row) -> Result<LoggedEvent, Fault> {
    Ok(LoggedEvent {
        id: row.string(0)?,
        kind: row.string(1)?,
        subject: row.string(2)?,
        actor: row.string(3)?,
        request_id: row.string(4)?,
        facts: row.string(5)?,
        created_at: row.time(6)?,
        sequence: row.int(7)?,
    })
}

/// The story of a referral, from its beginning.
pub fn story(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    referral_id: &str,
    page: &Page,
) -> Result<Part<LoggedEvent>, Fault> {
    let scope = params![team_id, referral_id];
    STORY.read(tx, scope, &[], page, decode, |event| Cursor {
        at: event.sequence,
        key: event.id.clone(),
    })
}

/// Why an event of Stripe did not convert a referral, as the story of that last says it.
pub(crate) fn why_not(
    tx: &mut dyn Tx,
    (team_id, referral_id, stripe_event_id): (&TeamId, &str, &str),
) -> Result<Option<String>, Fault> {
    let mut why = None;
    tx.query(WHY_NOT, params![team_id, referral_id], &mut |row| {
        let facts = Facts::read(row.text(0)?);
        if why.is_none() && facts.tell("stripeEventId", stripe_event_id) {
            why = facts.text("reason").map(str::to_owned);
        }
        Ok(())
    })?;
    Ok(why)
}

/// Whether a team was connected to Stripe, or disconnected, after a time.
pub(crate) fn connected_since(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    at: Micros,
) -> Result<bool, Fault> {
    tx.exists(CONNECTED_SINCE, params![team_id, at])
}

/// Records what happened in a project.
pub(crate) fn record(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    subject: &str,
    event: &Event<'_>,
) -> Result<(), Fault> {
    let at = act.next_moment();
    let about = About {
        place: Some(place),
        subject,
        chapter: None,
        at,
    };
    insert(tx, act, &place.team_id, &about, (event, None))
}

/// Records what happened to a credit, with where it stands: in the chapter of its referral if it has one.
pub(crate) fn record_of_credit(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    chapter: Option<&mut Chapter>,
    credit: &Credit,
    event: &Event<'_>,
) -> Result<(), Fault> {
    let mut at = act.next_moment();
    let chapter = match chapter {
        None => None,
        Some(chapter) => {
            let (sequence, then) = chapter.turn_page()?;
            at = then;
            Some((chapter.referral_id(), sequence))
        }
    };
    let about = About {
        place: Some(place),
        subject: &credit.id,
        chapter,
        at,
    };
    insert(tx, act, &place.team_id, &about, (event, Some(credit)))
}

/// Records what happened to a team as a whole.
pub(crate) fn record_of_team(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    subject: &str,
    event: &Event<'_>,
) -> Result<(), Fault> {
    let at = act.next_moment();
    let about = About {
        place: None,
        subject,
        chapter: None,
        at,
    };
    insert(tx, act, team_id, &about, (event, None))
}

/// Records what happened to a referral, as the next event of a chapter of its story.
pub(crate) fn record_in_story(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    chapter: &mut Chapter,
    subject: &str,
    event: &Event<'_>,
) -> Result<(), Fault> {
    let (sequence, at) = chapter.turn_page()?;
    act.next_moment();
    let chapter = Some((chapter.referral_id(), sequence));
    let about = About {
        place: Some(place),
        subject,
        chapter,
        at,
    };
    insert(tx, act, &place.team_id, &about, (event, None))
}

/// Where an event belongs.
struct About<'a> {
    place: Option<&'a Place>,
    subject: &'a str,
    /// The referral whose story it is part of, and its number there.
    chapter: Option<(&'a str, i64)>,
    at: Micros,
}

fn insert(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    about: &About<'_>,
    (event, credit): (&Event<'_>, Option<&Credit>),
) -> Result<(), Fault> {
    let facts = match credit {
        None => serde_json::to_string(event),
        Some(credit) => serde_json::to_string(&WithStanding {
            event,
            amounts: credit.parts,
            status: credit.status,
        }),
    };
    let facts = facts.map_err(|e| Fault::Defect(e.to_string()))?;
    let id = act.id(IdKind::Event);
    let (referral_id, sequence) = about.chapter.unzip();
    tx.must_later(
        INSERT,
        params![
            team_id,
            about.at,
            &id,
            about.place.map(|place| &place.project_id),
            event.kind(),
            about.subject,
            referral_id,
            sequence,
            &act.actor,
            &act.request_id,
            &facts,
        ],
    )?;
    match (about.place, Type::of(event)) {
        (Some(place), Some(kind)) => tell(tx, act, place, about, &id, kind),
        _ => Ok(()),
    }
}

/// Has an event sent to each endpoint of its project that wants it. None is told of what happens to itself.
fn tell(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    about: &About<'_>,
    event_id: &str,
    kind: Type,
) -> Result<(), Fault> {
    let listeners = listeners(tx, act, place)?;
    let wanting = listeners
        .iter()
        .filter(|listener| listener.types.want(kind) && listener.id != about.subject);
    let wanting: Vec<&str> = wanting.map(|listener| listener.id.as_str()).collect();
    match wanting.is_empty() {
        true => Ok(()),
        false => webhook_outbox::insert(tx, act, place, (about.at, event_id), kind, &wanting),
    }
}

/// Who is told of the events of a project: asked once in a transaction, mostly together with its clock.
fn listeners(tx: &mut dyn Tx, act: &mut Act, place: &Place) -> Result<Arc<[Listener]>, Fault> {
    if let Some(known) = act.listeners(place) {
        return Ok(known);
    }
    let found = webhook_endpoints::listening(tx, place)?;
    Ok(act.keep_listeners(place, found))
}
