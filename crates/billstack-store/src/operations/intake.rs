//! Taking in what Stripe tells: it is kept, and converts the referral it concerns.

mod asked;
mod payment;

use billstack_core::attribution::Outcome;
use billstack_core::ids::TeamId;
use billstack_core::payments::Told;
use billstack_core::stripe_event::{self, Start, is_about_payments};
use billstack_core::time::Micros;
use serde::{Deserialize, Serialize};

use super::credits::delivery::balance_changed;
use super::credits::delivery::cure::customer_changed;
use super::evidence::{Telling, gather, remember};
use super::mend::mend;
use super::payments;
use super::reconsider;
use super::refusal::Abort;
use super::settle::settle;
use super::to_reconsider::ToReconsider;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::stripe_connections::{self, Connection};
use crate::tables::stripe_events::{self, NewEvent};
use crate::tables::work::{self, Key, Work};

pub use super::mend::LinkAnswer;
pub use crate::tables::stripe_events::{
    KeptStart, Settled, Source, StripeEvent, any, get, kept_start, newest, outcome,
};

/// A verified event, read as far as it could be.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// `evt_…`, unique inside the team.
    pub id: String,
    /// Its type, such as `customer.subscription.created`.
    pub kind: String,
    /// When it happened, as Stripe says.
    pub created_at: Micros,
    /// Live or test mode, when it says.
    pub livemode: Option<bool>,
    /// How we came to know.
    pub source: Source,
    /// What it means to us.
    pub content: Content,
    /// The body as it came.
    pub payload: String,
    /// The number of the team's secret that signed it; none where it was not sent.
    pub signed_with: Option<i64>,
    /// What Stripe told when it was asked about a link; see [`Refusal::LinkInDoubt`](super::refusal::Refusal).
    pub link_answer: Option<LinkAnswer>,
}

/// What an event means to us.
#[derive(Clone, Debug)]
pub enum Content {
    /// It tells of a subscription.
    Start(Box<Start>),
    /// It tells of payments.
    Money(Box<Told>),
    /// It is kept and has no effect; the text says why.
    Ignored(&'static str),
    /// It is of the mode that the team is not connected in, which may be a mistake: so it has no effect,
    /// and is kept such that it can be decided again.
    OtherMode {
        /// Which mode it is of.
        why: &'static str,
        /// The subscription it tells of; `None` for a thin event, whose object was not fetched.
        start: Option<Box<Start>>,
    },
    /// A thin event, whose object is still to be fetched.
    ToFetch,
    /// It could not be read to the end; the text says why.
    Failed(String),
}

/// The type under which is kept what Stripe told of payments when it was asked.
pub const PAYMENT_FOUND: &str = "payment.found";

/// The kind of work that fetches the object of a thin event; its subjects are ids of events.
pub const TO_FETCH: &str = "thin_event";

/// What that work knows besides the event.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FetchFacts {
    team_id: String,
}

/// The team of an event whose object is to be fetched.
pub fn team_to_fetch_for(work: &Work) -> Result<TeamId, Fault> {
    let facts: FetchFacts =
        serde_json::from_str(&work.facts).map_err(|e| Fault::Defect(e.to_string()))?;
    Ok(TeamId::from(facts.team_id))
}

impl Content {
    /// The subscription it tells of, whether or not that has an effect.
    fn start(&self) -> Option<&Start> {
        match self {
            Content::Start(start) => Some(start),
            Content::OtherMode { start, .. } => start.as_deref(),
            Content::Money(_) | Content::Ignored(_) | Content::ToFetch | Content::Failed(_) => None,
        }
    }
}

impl Incoming {
    /// A payload is kept only where it is known whose it is: nobody could be erased from any other. The
    /// facts that were read from it are kept in any case, and are all that deciding anew needs.
    fn payload_to_keep(&self, settled: &Settled) -> Option<&str> {
        let keeps = match self.content {
            Content::Start(_) => settled.customer_id.is_some(),
            // Of a payment the facts are kept, whoever it is of.
            Content::Money(_) | Content::Ignored(_) => false,
            // Of these only a thin event was not read, and that holds nothing but ids.
            Content::OtherMode { ref start, .. } => start.is_none(),
            Content::ToFetch | Content::Failed(_) => true,
        };
        keeps.then_some(self.payload.as_str())
    }
}

