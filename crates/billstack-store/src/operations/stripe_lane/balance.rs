//! Following the balances that customers have in Stripe: their lines are read when an event says that a balance may
//! have changed, and what they used of credits is booked.
//!
//! What of a credit is booked as used is a function of the lines. However often they are read, and whenever: the
//! difference is booked, and put down to the lines that made it.

mod used;

use std::collections::{BTreeMap, HashSet};

use billstack_core::balance::{Balance, HistoryUnclear, Line, follow};
use billstack_core::delivery::answer::{self, Answer};
use billstack_core::delivery::{Reason, State};
use billstack_core::ids::TeamId;
use billstack_core::time::{MINUTE, SECOND};

use super::{Lane, pause};
use crate::operations::credits::delivery::cure::go_on;
use crate::operations::credits::delivery::{hold_credit, sync};
use crate::operations::test_clock::inside;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::stripe_connections::Connection;
use crate::tables::stripe_operations::{self, StripeOperation};
use crate::tables::{stripe_balance_lines, stripe_balances};

pub(crate) use used::is_used_otherwise;

pub use crate::tables::stripe_balance_lines::BalanceLine;

/// How often in succession a list may lack what it must have before that is called unclear.
const MOST_LAGS: i64 = 8;

/// The lines of a balance are to be read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The lane of its customer.
    pub lane: Lane,
    /// The connection of its team, which has a secret key.
    pub connection: Connection,
    /// The newest line that is known: only what comes after it is to be read.
    pub known: Option<String>,
    pub(super) changes: i64,
}

/// What came of lines that were read.
#[derive(Clone, Debug)]
pub enum Kept {
    /// They follow from each other, and what they used is booked.
    Followed(Lane),
    /// They do not follow from what was known: all of them are to be read anew.
    Broken,
    /// The list lacks a line that must be there, and is read again later.
    Lags(Lane),
    /// They do not follow from each other, and nothing is decided by them.
    Unclear(Lane),
    /// The lane is somebody else's by now.
    TakenOver,
}

/// What is to be read of the balance of a lane, whether or not it is due.
pub(super) fn reading(
    tx: &mut dyn Tx,
    lane: &Lane,
    connection: &Connection,
) -> Result<Option<Reading>, Fault> {
    let (team_id, customer) = (&lane.team_id, &lane.stripe_customer_id);
    let Some(balance) = stripe_balances::get(tx, team_id, customer)? else {
        return Ok(None);
    };
    Ok(Some(Reading {
        lane: lane.clone(),
        connection: connection.clone(),
        known: stripe_balance_lines::last(tx, team_id, customer)?,
        changes: balance.changes,
    }))
}

/// The same, if it is due.
pub(super) fn due(
    tx: &mut dyn Tx,
    act: &Act,
    lane: &Lane,
    connection: &Connection,
) -> Result<Option<Reading>, Fault> {
    let balance = stripe_balances::get(tx, &lane.team_id, &lane.stripe_customer_id)?;
    let due = balance.and_then(|balance| balance.due);
    match due.is_some_and(|due| due <= act.real()) {
        true => reading(tx, lane, connection),
        false => Ok(None),
    }
}

/// Keeps lines that were read, the newest first: those after what was known, or all.
pub fn keep(
    tx: &mut dyn Tx,
    act: &mut Act,
    reading: &Reading,
    listed: &[BalanceLine],
) -> Result<Kept, Fault> {
    let Some(lane) = reading.lane.extended(tx, act.real())? else {
        return Ok(Kept::TakenOver);
    };
    let (team_id, customer) = (&lane.team_id, &lane.stripe_customer_id);
    let known = match reading.known {
        Some(_) => stripe_balance_lines::of_customer(tx, team_id, customer)?,
        None => Vec::new(),
    };
    let mut lines = known.clone();
    let mut ids: HashSet<String> = known.iter().map(|one| one.line.id.clone()).collect();
    let news = listed.iter().rev();
    lines.extend(news.filter(|one| ids.insert(one.line.id.clone())).cloned());
    let operations = stripe_operations::of_customer(tx, team_id, customer)?;
    let owned = owned(&lines, &operations);
    let was = stripe_balances::get(tx, team_id, customer)?.unwrap_or_default();
    match (follow_all(&owned), reading.known.is_some()) {
        (Err(HistoryUnclear), true) => return Ok(Kept::Broken),
        (Err(HistoryUnclear), false) => {
            stripe_balances::read(tx, team_id, customer, reading.changes, true)?;
            show(tx, act, team_id, &operations)?;
            return Ok(Kept::Unclear(lane));
        }
        (Ok(_), _) => {}
    }
    let ours = operations
        .iter()
        .filter_map(|one| one.transaction_id.as_ref());
    if ours.into_iter().any(|line| !ids.contains(line)) {
        return lags(tx, act, lane, reading, &operations, was.failures);
    }
    if reading.known.is_none() {
        stripe_balance_lines::forget(tx, team_id, customer)?;
    }
    for (number, line) in (1..).zip(&lines).skip(known.len()) {
        stripe_balance_lines::insert(tx, team_id, customer, number, line)?;
    }
    stripe_balances::read(tx, team_id, customer, reading.changes, false)?;
    if was.is_unclear {
        show(tx, act, team_id, &operations)?;
        go_on_all(tx, act, team_id, customer)?;
    }
    used::book_all(tx, act, team_id, &operations)?;
    Ok(Kept::Followed(lane))
}

