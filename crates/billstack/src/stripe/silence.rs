//! Teams for which Stripe has just not answered, so that not every request waits anew.
//!
//! Only of this node, and soon forgotten: it saves time, and decides nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use billstack_core::ids::TeamId;
use billstack_core::time::{Micros, SECOND};
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::error::{ApiError, Reason};

/// How long Stripe is left alone.
const LENGTH: i64 = 10 * SECOND;

/// The most teams that are remembered.
const MOST: usize = 10_000;

/// When each silence is over.
#[derive(Debug, Default)]
pub struct Silence(Mutex<HashMap<i64, Micros>>);

impl Silence {
    /// Whether there was no answer a moment ago.
    pub fn holds(&self, team: i64, now: Micros) -> bool {
        self.teams().get(&team).is_some_and(|until| now < *until)
    }

    /// There was no answer.
    pub fn begin(&self, team: i64, now: Micros) {
        let mut teams = self.teams();
        if teams.len() >= MOST {
            teams.clear();
        }
        teams.insert(team, now.plus(LENGTH));
    }

    /// There was one.
    pub fn end(&self, team: i64) {
        self.teams().remove(&team);
    }

    fn teams(&self) -> MutexGuard<'_, HashMap<i64, Micros>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Whether Stripe has just not answered a question of this team.
    pub fn stripe_is_silent(&self, team_id: &TeamId) -> bool {
        self.silence.holds(team_id.number(), self.now())
    }

    /// Asks Stripe for a team, until a deadline, and remembers whether it answered.
    pub async fn in_time<T>(
        &self,
        team_id: &TeamId,
        deadline: Instant,
        asking: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let silent = || ApiError::new(Reason::StripeUnavailable);
        let told = timeout_at(deadline, asking).await;
        let told = told.unwrap_or_else(|_| Err(silent()));
        match &told {
            Ok(_) => self.silence.end(team_id.number()),
            Err(error) if error.reason == Reason::StripeUnavailable => {
                self.silence.begin(team_id.number(), self.now());
            }
            Err(_) => {}
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_of_one_team_and_ends() {
        let silence = Silence::default();
        let now = Micros(1_000);
        silence.begin(1, now);
        assert!(silence.holds(1, now.plus(LENGTH - 1)));
        assert!(!silence.holds(1, now.plus(LENGTH)));
        assert!(!silence.holds(2, now));
        silence.end(1);
        assert!(!silence.holds(1, now));
    }
}
