//! What this node has refused lately, for whoever wonders why no events come in.
//!
//! Anybody can send to a team's address, so a refusal costs no write, and its warning comes once a minute for each
//! team and reason.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use billstack_core::ids::TeamId;
use billstack_core::time::{MINUTE, Micros};

use super::signature::BadSignature;

/// The most pairs of a team and a reason that are remembered.
const MOST: usize = 10_000;

/// When each team's calls were last refused, by reason.
#[derive(Debug, Default)]
pub struct RefusedCalls(Mutex<HashMap<(TeamId, BadSignature), Refused>>);

#[derive(Clone, Copy, Debug)]
struct Refused {
    last: Micros,
    warned: Micros,
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
                before.last = now;
                let is_due = now.0.abs_diff(before.warned.0) >= MINUTE.unsigned_abs();
                if is_due {
                    before.warned = now;
                }
                is_due
            }
            None => {
                let first = Refused {
                    last: now,
                    warned: now,
                };
                refused.insert(key, first);
                true
            }
        }
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
