//! Whose lanes are served next: the teams by turns, so that none waits for another however many of its customers do.
//!
//! What a rate has no room for is not touched, and nothing is of a team whose queue is paused: its rows stay due.

use std::collections::{HashMap, HashSet};

use billstack_core::time::Micros;

use super::KIND;
use crate::operations::work::{Leased, claim_one};
use crate::seam::{Act, Fault, Tx};
use crate::tables::stripe_connections::{self, Deliveries};
use crate::tables::work::{self, Key};

/// How many teams are looked at in one go.
const TEAMS: usize = 100;

/// What a node serves, and what it has room for.
pub struct Served<'a> {
    /// The number of the team that was looked at last.
    pub after: i64,
    /// The customers of Stripe that it serves, by the number of their team. They are not taken again, even where a
    /// lease has run out.
    pub lanes: &'a HashMap<i64, HashSet<String>>,
    /// How many more it can serve.
    pub room: usize,
    /// How many more of a team.
    pub room_of: &'a dyn Fn(i64) -> usize,
}

/// The rows that are to be leased next, and the team that was looked at last.
pub fn next(tx: &mut dyn Tx, now: Micros, served: &Served<'_>) -> Result<(i64, Vec<Key>), Fault> {
    let (mut team, mut found) = (served.after, Vec::new());
    // Mostly nothing is due, in no team.
    if served.room == 0 || work::due(tx, KIND, now, 1)?.is_empty() {
        return Ok((team, found));
    }
    let mut has_turned = false;
    for _ in 0..TEAMS {
        match work::team_after(tx, KIND, team)? {
            Some(next) => team = next,
            None if has_turned => break,
            None => {
                (team, has_turned) = (i64::MIN, true);
                continue;
            }
        }
        if has_turned && team > served.after {
            break;
        }
        let room = (served.room_of)(team).min(served.room - found.len());
        found.extend(of_team(tx, now, served, team, room)?);
        if found.len() == served.room || (has_turned && team == served.after) {
            break;
        }
    }
    Ok((team, found))
}

fn of_team(
    tx: &mut dyn Tx,
    now: Micros,
    served: &Served<'_>,
    team: i64,
    room: usize,
) -> Result<Vec<Key>, Fault> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let own = served.lanes.get(&team);
    let already = own.map_or(0, HashSet::len);
    let room = match stripe_connections::deliveries(tx, team)? {
        Deliveries::Usual => room,
        // Somebody has to try whether the pause is over.
        Deliveries::PausedUntil(until) if until <= now && already == 0 => 1,
        Deliveries::PausedUntil(_) | Deliveries::Impossible => return Ok(Vec::new()),
    };
    let limit = i64::try_from(room + already).unwrap_or(i64::MAX);
    let mut due = work::due_in_team(tx, KIND, team, now, limit)?;
    due.retain(|key| own.is_none_or(|own| !own.contains(&key.subject)));
    due.truncate(room);
    Ok(due)
}

/// Leases rows that are due until a time; those that somebody else has taken meanwhile are left out.
pub fn take(tx: &mut dyn Tx, act: &Act, due: &[Key], until: Micros) -> Result<Vec<Leased>, Fault> {
    let mut taken = Vec::new();
    for key in due {
        taken.extend(claim_one(tx, act, key.clone(), until)?);
    }
    Ok(taken)
}
