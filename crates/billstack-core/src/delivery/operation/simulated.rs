//! Operations against a Stripe that fails in every way: whatever happens, there is one line.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const WAIT: i64 = HOUR;

/// What Stripe keeps of a key.
#[derive(Clone, Copy)]
struct Saved {
    at: Micros,
    /// When the call was done; before that it is under way.
    done: Micros,
    failed: bool,
}

/// Stripe, and the way to it.
struct Stripe {
    real: Micros,
    /// By how much the clock of the project differs.
    offset: i64,
    keys: HashMap<i64, Saved>,
    /// When each line was written.
    lines: Vec<Micros>,
    /// How long a line is missing from lists.
    lag: i64,
}

impl Stripe {
    fn now(&self) -> Micros {
        self.real.plus(self.offset)
    }

    fn write(&mut self, generation: i64, delay: i64, failed: bool, writes: bool) {
        let (at, done) = (self.real, self.real.plus(delay));
        self.keys.insert(generation, Saved { at, done, failed });
        if writes {
            self.lines.push(done);
        }
    }

    /// A call meets a fault. Stripe forgets a key after a day.
    fn call(&mut self, generation: i64, fault: u8) -> Answer {
        let real = self.real;
        self.keys
            .retain(|_, saved| real.since(saved.at) < 24 * HOUR);
        match fault {
            // It never arrives, or is stopped at the door.
            3 | 9 => return Answer::Nothing,
            6 => {
                return Answer::TooMany {
                    is_team: true,
                    at_least: 0,
                };
            }
            7 => {
                return Answer::TooMany {
                    is_team: false,
                    at_least: 0,
                };
            }
            10 => return Answer::Paused(Pause::KeyInvalid),
            _ => {}
        }
        match self.keys.get(&generation) {
            Some(saved) if saved.done > self.real => return Answer::UnderWay,
            Some(saved) if saved.failed => return Answer::Failed { is_final: true },
            Some(_) => return Answer::Written,
            None => {}
        }
        match fault {
            2 => self.write(generation, 0, false, true),
            4 | 5 => {
                self.write(generation, 0, true, fault == 4);
                return Answer::Failed { is_final: false };
            }
            8 => self.write(generation, 25 * SECOND, false, true),
            11 => {
                return Answer::Refused {
                    reason: Reason::StripeRefused,
                    is_replayed: false,
                };
            }
            12 => return Answer::NoCustomer,
            13 => return Answer::Paused(Pause::PermissionMissing),
            _ => {
                self.write(generation, 0, false, true);
                return Answer::Written;
            }
        }
        Answer::Nothing
    }

    fn look(&self) -> Look<'static> {
        let listed = |written: &Micros| written.plus(self.lag) <= self.real;
        if self.lines.iter().any(listed) {
            return Look::Adopt("cbtxn_1");
        }
        Look::Absent
    }
}

/// The looks since the last call that found nothing.
#[derive(Default)]
struct Watch {
    called: Option<Micros>,
    absent: Vec<Micros>,
}

impl Watch {
    /// A new generation was begun: were there two looks, late enough?
    fn check(&self, now: Micros) {
        let called = self.called.expect("a call before another key");
        let late = |seen: &&Micros| seen.since(called) >= LIST_LAG;
        let looks: Vec<&Micros> = self.absent.iter().filter(late).collect();
        assert!(looks.len() >= 2, "two looks: {:?}", self.absent);
        assert!(now.since(called) >= WAIT, "the long wait");
        assert!(now.since(*looks[0]) >= LIST_LAG, "looks apart");
    }
}

/// One step: a call or a look, with a fault; or somebody retries.
fn step(operation: &mut Operation, stripe: &mut Stripe, watch: &mut Watch, fault: u8) {
    if operation.state == State::NeedsAttention
        && operation.reason != Some(Reason::StripeUnreachable)
    {
        operation.retry(stripe.now());
    }
    operation.take_up(stripe.now());
    // With a wrong clock it may be taken up at any time; otherwise when it is due.
    stripe.real = stripe.real.plus(operation.due.since(stripe.now()).max(0));
    operation.take_up(stripe.now());
    let now = stripe.now();
    let effect = match operation.step {
        Step::Look if fault % 5 == 4 => operation.look_failed(Answer::Nothing, now, 7),
        Step::Look => {
            let (before, found) = (operation.generation, stripe.look());
            operation.looked(&found, now, WAIT);
            if found == Look::Absent {
                watch.absent.push(stripe.real);
            }
            if operation.generation > before {
                watch.check(stripe.real);
            }
            Effect::None
        }
        _ => {
            operation.begin(now, stripe.real);
            *watch = Watch {
                called: Some(stripe.real),
                ..Watch::default()
            };
            let answer = stripe.call(operation.generation, fault & 15);
            // Sometimes the process dies before it hears.
            if fault >= 48 {
                return;
            }
            operation.heard(answer, now, u64::from(fault))
        }
    };
    if effect == Effect::AskCustomer {
        operation.customer_is(&Customer::Unknown);
    }
}

fn run(faults: &[(u8, i64, i64)], lag: i64) -> (Operation, Stripe) {
    let real = Micros::from_secs(1_800_000_000);
    let keys = HashMap::new();
    let mut stripe = Stripe {
        real,
        offset: 0,
        keys,
        lines: Vec::new(),
        lag,
    };
    let mut operation = Operation::new(real);
    let mut watch = Watch::default();
    for (fault, pause, shift) in faults {
        if operation.state == State::Delivered {
            break;
        }
        step(&mut operation, &mut stripe, &mut watch, *fault);
        stripe.real = stripe.real.plus(pause * SECOND);
        stripe.offset += shift * SECOND;
    }
    for _ in 0..30 {
        if operation.state == State::Delivered {
            break;
        }
        step(&mut operation, &mut stripe, &mut watch, 0);
    }
    (operation, stripe)
}

fn seldom(most: std::ops::Range<i64>) -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0), 2 => 0..90_i64, 1 => most]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Cuts, saved failures, kills, lists that lag, days of pause: one line, and it is found.
    #[test]
    fn there_is_always_one_line(
        faults in prop::collection::vec((0..64_u8, seldom(0..100_000), Just(0)), 0..40),
        lag in 0..35_i64,
    ) {
        let (operation, stripe) = run(&faults, lag * SECOND);
        prop_assert_eq!(operation.state, State::Delivered);
        prop_assert_eq!(stripe.lines.len(), 1);
    }

    /// The same while somebody sets the clock back now and then. (Set back while nothing is tried for most of a
    /// day, a clock tells nothing of it: that is what the hour between the age of a key and a day is for.)
    #[test]
    fn there_is_one_line_whatever_the_clock_says(
        faults in prop::collection::vec(
            (0..64_u8, 0..90_i64, seldom(0..200_000).prop_map(|by| -by)),
            0..40,
        ),
    ) {
        let (operation, stripe) = run(&faults, 0);
        prop_assert_eq!(operation.state, State::Delivered);
        prop_assert_eq!(stripe.lines.len(), 1);
    }
}