/// A line of ours is not listed. Lists may be behind for a while.
fn lags(
    tx: &mut dyn Tx,
    act: &mut Act,
    lane: Lane,
    reading: &Reading,
    operations: &[StripeOperation],
    failures: i64,
) -> Result<Kept, Fault> {
    let (team_id, customer) = (&lane.team_id, &lane.stripe_customer_id);
    if failures >= MOST_LAGS {
        stripe_balances::read(tx, team_id, customer, reading.changes, true)?;
        show(tx, act, team_id, operations)?;
        return Ok(Kept::Unclear(lane));
    }
    let wait = answer::pause(failures, SECOND, MINUTE, 0);
    stripe_balances::later(tx, team_id, customer, act.real().plus(wait))?;
    Ok(Kept::Lags(lane))
}

/// The lines could not be read.
pub fn not_read(
    tx: &mut dyn Tx,
    act: &mut Act,
    reading: &Reading,
    answer: Answer,
    lacks: Option<&str>,
) -> Result<Option<Lane>, Fault> {
    let Some(lane) = reading.lane.extended(tx, act.real())? else {
        return Ok(None);
    };
    let (team_id, customer) = (&lane.team_id, &lane.stripe_customer_id);
    match answer {
        Answer::Paused(why) => {
            pause(tx, act, team_id, &reading.connection, why, lacks)?;
        }
        // There is nothing to read of who is not there; an event tells when they are.
        Answer::NoCustomer => {
            stripe_balances::read(tx, team_id, customer, reading.changes, false)?;
        }
        _ => {
            let was = stripe_balances::get(tx, team_id, customer)?.unwrap_or_default();
            let wait = answer::pause(was.failures, SECOND, 10 * MINUTE, 0);
            stripe_balances::later(tx, team_id, customer, act.real().plus(wait))?;
        }
    }
    Ok(Some(lane))
}

/// The lines, each with the credit of ours that it is of: we know the line, or its metadata says so.
pub(super) fn owned(lines: &[BalanceLine], operations: &[StripeOperation]) -> Vec<BalanceLine> {
    let known = operations
        .iter()
        .filter_map(|one| Some((one.transaction_id.as_deref()?, &one.credit_id)));
    let known: BTreeMap<&str, &String> = known.collect();
    let owned = |one: &BalanceLine| {
        let mut one = one.clone();
        if let Some(credit) = known.get(one.line.id.as_str()) {
            one.line.credit = Some((*credit).clone());
        }
        one
    };
    lines.iter().map(owned).collect()
}

fn follow_all(lines: &[BalanceLine]) -> Result<(), HistoryUnclear> {
    let currencies: HashSet<&str> = lines.iter().map(|one| one.currency.as_str()).collect();
    for currency in currencies {
        follow(of_currency(lines, currency))?;
    }
    Ok(())
}

pub(super) fn of_currency<'l>(
    lines: &'l [BalanceLine],
    currency: &str,
) -> impl Iterator<Item = &'l Line> {
    lines
        .iter()
        .filter(move |one| one.currency == currency)
        .map(|one| &one.line)
}

/// The balance of a customer in the currency of an operation, by the lines that are known.
pub(super) fn of_operation(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    operation: &StripeOperation,
) -> Result<Option<Balance>, Fault> {
    let customer = &operation.stripe_customer_id;
    let lines = stripe_balance_lines::of_customer(tx, team_id, customer)?;
    let operations = stripe_operations::of_customer(tx, team_id, customer)?;
    let owned = owned(&lines, &operations);
    Ok(follow(of_currency(&owned, operation.currency.as_str())).ok())
}

/// Shows at each credit that its balance is unclear, or no longer is.
fn show(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    operations: &[StripeOperation],
) -> Result<(), Fault> {
    let credits: BTreeMap<&str, &StripeOperation> = operations
        .iter()
        .map(|one| (one.credit_id.as_str(), one))
        .collect();
    for one in credits.into_values() {
        let place = Place::new(team_id.clone(), one.project_id.clone());
        inside(tx, act, &place, true, |tx, act| {
            let mut credit = hold_credit(tx, &place, one)?;
            sync(tx, act, &place, &mut credit)
        })?;
    }
    Ok(())
}

/// What waited for the lines to be clear goes on.
fn go_on_all(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<(), Fault> {
    for operation in stripe_operations::stuck(tx, team_id, stripe_customer_id)? {
        let waits = operation.progress.state == State::NeedsAttention
            && operation.progress.reason == Some(Reason::HistoryUnclear);
        if waits {
            go_on(tx, act, team_id, operation)?;
        }
    }
    Ok(())
}