/// Whether an event seen before is decided again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// From Stripe: a second delivery has no effect, unless the first one failed.
    Delivered,
    /// A thin event that waited for its object, and has it now: without effect if somebody was faster.
    Fetched,
    /// On request: everything but a conversion is decided anew.
    Replayed,
}

/// What came of taking in an event by a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Intake {
    /// It was decided.
    Settled(Settled),
    /// It was taken in before.
    Seen,
    /// The team's connection is not the one that it was verified by any more; nothing was done.
    ConnectionChanged,
}

/// Takes in an event that was verified by a connection, if that is still the team's.
pub fn take_in(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    verified_by: &Connection,
    event: &Incoming,
) -> Result<Intake, Abort> {
    if stripe_connections::get(tx, team_id)?.as_ref() != Some(verified_by) {
        return Ok(Intake::ConnectionChanged);
    }
    let settled = receive(tx, act, team_id, event, Delivery::Delivered)?;
    Ok(settled.map_or(Intake::Seen, Intake::Settled))
}

/// Keeps an event, and converts the referral it concerns. `None` means that it was taken in before.
pub fn receive(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
    delivery: Delivery,
) -> Result<Option<Settled>, Abort> {
    let payment = payment::told_by(tx, team_id, event)?;
    match &event.content {
        Content::Start(start) => hold_everybody(tx, act, team_id, start)?,
        Content::Money(told) => {
            let mut names = payments::names(tx, team_id, told)?;
            names.extend(payment.iter().flat_map(Start::match_keys));
            act.hold(tx, team_id, names)?;
        }
        _ => {}
    }
    let before = stripe_events::outcome(tx, team_id, &event.id)?;
    match (before, delivery) {
        (None | Some(Outcome::Failed), _) | (Some(Outcome::Waiting), Delivery::Fetched) => {}
        (Some(Outcome::Converted), _) | (Some(_), Delivery::Delivered | Delivery::Fetched) => {
            return Ok(None);
        }
        (Some(_), Delivery::Replayed) => {}
    }
    if let (Content::Ignored(_), Some(customer)) = (
        &event.content,
        stripe_event::customer_changed(&event.kind, event.payload.as_bytes()),
    ) {
        customer_changed(tx, act, team_id, &customer)?;
    }
    for customer in balances_of(event) {
        balance_changed(tx, act, team_id, &customer)?;
    }
    let settled = match &event.content {
        Content::Start(start) => return settle_new(tx, act, team_id, event, start, before),
        Content::Money(told) => {
            let of = (event.id.as_str(), event.created_at);
            let recorded = payments::take(tx, act, team_id, told, of)?;
            match payment {
                Some(start) => {
                    return payment::settle(tx, act, team_id, event, &start, (recorded, before));
                }
                None => recorded,
            }
        }
        Content::OtherMode { why, .. } if before.is_some() => {
            stripe_events::set_aside(tx, team_id, &event.id, why)?;
            return Ok(Some(Settled::new(Outcome::Ignored, why)));
        }
        Content::Ignored(why) | Content::OtherMode { why, .. } => {
            Settled::new(Outcome::Ignored, why)
        }
        Content::ToFetch if is_about_payments(&event.kind) && !payment::is_wanted(tx, team_id)? => {
            Settled::new(Outcome::Ignored, payments::NO_EFFECT)
        }
        Content::ToFetch => fetch_later(tx, act, team_id, &event.id)?,
        Content::Failed(why) => Settled::new(Outcome::Failed, why),
    };
    let start = event.content.start();
    keep(tx, act, team_id, event, start, (&settled, before))?;
    Ok(Some(settled))
}

/// The customers of Stripe whose balances an event says may have changed.
fn balances_of(event: &Incoming) -> Vec<String> {
    match &event.content {
        Content::Money(told) if stripe_event::changes_balance(&event.kind) => {
            told.stripe_customers.clone()
        }
        Content::Ignored(_) => {
            stripe_event::balances_changed(&event.kind, event.payload.as_bytes())
        }
        _ => Vec::new(),
    }
}

