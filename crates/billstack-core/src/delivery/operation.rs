//! What an operation does next, whatever came of its last step.
//!
//! A call may be repeated under its key for a day: Stripe then answers what it answered before. Later, or where
//! what it answered was a failure of its own, only a look can tell whether the line is there.

mod waits;

use super::answer::Answer;
use super::customer::Customer;
use super::look::Look;
use super::{Pause, Reason, State};
use crate::time::{HOUR, MINUTE, Micros, SECOND};

/// How long a key may be used after its first try. Stripe keeps it for a day at least.
pub const KEY_AGE: i64 = 23 * HOUR;
/// How long after the last try a line may still be missing from a list although it was written.
pub const LIST_LAG: i64 = MINUTE;
/// After how long without an answer somebody is told.
pub const SILENCE: i64 = 72 * HOUR;

text_enum! {
    /// What is known of the key of the present generation.
    pub enum KeyState {
        /// It may be used.
        Usable = "usable",
        /// Stripe failed once under it. It may be used once more after a look.
        FailedOnce = "failed_once",
        /// It answers nothing but a failure.
        Spent = "spent",
        /// It was used for another call.
        Conflicting = "conflicting",
    }
}

text_enum! {
    /// The next step of an operation.
    pub enum Step {
        /// A call that writes its line.
        Call = "call",
        /// A look for its line.
        Look = "look",
    }
}

/// How far an operation has come. Times are those of its project, whose clock may be set forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Where it stands.
    pub state: State,
    /// Why it needs attention, if it does.
    pub reason: Option<Reason>,
    /// Which key it uses.
    pub generation: i64,
    /// What is known of that key.
    pub key: KeyState,
    /// How many calls were made that Stripe's answer was about.
    pub attempts: i64,
    /// How often in succession nothing came of a step.
    pub failures: i64,
    /// When the present key was first used.
    pub first_try: Option<Micros>,
    /// When it was last used.
    pub last_try: Option<Micros>,
    /// The first try of all, by the real clock: looks begin there.
    pub tried_from: Option<Micros>,
    /// Since when there has been no result.
    pub silent_since: Option<Micros>,
    /// When a look did not find the line after the last try, although it should have been there.
    pub absent_at: Option<Micros>,
    /// Whether a call under the present key may have written the line.
    pub is_doubtful: bool,
    /// Whether it was taken out of `needs_attention` under the present key.
    pub is_retried: bool,
    /// See [`Wanted::others_are_known`](super::look::Wanted::others_are_known).
    pub others_are_known: bool,
    /// What it does next.
    pub step: Step,
    /// When.
    pub due: Micros,
}

/// What has to be done beside it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The whole team calls less often.
    SlowDown,
    /// Nothing of the team is called any more until its key does again.
    Pause(Pause),
    /// Stripe is asked what became of the customer; see [`Operation::customer_is`].
    AskCustomer,
}

impl Operation {
    /// A new operation, due at once.
    pub const fn new(now: Micros) -> Operation {
        Operation {
            state: State::Queued,
            reason: None,
            generation: 1,
            key: KeyState::Usable,
            attempts: 0,
            failures: 0,
            first_try: None,
            last_try: None,
            tried_from: None,
            silent_since: None,
            absent_at: None,
            is_doubtful: false,
            is_retried: false,
            others_are_known: false,
            step: Step::Call,
            due: now,
        }
    }

    /// Whether its line may be there without our knowing. Until that is known, nothing else is done with its credit.
    pub fn is_open(&self) -> bool {
        self.state == State::InFlight || (self.is_doubtful && self.state != State::Delivered)
    }

    /// Somebody takes it up: what it does, and when, is in `step` and `due` afterwards.
    ///
    /// Whoever left it in flight died, and nobody knows what came of the call.
    pub fn take_up(&mut self, now: Micros) {
        if self.last_try.is_some_and(|last| last > now) {
            self.clock_went_back(now);
        }
        if self.state == State::InFlight {
            self.heard(Answer::Nothing, now, 0);
        }
        if !self.is_doubtful {
            self.step = Step::Call;
        } else if !self.may_use_key(now) {
            self.step = Step::Look;
        }
    }

    /// A call is about to be made. This is kept before it is made.
    pub fn begin(&mut self, now: Micros, real: Micros) {
        self.state = State::InFlight;
        self.reason = None;
        self.attempts += 1;
        self.first_try.get_or_insert(now);
        self.last_try = Some(now);
        self.tried_from.get_or_insert(real);
        self.absent_at = None;
    }

    /// What came of the call. `chance` is any number.
    pub fn heard(&mut self, answer: Answer, now: Micros, chance: u64) -> Effect {
        match answer {
            Answer::Written => self.deliver(),
            Answer::Differs => {
                self.is_doubtful = true;
                self.attend(Reason::AmountDiffers);
            }
            Answer::Nothing => {
                self.is_doubtful = true;
                self.unresolved(now);
                let wait = self.wait_after_cut(chance);
                self.call_or_look(now, wait);
            }
            Answer::Failed { is_final } => {
                let is_second = self.key == KeyState::FailedOnce;
                self.doubt_key(if is_final || is_second {
                    KeyState::Spent
                } else {
                    KeyState::FailedOnce
                });
                self.look_when_listed(now);
            }
            Answer::KeyConflict => {
                self.doubt_key(KeyState::Conflicting);
                self.look_when_listed(now);
            }
            Answer::UnderWay => {
                self.is_doubtful = true;
                self.again(now, (2 * SECOND, MINUTE), 0, chance);
            }
            Answer::TooMany { is_team, at_least } => {
                self.was_not_done();
                let most = if is_team { MINUTE } else { 30 * SECOND };
                self.again(now, (SECOND, most), at_least, chance);
                if is_team {
                    return Effect::SlowDown;
                }
            }
            Answer::Refused { is_replayed, .. } if is_replayed && self.is_retried => {
                self.doubt_key(KeyState::Spent);
                self.look_when_listed(now);
            }
            Answer::Refused { reason, .. } => {
                self.was_not_done();
                self.attend(reason);
            }
            Answer::Paused(pause) => {
                self.attempts -= 1;
                self.was_not_done();
                return self.paused(pause, now);
            }
            Answer::NoCustomer => {
                self.was_not_done();
                self.rest(now);
                return Effect::AskCustomer;
            }
        }
        Effect::None
    }

