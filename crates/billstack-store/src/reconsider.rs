//! Looking again at kept events, once there is somebody whose they may be.

use billstack_core::ids::TeamId;

use crate::act::{Act, Place};
use crate::conversion::{Sign, named_project, settle};
use crate::customers::{self, Customer};
use crate::statements;
use crate::stripe_connections;
use crate::stripe_events::{self, Outcome};
use crate::subscription_starts::names_of;
use crate::tx::{Fault, Tx, Val};

statements! {
    /// Those that may convert, and of them the newest, are never crowded out.
    STARTS = "SELECT event_id, began_at, object_id FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $2 \
        ORDER BY CASE WHEN counted_at IS NULL THEN 1 ELSE 0 END, began_at DESC, object_id LIMIT 100";
}

/// How many names are followed from event to event before the rest is left to chance.
const MOST_FORESEEN: usize = 8;

/// Adds the names of everybody who may be concerned when the events kept under these names are
/// looked at again.
///
/// They are taken in one order, before anything else. Taken one by one later, two calls about
/// customers whom one event names would wait for each other until PostgreSQL ends one of them, which
/// it does only after a second.
pub(crate) fn foresee(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    names: &mut Vec<String>,
) -> Result<(), Fault> {
    let mut followed = 0;
    while followed < names.len().min(MOST_FORESEEN) {
        let upto = names.len().min(MOST_FORESEEN);
        let kept = kept_under(tx, team_id, &names[followed..upto])?;
        followed = upto;
        for event_id in &kept {
            let Some(kept) = stripe_events::kept_start(tx, team_id, event_id)? else {
                continue;
            };
            let found = kept.start.match_keys().into_iter();
            let new: Vec<_> = found.filter(|name| !names.contains(name)).collect();
            names.extend(new);
        }
    }
    Ok(())
}

/// The events kept under names, those of the oldest subscription first: it is the one that converts.
fn kept_under(tx: &mut dyn Tx, team_id: &TeamId, names: &[String]) -> Result<Vec<String>, Fault> {
    let scopes: Vec<_> = names
        .iter()
        .map(|name| [Val::from(team_id), Val::from(name)])
        .collect();
    let queries: Vec<_> = scopes.iter().map(|scope| (STARTS, &scope[..])).collect();
    let mut kept = Vec::new();
    tx.query_together(&queries, &mut |_, row| {
        kept.push((row.time(1)?, row.string(2)?, row.string(0)?));
        Ok(())
    })?;
    kept.sort_unstable();
    Ok(kept.into_iter().map(|(_, _, event_id)| event_id).collect())
}

/// Which of the kept events that may belong to a customer are looked at again.
#[derive(Clone, Copy)]
pub(crate) enum Which<'e> {
    /// Those that found nobody, for a customer who has been made. It has no referral, so nothing else can
    /// come of it, and what was decided about somebody else is not told to them a second time.
    Unplaced,
    /// Those that have not converted, for a customer who has applied a code or been linked.
    Open,
    /// The same without the one event that is being looked at already.
    OpenBut(&'e str),
}

impl Which<'_> {
    fn includes(self, outcome: Outcome) -> bool {
        match self {
            Which::Unplaced => outcome == Outcome::NoCustomer,
            Which::Open | Which::OpenBut(_) => outcome != Outcome::Converted,
        }
    }
}

/// Looks again at kept events that may belong to a customer, now that there is something new about them.
pub(crate) fn again(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer: &Customer,
    which: Which<'_>,
    grace: i64,
) -> Result<(), Fault> {
    let mut seen = match which {
        Which::OpenBut(current) => vec![current.to_owned()],
        Which::Unplaced | Which::Open => Vec::new(),
    };
    let mut customer = customer.clone();
    loop {
        let before = seen.len();
        for name in names_of(&customer) {
            for event_id in kept_under(tx, &place.team_id, &[name])? {
                if !seen.contains(&event_id) {
                    look_again(tx, act, &place.team_id, &customer, &event_id, which, grace)?;
                    seen.push(event_id);
                }
            }
        }
        if seen.len() == before {
            return Ok(());
        }
        // One of them may have linked the customer, and so have made others findable.
        let Some(now) = customers::get(tx, place, &customer.id)? else {
            return Ok(());
        };
        if now.stripe_customer_id == customer.stripe_customer_id {
            return Ok(());
        }
        customer = now;
    }
}

/// Decides anew about one kept event that may belong to a customer who is held, if it is one of `which`.
fn look_again(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    customer: &Customer,
    event_id: &str,
    which: Which<'_>,
    grace: i64,
) -> Result<(), Fault> {
    let Some(kept) = stripe_events::kept_start(tx, team_id, event_id)? else {
        return Ok(());
    };
    // Everybody the event names must be held, as when it came in: it may be another customer's as
    // well, whose own call looks at it at this moment, or it may link this one.
    let (held, names) = (names_of(customer), kept.start.match_keys());
    let missing = names.iter().filter(|name| !held.contains(name));
    tx.lock(team_id, &missing.map(String::as_str).collect::<Vec<_>>())?;
    let Some(kept) = stripe_events::kept_start(tx, team_id, event_id)? else {
        return Ok(());
    };
    if !which.includes(kept.outcome) || is_of_other_mode(tx, team_id, kept.livemode)? {
        return Ok(());
    }
    let sign = Sign {
        team_id,
        event_id,
        kind: &kept.kind,
        start: &kept.start,
        project_id: named_project(tx, team_id, &kept.start)?,
        grace,
    };
    let settled = settle(tx, act, &sign)?;
    stripe_events::set_outcome(tx, team_id, event_id, &settled)
}

/// Whether an event is of another mode than the team is connected in now. It may have come in before that
/// was known.
fn is_of_other_mode(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    theirs: Option<bool>,
) -> Result<bool, Fault> {
    let ours = stripe_connections::livemode(tx, team_id)?;
    Ok(stripe_connections::modes_differ(ours, theirs))
}
