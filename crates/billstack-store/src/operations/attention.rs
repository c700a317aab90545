//! What in a project needs a person, as the database knows it.
//!
//! Each look reads a bounded number of rows by their keys, however much there is: every page of a project says how many
//! lines there are.

mod care;

use std::collections::BTreeMap;

use billstack_core::attention::{EVENTS_FOR, Kind, LineId, NEVER, dismissed_until};
use billstack_core::attribution::Outcome;
use billstack_core::credit::limits::Budget;
use billstack_core::delivery::DeliveryState;
use billstack_core::event::Event;
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_core::webhook::health::EndpointState;

use super::refusal::{Abort, Refusal, Thing};
use super::upkeep;
use crate::seam::list::Page;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::CreditFilter;
use crate::tables::stripe_connections::Connection;
use crate::tables::{
    attention_dismissals, credits, events, program_budgets, programs, projects, reconcile_runs,
    stripe_connections, stripe_events, webhook_endpoints,
};

/// The most events and credits of a kind that are counted.
pub const MOST: usize = 100;

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is called, and so what it tells of.
    pub id: LineId,
    /// How many there are; [`MOST`] when there are more.
    pub count: usize,
    /// Whether there are more.
    pub is_more: bool,
    /// The latest of what it tells, where that has a time.
    pub at: Option<Micros>,
    /// What else there is to know of it, for a person: an address, or why.
    pub detail: Option<String>,
    /// How much of a budget is out, and of how much, in minor units.
    pub budget: Option<(Budget, Currency)>,
    /// Until when it is not shown, if it was dismissed.
    pub dismissed_until: Option<Micros>,
}

impl Line {
    /// A line about one thing.
    pub fn new(kind: Kind, subject: &str) -> Line {
        Line {
            id: LineId::new(kind, subject),
            count: 1,
            is_more: false,
            at: None,
            detail: None,
            budget: None,
            dismissed_until: None,
        }
    }
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looker {
    /// Whoever reads the project.
    OfProject,
    /// Whoever may see how the whole server does too.
    OfServer(Copies),
}

/// Whether the database knows of its copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// Each leaves a note.
    Noted,
    /// They are made by other tools.
    Elsewhere,
}

/// Every line there is at a time of day, the most urgent first, the dismissed ones among them. `outside` are those that
/// the database does not know of.
pub fn look(
    tx: &mut dyn Tx,
    place: &Place,
    (now, looker): (Micros, Looker),
    outside: &[Line],
) -> Result<Vec<Line>, Fault> {
    let mut lines = outside.to_vec();
    if let Looker::OfServer(copies) = looker {
        lines.extend(care::neglected(tx, place, now, copies)?);
    }
    let connection = stripe_connections::get(tx, &place.team_id)?;
    if let Some(connection) = connection.filter(|connection| connection.is_active) {
        lines.extend(care::silent(tx, place, now, &connection)?);
        lines.extend(paused(connection));
    }
    for (kind, outcome) in [
        (Kind::StripeEventsFailed, Outcome::Failed),
        (Kind::StripeEventsAmbiguous, Outcome::Ambiguous),
    ] {
        lines.extend(undecided(tx, place, now, kind, outcome)?);
    }
    lines.extend(stuck(tx, place)?);
    lines.extend(endpoints(tx, place)?);
    lines.extend(budget(tx, place)?);
    lines.extend(differences(tx, place)?);
    let ahead = projects::clock(tx, place)?.unwrap_or_default();
    let dismissed = attention_dismissals::in_force(tx, place, now.plus(ahead))?;
    let dismissed: BTreeMap<String, Micros> = dismissed.into_iter().collect();
    for line in &mut lines {
        let at = dismissed.get(&line.id.to_string());
        line.dismissed_until = at.map(|at| dismissed_until(*at));
    }
    lines.sort_by_key(|line| line.id.kind);
    Ok(lines)
}

/// Does not show a line for a week; tells until when. Who did so is in the log.
pub fn dismiss(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    line: &LineId,
) -> Result<Micros, Abort> {
    if !is_there(tx, place, line)? {
        return Err(Refusal::NotFound(Thing::Line).into());
    }
    let at = act.at;
    attention_dismissals::put(tx, place, line, at)?;
    let until = dismissed_until(at);
    let event = Event::AttentionDismissed {
        line: &line.to_string(),
        until,
    };
    events::record(tx, act, place, place.project_id.as_str(), &event)?;
    Ok(until)
}

/// Whether what a line is about is in the project or its team: nobody fills the table with what is not.
fn is_there(tx: &mut dyn Tx, place: &Place, line: &LineId) -> Result<bool, Fault> {
    let subject = &line.subject;
    Ok(match line.kind {
        Kind::StripeSilent if subject == NEVER => true,
        Kind::StripeSilent | Kind::StripeEventsFailed | Kind::StripeEventsAmbiguous => {
            stripe_events::outcome(tx, &place.team_id, subject)?.is_some()
        }
        Kind::EndpointDisabled | Kind::EndpointFailing => {
            webhook_endpoints::get(tx, place, subject)?.is_some()
        }
        Kind::ReconcileFound => reconcile_runs::get(tx, &place.team_id, subject)?.is_some(),
        // Another number of rules is another line.
        Kind::BooksBroken => {
            let last = upkeep::last(tx)?.verify;
            last.is_some_and(|last| last.result.to_string() == *subject)
        }
        // Their words are few, and known.
        Kind::DeliveriesPaused
        | Kind::LedgerUnexplained
        | Kind::BackupMissing
        | Kind::BooksUnchecked
        | Kind::StripeCallsRefused
        | Kind::CreditsNeedAttention
        | Kind::BudgetExhausted
        | Kind::BudgetLow => true,
        Kind::Other(_) => false,
    })
}

