//! What Stripe told: each event once for a team, with what became of it and why.

pub(crate) mod signed;

use billstack_core::attribution::Outcome;
use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::stripe_event::Start;
use billstack_core::time::Micros;

use super::projects::project_of;
use crate::seam::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

/// SQL for what is written of a [`Settled`] about an event that was kept before, and when its payload stays.
///
/// It drops the payload when the event changes customer, or erasing the first one would miss it.
macro_rules! settled {
    ($stays:literal) => {
        concat!(
            "outcome = $3, reason = $4, project_id = $5, customer_id = $6, referral_id = $7, \
             payload = CASE WHEN ",
            $stays,
            " THEN payload END"
        )
    };
}

statements! {
    OUTCOME = "SELECT outcome FROM stripe_events WHERE team_id = $1 AND id = $2";
    INSERT = "INSERT INTO stripe_events (team_id, id, type, created_at, received_at, livemode, source, \
        outcome, reason, project_id, customer_id, referral_id, start, payload, signed_with) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING";
    /// The payload of a thin event stays also without a customer, until its object could be read.
    REWRITE = concat!("UPDATE stripe_events SET ", settled!("customer_id = $6 \
        OR (customer_id IS NULL AND ($6 IS NOT NULL OR CAST($8 AS TEXT) IS NULL))"), ", start = $8 \
        WHERE team_id = $1 AND id = $2 AND outcome <> 'converted'");
    SET_OUTCOME = concat!("UPDATE stripe_events SET ", settled!("customer_id = $6"), " \
        WHERE team_id = $1 AND id = $2 AND outcome <> 'converted'");
    /// What is known of the event stays as it is: it is decided again once the mode is right.
    SET_ASIDE = "UPDATE stripe_events SET outcome = 'ignored', reason = $3 \
        WHERE team_id = $1 AND id = $2 AND outcome <> 'converted'";
    KEPT_START = "SELECT type, outcome, start, livemode FROM stripe_events \
        WHERE team_id = $1 AND id = $2 AND start IS NOT NULL";
    NEWEST = "SELECT MAX(received_at) FROM stripe_events WHERE payload IS NOT NULL";
    GET = concat!("SELECT id, type, created_at, received_at, livemode, outcome, reason, ",
        project_of!("stripe_events"), ", customer_id, referral_id, payload \
        FROM stripe_events WHERE team_id = $1 AND id = $2");
    ANY = "SELECT id FROM stripe_events WHERE team_id = $1 LIMIT 1";
    /// Includes events stored with another customer who is the same Stripe customer: they may tell of either.
    DROP_PAYLOADS_OF = "UPDATE stripe_events SET payload = NULL \
        WHERE team_id = $1 AND payload IS NOT NULL AND customer_id IN (\
        SELECT $2 UNION ALL SELECT id FROM customers \
        WHERE team_id = $1 AND stripe_customer_id = $3)";
    DROP_OLD_PAYLOADS = "UPDATE stripe_events SET payload = NULL WHERE (team_id, id) IN (\
        SELECT team_id, id FROM stripe_events WHERE payload IS NOT NULL AND received_at < $1 \
        LIMIT $2)";
}

/// Every list of Stripe events.
pub(crate) const LISTS: &[&List] = &[&LIST, &OF_TYPE, &OF_TYPE_AND_OUTCOME];

/// The events of a team, by what follows the `WHERE`.
macro_rules! listed_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, type, created_at, received_at, livemode, outcome, reason, ",
            project_of!("stripe_events"),
            ", customer_id, referral_id, CAST(NULL AS TEXT) FROM stripe_events WHERE team_id = $1",
            $condition
        )
    };
}

