//! When an operation goes on.

use super::super::answer::{later, pause};
use super::super::{Pause, Reason, State};
use super::{Effect, LIST_LAG, Operation, SILENCE, Step};
use crate::time::{HOUR, MINUTE, Micros, SECOND};

/// How often an operation is tried after a long silence.
const AFTER_SILENCE: i64 = HOUR;

impl Operation {
    pub(super) fn paused(&mut self, pause: Pause, now: Micros) -> Effect {
        self.silent_since = None;
        self.rest(now);
        Effect::Pause(pause)
    }

    /// It goes on at that time, with the step that is set.
    pub(super) fn rest(&mut self, due: Micros) {
        self.state = if self.is_doubtful {
            State::Unknown
        } else {
            State::Queued
        };
        self.reason = None;
        self.due = due;
    }

    /// Nothing came of a step: after a long time without any result somebody is told.
    pub(super) fn unresolved(&mut self, now: Micros) {
        self.failures += 1;
        self.rest(now);
        let since = *self
            .silent_since
            .get_or_insert(self.last_try.unwrap_or(now));
        if now.since(since) >= SILENCE {
            self.attend(Reason::StripeUnreachable);
        }
    }

    /// Whether the step that is under way was put off because of a long silence, of which somebody was told then.
    pub fn is_long_silent(&self) -> bool {
        let since = self.silent_since;
        since.is_some_and(|since| self.due.since(since) >= SILENCE + AFTER_SILENCE)
    }

    pub(super) fn again(
        &mut self,
        now: Micros,
        (first, most): (i64, i64),
        at_least: i64,
        chance: u64,
    ) {
        self.unresolved(now);
        self.step = Step::Call;
        let wait = pause(self.failures - 1, first, most, chance);
        self.put_off(later(now, wait, at_least), now);
    }

    pub(super) fn call_or_look(&mut self, now: Micros, wait: i64) {
        if self.may_use_key(now) {
            self.step = Step::Call;
            self.put_off(now.plus(wait), now);
            return;
        }
        let listed = self.last_try.unwrap_or(now).plus(LIST_LAG);
        self.step = Step::Look;
        self.put_off(listed.max(now), now);
    }

    /// A look, once a line that was written must be in the list.
    pub(super) fn look_when_listed(&mut self, now: Micros) {
        self.unresolved(now);
        self.step = Step::Look;
        let listed = self.last_try.unwrap_or(now).plus(LIST_LAG);
        self.put_off(listed.max(now), now);
    }

    fn put_off(&mut self, due: Micros, now: Micros) {
        self.due = if self.state == State::NeedsAttention {
            due.max(now.plus(AFTER_SILENCE))
        } else {
            due
        };
    }

    /// At once the first time, then after 1, 2, 4 … 60 seconds.
    pub(super) fn wait_after_cut(&self, chance: u64) -> i64 {
        match self.failures {
            ..=1 => 0,
            failures => pause(failures - 2, SECOND, MINUTE, chance),
        }
    }
}
