//! How fast the calls of each team may follow each other on this node.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use billstack_core::delivery::rate::Rate;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use tokio::time::Instant;

/// The most teams that are remembered.
const MOST: usize = 10_000;

/// The rate of each team, by a clock that only measures.
#[derive(Debug)]
pub struct Rates {
    most: u32,
    since: Instant,
    teams: Mutex<HashMap<i64, Rate>>,
}

impl Rates {
    /// So many calls a second for each team at most.
    pub fn new(most: u32) -> Rates {
        Rates {
            most,
            since: Instant::now(),
            teams: Mutex::default(),
        }
    }

    /// Waits until the team may call.
    pub async fn wait(&self, team_id: &TeamId) {
        let now = self.now();
        let at = self.rate(team_id.number(), now, |rate| rate.take(now));
        let wait = u64::try_from(at.since(now)).unwrap_or_default();
        tokio::time::sleep(Duration::from_micros(wait)).await;
    }

    /// Stripe says that the team calls too fast.
    pub fn slow_down(&self, team_id: &TeamId) {
        let now = self.now();
        self.rate(team_id.number(), now, |rate| rate.slow_down(now));
    }

    /// How many more calls of the team with this number could be made within so long.
    pub fn room(&self, team: i64, within: i64) -> usize {
        let now = self.now();
        let known = self.teams().get(&team).copied();
        let rate = known.unwrap_or(Rate::new(self.most.into(), now));
        usize::try_from(rate.room(now, within)).unwrap_or_default()
    }

    fn rate<T>(&self, team: i64, now: Micros, change: impl FnOnce(&mut Rate) -> T) -> T {
        let mut teams = self.teams();
        if teams.len() >= MOST {
            teams.clear();
        }
        let rate = teams.entry(team);
        change(rate.or_insert_with(|| Rate::new(self.most.into(), now)))
    }

    fn now(&self) -> Micros {
        let micros = self.since.elapsed().as_micros();
        Micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    fn teams(&self) -> MutexGuard<'_, HashMap<i64, Rate>> {
        self.teams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