static LIST: List = List {
    name: "stripe events",
    select: listed_where!(""),
    scope: 1,
    filters: &[Filter::Equals("outcome")],
    keys: ["received_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

static OF_TYPE: List = List {
    name: "stripe events of a type",
    select: listed_where!(" AND type = $2"),
    scope: 2,
    filters: &[],
    keys: ["received_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Both at once, in a form that only their own index has: PostgreSQL believes that either of the others finds such
/// events soon, and reads all of a type in vain when none of them has that outcome.
static OF_TYPE_AND_OUTCOME: List = List {
    name: "stripe events of a type and outcome",
    select: listed_where!(" AND (type || ' ' || outcome) = $2"),
    scope: 2,
    filters: &[],
    keys: ["received_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// How we came to know something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// Stripe sent an event.
    Event,
    /// Stripe was asked, and told of it.
    Asked,
    /// Stripe was asked which events there were: it had not reached us, or never been sent.
    CaughtUp,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Source::Event => "event",
            Source::Asked => "asked",
            Source::CaughtUp => "caught_up",
        }
    }
}

/// What became of an event, and whom it concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, for a person.
    pub reason: String,
    /// The project of the customer it concerned.
    pub project_id: Option<ProjectId>,
    /// The customer it concerned.
    pub customer_id: Option<String>,
    /// The referral it concerned.
    pub referral_id: Option<String>,
}

impl Settled {
    /// An outcome that concerns nobody yet.
    pub fn new(outcome: Outcome, reason: &str) -> Settled {
        Settled {
            outcome,
            reason: reason.to_owned(),
            project_id: None,
            customer_id: None,
            referral_id: None,
        }
    }

    /// The same, about a customer.
    #[must_use]
    pub(crate) fn of_customer(self, place: &Place, customer_id: &str) -> Settled {
        Settled {
            project_id: Some(place.project_id.clone()),
            customer_id: Some(customer_id.to_owned()),
            ..self
        }
    }
}

/// An event that is kept for the first time.
pub(crate) struct NewEvent<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) created_at: Micros,
    pub(crate) received_at: Micros,
    pub(crate) livemode: Option<bool>,
    pub(crate) source: Source,
    pub(crate) settled: &'a Settled,
    /// The facts that were read from it.
    pub(crate) start: Option<&'a str>,
    pub(crate) payload: Option<&'a str>,
    /// The number of the secret that signed it.
    pub(crate) signed_with: Option<i64>,
}

/// Keeps an event; tells whether no other delivery of it was first.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    event: &NewEvent<'_>,
) -> Result<bool, Fault> {
    let settled = event.settled;
    let row = params![
        team_id,
        event.id,
        event.kind,
        event.created_at,
        event.received_at,
        event.livemode,
        event.source.as_str(),
        settled.outcome.as_str(),
        &settled.reason,
        settled.project_id.as_ref(),
        settled.customer_id.as_deref(),
        settled.referral_id.as_deref(),
        event.start,
        event.payload,
        event.signed_with,
    ];
    tx.hit(INSERT, row)
}

/// Writes what became of an event that was kept before and has been read anew.
pub(crate) fn rewrite(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    settled: &Settled,
    start: Option<&str>,
) -> Result<(), Fault> {
    let row = params![
        team_id,
        id,
        settled.outcome.as_str(),
        &settled.reason,
        settled.project_id.as_ref(),
        settled.customer_id.as_deref(),
        settled.referral_id.as_deref(),
        start,
    ];
    tx.must(REWRITE, row)
}

/// Writes what became of an event that has been decided anew. If another decision was faster, the operation
/// is run again.
pub(crate) fn set_outcome(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    settled: &Settled,
) -> Result<(), Fault> {
    let row = params![
        team_id,
        id,
        settled.outcome.as_str(),
        &settled.reason,
        settled.project_id.as_ref(),
        settled.customer_id.as_deref(),
        settled.referral_id.as_deref(),
    ];
    if tx.hit(SET_OUTCOME, row)? {
        return Ok(());
    }
    Err(Fault::Conflict("the event converted meanwhile".to_owned()))
}

/// Sets an event aside, with all that is known of it.
pub(crate) fn set_aside(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    why: &str,
) -> Result<(), Fault> {
    tx.must(SET_ASIDE, params![team_id, id, why])
}

