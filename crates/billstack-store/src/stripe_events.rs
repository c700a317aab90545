//! Stripe events: each kept once per team, with what became of it and why.

mod incoming;
mod outcome;

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::stripe_event::Start;
use billstack_core::time::Micros;

use crate::act::{Act, Place};
use crate::conversion::{self, Sign};
use crate::customers;
use crate::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::projects::project_of;
use crate::reconsider::{self, Which};
use crate::refusal::Refusal;
use crate::subscription_starts;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

pub use incoming::{Content, Incoming};
pub use outcome::Outcome;

/// SQL for what is written of a [`Settled`] about an event that was kept before, and when its body stays.
///
/// It forgets the body of an event that turns out to be another customer's, or nobody's any more: it tells
/// of the one before as well, who could not be erased from it.
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
    INSERT = "INSERT INTO stripe_events (team_id, id, type, created_at, received_at, livemode, \
        outcome, reason, project_id, customer_id, referral_id, start, payload) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";
    /// The body of a thin event stays also without a customer, until its object could be read.
    REWRITE = concat!("UPDATE stripe_events SET ", settled!("customer_id = $6 \
        OR (customer_id IS NULL AND ($6 IS NOT NULL OR CAST($8 AS TEXT) IS NULL))"), ", start = $8 \
        WHERE team_id = $1 AND id = $2 AND outcome <> 'converted'");
    SET_OUTCOME = concat!("UPDATE stripe_events SET ", settled!("customer_id = $6"), " \
        WHERE team_id = $1 AND id = $2 AND outcome <> 'converted'");
    /// What is known of the event stays as it is: it is decided again once the mode is right.
    SET_ASIDE = "UPDATE stripe_events SET outcome = 'ignored', reason = $3 \
        WHERE team_id = $1 AND id = $2 AND outcome <> 'converted'";
    KEPT_START = "SELECT type, outcome, start, livemode FROM stripe_events WHERE team_id = $1 AND id = $2 \
        AND start IS NOT NULL";
    GET = concat!("SELECT id, type, created_at, received_at, livemode, outcome, reason, ",
        project_of!("stripe_events"), ", customer_id, referral_id, payload \
        FROM stripe_events WHERE team_id = $1 AND id = $2");
    ANY = "SELECT id FROM stripe_events WHERE team_id = $1 LIMIT 1";
}

/// Every list of Stripe events.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "stripe events",
    select: concat!(
        "SELECT id, type, created_at, received_at, livemode, outcome, reason, ",
        project_of!("stripe_events"),
        ", customer_id, referral_id, CAST(NULL AS TEXT) FROM stripe_events WHERE team_id = $1"
    ),
    scope: 1,
    filters: &[Filter::Equals("outcome"), Filter::Equals("type")],
    keys: ["received_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

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
        let reason = reason.to_owned();
        Settled {
            outcome,
            reason,
            project_id: None,
            customer_id: None,
            referral_id: None,
        }
    }

    pub(crate) fn of_customer(&mut self, place: &Place, customer_id: &str) {
        self.project_id = Some(place.project_id.clone());
        self.customer_id = Some(customer_id.to_owned());
    }
}

/// Whether an event seen before is looked at again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// From Stripe: a second delivery has no effect, unless the first one failed.
    Delivered,
    /// On request: everything but a conversion is decided anew.
    Replayed,
}

/// Takes in an event: keeps it, and converts the referral it concerns. `None` means that it was
/// taken in before.
pub fn receive(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
    delivery: Delivery,
) -> Result<Option<Settled>, Abort> {
    if let Content::Start(start) = &event.content {
        let keys = start.match_keys();
        tx.lock(
            team_id,
            &keys.iter().map(String::as_str).collect::<Vec<_>>(),
        )?;
    }
    let before = outcome(tx, team_id, &event.id)?;
    match (before, delivery) {
        (None | Some(Outcome::Failed), _) => {}
        (Some(Outcome::Converted), _) | (Some(_), Delivery::Delivered) => return Ok(None),
        (Some(_), Delivery::Replayed) => {}
    }
    let settled = match &event.content {
        Content::Start(start) => settle(tx, act, team_id, event, start)?,
        Content::OtherMode { why, .. } if before.is_some() => {
            tx.must(SET_ASIDE, params![team_id, &event.id, *why])?;
            return Ok(Some(Settled::new(Outcome::Ignored, why)));
        }
        Content::Ignored(why) | Content::OtherMode { why, .. } => {
            Settled::new(Outcome::Ignored, why)
        }
        Content::Failed(why) => Settled::new(Outcome::Failed, why),
    };
    keep(tx, act, team_id, event, &settled, before)?;
    let concerned = settled.project_id.clone().zip(settled.customer_id.as_ref());
    if let (Content::Start(start), Some((project_id, customer_id))) = (&event.content, concerned) {
        // It may have linked its customer, whose earlier events nobody could place.
        let hinted = start.client_reference_id.is_some() || start.billstack_customer_id.is_some();
        if hinted {
            let place = Place::new(team_id.clone(), project_id);
            if let Some(customer) = customers::get(tx, &place, customer_id)? {
                let others = Which::OpenBut(&event.id);
                reconsider::again(tx, act, &place, &customer, others, event.grace)?;
            }
        }
    }
    Ok(Some(settled))
}

