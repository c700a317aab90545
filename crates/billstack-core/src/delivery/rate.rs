//! How fast a team's calls may follow each other.

use crate::time::{MINUTE, Micros, SECOND};

/// The rate of a team. Each node keeps its own.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    most: i64,
    /// Calls a second, as of `since`.
    base: i64,
    since: Micros,
    /// When the next call may be made.
    free: Micros,
}

impl Rate {
    /// So many calls a second, at least one.
    pub fn new(most: i64, now: Micros) -> Rate {
        let most = most.max(1);
        Rate {
            most,
            base: most,
            since: now,
            free: now,
        }
    }

    /// How many calls a second there may be: one more for each minute since it was slowed down.
    pub fn per_second(&self, now: Micros) -> i64 {
        let minutes = now.since(self.since).max(0) / MINUTE;
        self.base.saturating_add(minutes).min(self.most)
    }

    /// Stripe says that the team calls too fast: half as fast from now on, but once a second at least.
    pub fn slow_down(&mut self, now: Micros) {
        self.base = (self.per_second(now) / 2).max(1);
        self.since = now;
    }

    /// How many more calls could be made within so long.
    pub fn room(&self, now: Micros, within: i64) -> i64 {
        let left = now.plus(within).since(self.free.max(now));
        match left < 0 {
            true => 0,
            false => left * self.per_second(now) / SECOND + 1,
        }
    }

    /// Takes the next place, and says when its call may be made.
    pub fn take(&mut self, now: Micros) -> Micros {
        let at = self.free.max(now);
        self.free = at.plus(SECOND / self.per_second(now));
        at
    }
}