/// Drops the payloads of the events kept with a customer, or with another one who is this Stripe customer.
pub(crate) fn drop_payloads_of(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    stripe_id: Option<&str>,
) -> Result<(), Fault> {
    let scope = params![&place.team_id, customer_id, stripe_id];
    tx.execute(DROP_PAYLOADS_OF, scope).map(|_| ())
}

/// Drops payloads received before a time; ids and outcomes stay. Returns how many.
pub fn drop_old_payloads(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(DROP_OLD_PAYLOADS, params![before, limit])
}

/// What became of an event that may have come in before.
pub fn outcome(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<Outcome>, Fault> {
    tx.one(OUTCOME, params![team_id, id], |row| {
        row.read(0, Outcome::read)
    })
}

/// An event kept earlier, with the facts read from it.
pub struct KeptStart {
    /// Its type.
    pub kind: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The facts.
    pub start: Start,
    /// Live or test mode, when it said so.
    pub livemode: Option<bool>,
}

/// The facts read from an event when it came in; they outlive its payload. `None` also for facts of a newer
/// version that this one cannot read.
pub fn kept_start(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<KeptStart>, Fault> {
    let found = tx.one(KEPT_START, params![team_id, id], |row| {
        let Ok(start) = serde_json::from_str(row.text(2)?) else {
            return Ok(None);
        };
        Ok(Some(KeptStart {
            kind: row.string(0)?,
            outcome: row.read(1, Outcome::read)?,
            start,
            livemode: row.opt_flag(3)?,
        }))
    })?;
    Ok(found.flatten())
}

/// An event as the team's administrators see it.
#[derive(Clone, Debug, PartialEq)]
pub struct StripeEvent {
    /// `evt_…`.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// When it happened, as Stripe says.
    pub created_at: Micros,
    /// When it came in.
    pub received_at: Micros,
    /// Live or test mode, when it said so.
    pub livemode: Option<bool>,
    /// What became of it, and whom it concerned.
    pub settled: Settled,
    /// The body as it came; gone after retention or erasure, and left out of lists.
    pub payload: Option<String>,
}

fn decode(row: &dyn Row) -> Result<StripeEvent, Fault> {
    Ok(StripeEvent {
        id: row.string(0)?,
        kind: row.string(1)?,
        created_at: row.time(2)?,
        received_at: row.time(3)?,
        livemode: row.opt_flag(4)?,
        settled: Settled {
            outcome: row.read(5, Outcome::read)?,
            reason: row.opt_string(6)?.unwrap_or_default(),
            project_id: row.opt_project_id(7)?,
            customer_id: row.opt_string(8)?,
            referral_id: row.opt_string(9)?,
        },
        payload: row.opt_string(10)?,
    })
}

/// The event with this id.
pub fn get(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<StripeEvent>, Fault> {
    tx.one(GET, params![team_id, id], decode)
}

/// Whether any event has come in for the team.
pub fn any(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.exists(ANY, params![team_id])
}

/// Events, the latest received first, without their payloads.
pub(crate) fn list(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    outcome: Option<Outcome>,
    kind: Option<String>,
    page: &Page,
) -> Result<Part<StripeEvent>, Fault> {
    let outcome = outcome.map(|outcome| outcome.as_str().to_owned());
    let place_of = |event: &StripeEvent| Cursor {
        at: event.received_at.0,
        key: event.id.clone(),
    };
    match (outcome, kind) {
        (outcome, None) => {
            let wanted = [Wanted::from(outcome)];
            LIST.read(tx, params![team_id], &wanted, page, decode, place_of)
        }
        (None, Some(kind)) => {
            OF_TYPE.read(tx, params![team_id, &kind], &[], page, decode, place_of)
        }
        (Some(outcome), Some(kind)) => {
            let both = format!("{kind} {outcome}");
            OF_TYPE_AND_OUTCOME.read(tx, params![team_id, &both], &[], page, decode, place_of)
        }
    }
}

/// When the newest event of any team was received that is still kept whole.
pub fn newest(tx: &mut dyn Tx) -> Result<Option<Micros>, Fault> {
    let newest = tx.one(NEWEST, params![], |row| row.opt_int(0))?;
    Ok(newest.flatten().map(Micros))
}