fn settle(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
    start: &Start,
) -> Result<Settled, Fault> {
    let sign = Sign {
        team_id,
        event_id: &event.id,
        kind: &event.kind,
        start,
        project_id: conversion::named_project(tx, team_id, start)?,
        grace: event.grace,
    };
    subscription_starts::remember(tx, &sign)?;
    conversion::settle(tx, act, &sign)
}

fn keep(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
    settled: &Settled,
    before: Option<Outcome>,
) -> Result<(), Fault> {
    let start = event.content.start().map(serde_json::to_string).transpose();
    let start = start.map_err(|e| Fault::Defect(e.to_string()))?;
    let outcome = settled.outcome.as_str();
    let (project, customer) = (settled.project_id.as_ref(), settled.customer_id.as_deref());
    let referral = settled.referral_id.as_deref();
    if before.is_some() {
        let reason = &settled.reason;
        let start = start.as_deref();
        return tx.must(
            REWRITE,
            params![
                team_id, &event.id, outcome, reason, project, customer, referral, start
            ],
        );
    }
    let inserted = tx.hit(
        INSERT,
        params![
            team_id,
            &event.id,
            &event.kind,
            event.created_at,
            act.at,
            event.livemode,
            outcome,
            &settled.reason,
            project,
            customer,
            referral,
            start.as_deref(),
            event.body_to_keep(settled),
        ],
    )?;
    if inserted {
        return Ok(());
    }
    // The same event came twice at once and the other delivery won. Run again: it will be found.
    Err(Fault::Conflict(
        "the event was kept by another delivery".to_owned(),
    ))
}

/// What became of an event that may have come in before.
pub fn outcome(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<Outcome>, Fault> {
    tx.one(OUTCOME, params![team_id, id], |row| {
        row.parsed(0, Outcome::parse)
    })
}

/// The facts read from an event when it came in; they outlive its body.
pub fn stored_start(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<Start>, Fault> {
    Ok(kept_start(tx, team_id, id)?.map(|kept| kept.start))
}

/// An event kept earlier, with the facts read from it.
pub(crate) struct KeptStart {
    pub(crate) kind: String,
    pub(crate) outcome: Outcome,
    pub(crate) start: Start,
    pub(crate) livemode: Option<bool>,
}

pub(crate) fn kept_start(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
) -> Result<Option<KeptStart>, Fault> {
    tx.one(KEPT_START, params![team_id, id], |row| {
        let start = serde_json::from_str(row.text(2)?).map_err(|_| Fault::decode(2))?;
        Ok(KeptStart {
            kind: row.string(0)?,
            outcome: row.parsed(1, Outcome::parse)?,
            start,
            livemode: row.opt_flag(3)?,
        })
    })
}

pub(crate) fn set_outcome(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    settled: &Settled,
) -> Result<(), Fault> {
    tx.must(
        SET_OUTCOME,
        params![
            team_id,
            id,
            settled.outcome.as_str(),
            &settled.reason,
            settled.project_id.as_ref(),
            settled.customer_id.as_deref(),
            settled.referral_id.as_deref(),
        ],
    )
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
            outcome: row.parsed(5, Outcome::parse)?,
            reason: row.opt_string(6)?.unwrap_or_default(),
            project_id: row.opt_project_id(7)?,
            customer_id: row.opt_string(8)?,
            referral_id: row.opt_string(9)?,
        },
        payload: row.opt_string(10)?,
    })
}

/// The event with this id.
pub fn get(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<StripeEvent, Abort> {
    Ok(tx
        .one(GET, params![team_id, id], decode)?
        .ok_or(Refusal::NotFound("event"))?)
}

/// Whether any event has come in for the team.
pub fn any(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.exists(ANY, params![team_id])
}

/// Events, the latest received first, without their bodies.
pub fn list(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    outcome: Option<Outcome>,
    kind: Option<String>,
    page: &Page,
) -> Result<Part<StripeEvent>, Fault> {
    let outcome = outcome.map(|outcome| outcome.as_str().to_owned());
    let wanted = [Wanted::from(outcome), Wanted::from(kind)];
    LIST.read(tx, params![team_id], &wanted, page, decode, |event| {
        Cursor {
            at: event.received_at.0,
            key: event.id.clone(),
        }
    })
}
