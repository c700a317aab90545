//! What this node has refused lately, for whoever wonders why no events come in.
//!
//! Anybody can send to a team's address, so a refusal costs no write, and its warning comes once a minute for each
//! team and reason.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use billstack_core::ids::TeamId;
use billstack_core::time::{HOUR, MINUTE, Micros};

use super::signature::BadSignature;

/// The most pairs of a team and a reason that are remembered.
const MOST: usize = 10_000;

/// An hour is counted in so many parts: what is older than that is forgotten part by part.
const PARTS: usize = 12;

/// When each team's calls were last refused, by reason, and how often within the last hour.
#[derive(Debug, Default)]
pub struct RefusedCalls(Mutex<HashMap<(TeamId, BadSignature), Refused>>);

#[derive(Clone, Copy, Debug)]
struct Refused {
    last: Micros,
    warned: Micros,
    /// By parts of the hour, that of `last` where its number says.
    counts: [u32; PARTS],
}

impl Refused {
    /// Counts a refusal at a time, which is not long before the last.
    fn count(&mut self, now: Micros) {
        let (before, at) = (part(self.last), part(now));
        for gone in (before + 1..=at).rev().take(PARTS) {
            self.counts[place_of(gone)] = 0;
        }
        let count = &mut self.counts[place_of(at.max(before))];
        *count = count.saturating_add(1);
        self.last = self.last.max(now);
    }

    /// How many there were within the hour before a time.
    fn lately(&self, now: Micros) -> u64 {
        let (last, first) = (part(self.last), part(now) - PARTS as i64 + 1);
        let parts = (last - PARTS as i64 + 1..=last).filter(|part| *part >= first);
        parts
            .map(|part| u64::from(self.counts[place_of(part)]))
            .sum()
    }
}

/// The number of the part of an hour that a time is in.
fn part(at: Micros) -> i64 {
    at.0.div_euclid(HOUR / PARTS as i64)
}

fn place_of(part: i64) -> usize {
    usize::try_from(part.rem_euclid(PARTS as i64)).unwrap_or_default()
}

/// Calls of a team that were refused within the last hour, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lately {
    /// Why.
    pub why: BadSignature,
    /// How many.
    pub count: u64,
    /// When the last one was.
    pub last: Micros,
}

impl RefusedCalls {
    /// Remembers a refusal, and tells whether to warn of it.
    pub fn note(&self, team_id: &TeamId, why: BadSignature, now: Micros) -> bool {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (team_id.clone(), why);
        if refused.len() >= MOST && !refused.contains_key(&key) {
            // Starting over is enough: whatever still happens is there again at once.
            refused.clear();
        }
        match refused.get_mut(&key) {
            Some(before) => {
                before.count(now);
                let is_due = now.0.abs_diff(before.warned.0) >= MINUTE.unsigned_abs();
                if is_due {
                    before.warned = now;
                }
                is_due
            }
            None => {
                let mut first = Refused {
                    last: now,
                    warned: now,
                    counts: [0; PARTS],
                };
                first.count(now);
                refused.insert(key, first);
                true
            }
        }
    }

    /// The refusals of a team's calls within the hour before a time, by reason.
    pub fn lately(&self, team_id: &TeamId, now: Micros) -> Vec<Lately> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = BadSignature::ALL.into_iter().filter_map(|why| {
            let of_reason = refused.get(&(team_id.clone(), why))?;
            let count = of_reason.lately(now);
            (count > 0).then_some(Lately {
                why,
                count,
                last: of_reason.last,
            })
        });
        found.collect()
    }

    /// The last refusal of a team's calls.
    pub fn last(&self, team_id: &TeamId) -> Option<(Micros, BadSignature)> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = BadSignature::ALL.into_iter().filter_map(|why| {
            let found = refused.get(&(team_id.clone(), why))?;
            Some((found.last, why))
        });
        times.max_by_key(|(last, _)| *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_counted_and_what_is_older_forgotten() {
        let (calls, team) = (RefusedCalls::default(), TeamId::from("team_1"));
        let note = |minute: i64| calls.note(&team, BadSignature::NoMatch, Micros(minute * MINUTE));
        let counted = |minute: i64| {
            let lately = calls.lately(&team, Micros(minute * MINUTE));
            lately.first().map_or(0, |one| one.count)
        };
        for minute in [0, 1, 30, 58, 58] {
            note(minute);
        }
        assert_eq!((counted(58), counted(59)), (5, 5));
        // The part of the hour that holds the first two is over.
        assert_eq!((counted(60), counted(64), counted(90)), (3, 3, 2));
        assert_eq!(counted(118), 0);
        note(200);
        assert_eq!(counted(200), 1);
        assert_eq!(calls.lately(&TeamId::from("team_2"), Micros(0)), []);
    }

    #[test]
    fn each_reason_has_a_line_where_attention_is_drawn() {
        let words = BadSignature::ALL.map(BadSignature::as_str);
        assert_eq!(words, billstack_core::attention::REFUSALS);
    }

    #[test]
    fn a_crowd_of_strangers_warns_once_a_minute_and_takes_bounded_memory() {
        let (calls, team) = (RefusedCalls::default(), TeamId::from("team_1"));
        let note = |why, now| calls.note(&team, why, Micros(now));
        assert!(note(BadSignature::NoMatch, 0));
        assert!((1..1000).all(|now| !note(BadSignature::NoMatch, now)));
        assert!(note(BadSignature::OutOfTime, 1000));
        assert!(note(BadSignature::NoMatch, MINUTE));
        let last = Some((Micros(MINUTE), BadSignature::NoMatch));
        assert_eq!(calls.last(&team), last);
        for number in 0..MOST * 2 {
            let team = TeamId::from(format!("team_{number}").as_str());
            calls.note(&team, BadSignature::Missing, Micros(0));
        }
        assert!(calls.0.lock().expect("no panic").len() <= MOST);
    }
}