fn paused(connection: Connection) -> Option<Line> {
    let paused = connection.pause?;
    Some(Line {
        detail: paused.lacks,
        ..Line::new(Kind::DeliveriesPaused, paused.reason.as_str())
    })
}

/// Events of the team with an outcome that a person should look at, but for those that are about another project.
fn undecided(
    tx: &mut dyn Tx,
    place: &Place,
    now: Micros,
    kind: Kind,
    outcome: Outcome,
) -> Result<Option<Line>, Fault> {
    let part = stripe_events::list(tx, &place.team_id, Some(outcome), None, &first())?;
    let (is_cut, since) = (part.next.is_some(), now.plus(-EVENTS_FOR));
    let is_old = part
        .rows
        .last()
        .is_some_and(|event| event.received_at < since);
    let here = part.rows.iter().filter(|event| {
        let project = event.settled.project_id.as_ref();
        event.received_at >= since && project.is_none_or(|project| *project == place.project_id)
    });
    let here: Vec<_> = here.collect();
    let Some(newest) = here.first() else {
        return Ok(None);
    };
    Ok(Some(Line {
        count: here.len(),
        is_more: is_cut && !is_old,
        at: Some(newest.received_at),
        detail: Some(newest.settled.reason.clone()).filter(|reason| !reason.is_empty()),
        ..Line::new(kind, &newest.id)
    }))
}

/// Credits of which the delivery waits for a person, a line for each reason.
fn stuck(tx: &mut dyn Tx, place: &Place) -> Result<Vec<Line>, Fault> {
    let filter = CreditFilter {
        delivery: Some(DeliveryState::NeedsAttention),
        ..CreditFilter::default()
    };
    let part = credits::list(tx, place, &filter, &first())?;
    let mut by_reason: BTreeMap<String, Line> = BTreeMap::new();
    for credit in &part.rows {
        let Some(reason) = credit.delivery_reason else {
            continue;
        };
        let line = by_reason.entry(reason.as_str().to_owned());
        let line = line.or_insert_with_key(|reason| Line {
            count: 0,
            at: Some(credit.created_at),
            ..Line::new(Kind::CreditsNeedAttention, reason)
        });
        line.count += 1;
        line.is_more = part.next.is_some();
    }
    Ok(by_reason.into_values().collect())
}

fn endpoints(tx: &mut dyn Tx, place: &Place) -> Result<Vec<Line>, Fault> {
    let all = webhook_endpoints::of_project(tx, place)?;
    let lines = all.into_iter().filter_map(|endpoint| {
        let (kind, at) = match endpoint.health.state {
            EndpointState::Disabled => {
                (Kind::EndpointDisabled, endpoint.disabled.map(|(at, _)| at))
            }
            EndpointState::Failing => (Kind::EndpointFailing, endpoint.health.last_failure_at),
            EndpointState::Active | EndpointState::Other(_) => return None,
        };
        let why = endpoint.disabled.map(|(_, why)| why.to_string());
        Some(Line {
            at,
            detail: Some(match why {
                Some(why) => format!("{} ({why})", endpoint.url),
                None => endpoint.url,
            }),
            ..Line::new(kind, &endpoint.id)
        })
    });
    Ok(lines.collect())
}

fn budget(tx: &mut dyn Tx, place: &Place) -> Result<Option<Line>, Fault> {
    let kept = programs::kept(tx, place)?;
    let Some(limit) = kept.program.budget else {
        return Ok(None);
    };
    let currency = kept.program.terms.currency;
    // Before anything was decided by it nobody has added up what is out, and a look does not.
    let Some(out) = program_budgets::known(tx, place, &kept.id, currency)? else {
        return Ok(None);
    };
    let budget = Budget { limit, out };
    let kind = match (budget.is_used_up(), budget.is_low()) {
        (true, _) => Kind::BudgetExhausted,
        (false, true) => Kind::BudgetLow,
        (false, false) => return Ok(None),
    };
    Ok(Some(Line {
        budget: Some((budget, currency)),
        ..Line::new(kind, currency.as_str())
    }))
}

/// What the last comparison with Stripe left.
fn differences(tx: &mut dyn Tx, place: &Place) -> Result<Option<Line>, Fault> {
    let run = reconcile_runs::last_over(tx, &place.team_id)?;
    let left = run.map(|run| (run.found - run.repaired, run));
    let Some((left, run)) = left.filter(|(left, _)| *left > 0) else {
        return Ok(None);
    };
    Ok(Some(Line {
        count: usize::try_from(left).unwrap_or(MOST).min(MOST),
        is_more: usize::try_from(left).is_ok_and(|left| left > MOST),
        at: run.ended_at,
        ..Line::new(Kind::ReconcileFound, &run.id)
    }))
}

/// What is owed and explained by no movement, as it was added up.
pub fn unexplained(sums: &[(Currency, i64)]) -> Vec<Line> {
    let line = |(currency, amount): &(Currency, i64)| Line {
        detail: Some(currency.text(*amount)),
        ..Line::new(Kind::LedgerUnexplained, currency.as_str())
    };
    sums.iter().map(line).collect()
}

fn first() -> Page {
    Page::first(i64::try_from(MOST).unwrap_or(i64::MAX))
}