    /// What a look found, where a key is given up no sooner than so long after its last try.
    pub fn looked(&mut self, look: &Look<'_>, now: Micros, unknown_wait: i64) {
        match look {
            Look::Adopt(_) => self.deliver(),
            Look::AmountDiffers(_) => self.attend(Reason::AmountDiffers),
            Look::PossibleDuplicate(_) => self.attend(Reason::PossibleDuplicate),
            Look::Absent => self.is_absent(now, unknown_wait),
        }
    }

    /// A look got no list.
    pub fn look_failed(&mut self, answer: Answer, now: Micros, chance: u64) -> Effect {
        let at_least = match answer {
            Answer::Paused(pause) => return self.paused(pause, now),
            Answer::NoCustomer => {
                self.rest(now);
                return Effect::AskCustomer;
            }
            Answer::TooMany { at_least, .. } => at_least,
            _ => 0,
        };
        let step = self.step;
        self.again(now, (SECOND, MINUTE), at_least, chance);
        self.step = step;
        match answer {
            Answer::TooMany { is_team: true, .. } => Effect::SlowDown,
            _ => Effect::None,
        }
    }

    /// What the customer was found to be after a call did not find it.
    pub fn customer_is(&mut self, customer: &Customer) {
        self.attend(match customer {
            Customer::Deleted => Reason::CustomerDeleted,
            _ => Reason::CustomerUnknown,
        });
    }

    /// It waits until its reason is out of the way.
    pub fn attend(&mut self, reason: Reason) {
        self.state = State::NeedsAttention;
        self.reason = Some(reason);
    }

    /// Its reason is out of the way, or a person says so; tells whether it waited for that.
    pub fn retry(&mut self, now: Micros) -> bool {
        let Some(reason) = self.reason.filter(|_| self.state == State::NeedsAttention) else {
            return false;
        };
        self.is_retried = true;
        self.failures = 0;
        self.silent_since = None;
        self.absent_at = None;
        self.others_are_known |= reason == Reason::PossibleDuplicate;
        if reason == Reason::KeyConflict {
            self.key = KeyState::Spent;
        }
        self.step = match reason {
            Reason::PossibleDuplicate | Reason::AmountDiffers | Reason::KeyConflict => Step::Look,
            _ => self.step,
        };
        self.rest(now);
        true
    }

    /// Its line, which was there, is gone: it is called anew. The key that wrote the line would bring the old answer.
    pub fn lose(&mut self, now: Micros) {
        self.next_generation(now);
        self.tried_from = None;
        self.failures = 0;
    }

    fn deliver(&mut self) {
        self.state = State::Delivered;
        self.reason = None;
        self.is_doubtful = false;
        self.silent_since = None;
    }

    /// No line of it is there.
    fn is_absent(&mut self, now: Micros, unknown_wait: i64) {
        let last = self.last_try.unwrap_or(now);
        if now < last.plus(LIST_LAG) {
            return self.rest(last.plus(LIST_LAG));
        }
        if self.may_use_key(now) {
            self.rest(now);
            self.step = Step::Call;
            return;
        }
        if self.key == KeyState::Conflicting {
            return self.attend(Reason::KeyConflict);
        }
        let mut not_before = last.plus(unknown_wait);
        if let Some(seen) = self.absent_at {
            not_before = not_before.max(seen.plus(LIST_LAG));
            if now >= not_before {
                return self.next_generation(now);
            }
        } else {
            self.absent_at = Some(now);
            not_before = not_before.max(now.plus(LIST_LAG));
        }
        self.rest(not_before);
    }

    fn next_generation(&mut self, now: Micros) {
        self.generation += 1;
        self.key = KeyState::Usable;
        self.is_doubtful = false;
        self.is_retried = false;
        self.was_not_done();
        self.absent_at = None;
        self.step = Step::Call;
        self.rest(now);
    }

    /// Whether a call under this key answers what an earlier one did, or does what none did.
    fn may_use_key(&self, now: Micros) -> bool {
        let first = self.first_try.unwrap_or(now);
        matches!(self.key, KeyState::Usable | KeyState::FailedOnce) && now.since(first) < KEY_AGE
    }

    /// After a clock has been set back nothing is known of the age of a key.
    fn clock_went_back(&mut self, now: Micros) {
        self.last_try = Some(now);
        self.absent_at = None;
        self.silent_since = self.silent_since.map(|since| since.min(now));
        self.due = self.due.min(now);
        if self.key != KeyState::Conflicting {
            self.key = KeyState::Spent;
        }
    }

    /// The call was not begun, so the key is as it was.
    fn was_not_done(&mut self) {
        if !self.is_doubtful {
            self.first_try = None;
            self.last_try = None;
        }
    }

    fn doubt_key(&mut self, key: KeyState) {
        self.is_doubtful = true;
        self.key = key;
    }
}

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