fn fetch_later(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event_id: &str,
) -> Result<Settled, Fault> {
    let facts = FetchFacts {
        team_id: team_id.to_string(),
    };
    let facts = serde_json::to_string(&facts).map_err(|e| Fault::Defect(e.to_string()))?;
    let key = Key::of_team(team_id, TO_FETCH, event_id);
    let now = act.real();
    work::enqueue(tx, act, &key, &facts, now)?;
    let why = "waits for its object to be fetched from Stripe";
    Ok(Settled::new(Outcome::Waiting, why))
}

/// The event that waits for its object; `None` once it was decided.
pub fn to_fetch(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Option<StripeEvent>, Fault> {
    let event = get(tx, team_id, id)?;
    let event = event.filter(|event| event.settled.outcome == Outcome::Waiting);
    Ok(match kept_start(tx, team_id, id)? {
        Some(_) => None,
        None => event,
    })
}

/// Takes in an event that waited for its object; the work is over in the same transaction.
pub fn fetched(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
) -> Result<(), Abort> {
    receive(tx, act, team_id, event, Delivery::Fetched)?;
    let key = Key::of_team(team_id, TO_FETCH, &event.id);
    work::done(tx, &key)?;
    Ok(())
}

/// Holds everybody whom an event may concern. When it names a customer, it may link them, and their
/// earlier events are decided anew.
fn hold_everybody(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    start: &Start,
) -> Result<(), Fault> {
    let mut names = start.match_keys();
    if start.is_hinted() && !tx.is_alone() {
        reconsider::add_names(tx, team_id, start, &mut names)?;
        reconsider::add_payers(tx, team_id, start, &mut names)?;
        reconsider::foresee(tx, team_id, &mut names)?;
    }
    act.hold(tx, team_id, names)
}

/// Decides about an event that tells of a subscription, keeps it, and then decides anew about the earlier
/// events of a customer whom it names.
fn settle_new(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
    start: &Start,
    before: Option<Outcome>,
) -> Result<Option<Settled>, Abort> {
    let mut later = ToReconsider::default();
    let telling = Telling {
        event_id: &event.id,
        kind: &event.kind,
        start,
        livemode: event.livemode,
        is_known: before.is_some(),
    };
    let mut evidence = gather(tx, team_id, telling)?;
    if mend(tx, act, &evidence, event.link_answer.as_ref())? {
        evidence = gather(tx, team_id, telling)?;
    }
    remember(tx, &evidence)?;
    let settled = settle(tx, act, &evidence, &mut later)?;
    let told = event.content.start();
    keep(tx, act, team_id, event, told, (&settled, before))?;
    payments::ended(tx, act, team_id, start, &event.id)?;
    if let (true, Some(project_id), Some(id)) =
        (start.is_hinted(), &settled.project_id, &settled.customer_id)
    {
        later.is_about(id);
        later.add(Place::new(team_id.clone(), project_id.clone()), id);
    }
    // It tells when the subscription began, which an invoice that came before may wait for.
    if let (Some(project_id), Some(id)) = (&settled.project_id, &settled.customer_id)
        && settled.outcome != Outcome::Converted
        && payments::asking::is_answered(tx, team_id, start.subscription())?
    {
        later.add(Place::new(team_id.clone(), project_id.clone()), id);
    }
    reconsider::finish(tx, act, &mut later)?;
    Ok(Some(settled))
}

fn keep(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    event: &Incoming,
    start: Option<&Start>,
    (settled, before): (&Settled, Option<Outcome>),
) -> Result<(), Fault> {
    let start = start.map(serde_json::to_string).transpose();
    let start = start.map_err(|e| Fault::Defect(e.to_string()))?;
    if before.is_some() {
        return stripe_events::rewrite(tx, team_id, &event.id, settled, start.as_deref());
    }
    let new = NewEvent {
        id: &event.id,
        kind: &event.kind,
        created_at: event.created_at,
        received_at: act.real(),
        livemode: event.livemode,
        source: event.source,
        settled,
        start: start.as_deref(),
        payload: event.payload_to_keep(settled),
        signed_with: event.signed_with,
    };
    if stripe_events::insert(tx, team_id, &new)? {
        return Ok(());
    }
    // The same event came twice at once and the other delivery won. Run again: it will be found.
    Err(Fault::Conflict(
        "the event was kept by another delivery".to_owned(),
    ))
}
