use super::*;
use crate::time::{HOUR, SECOND};
use proptest::prelude::*;

const START: Micros = Micros::from_secs(1_774_872_000);

fn at(hours: i64) -> Micros {
    START.plus(hours * HOUR)
}

/// Failures at these hours.
fn failed_at(health: Health, hours: impl IntoIterator<Item = i64>) -> Health {
    let fail = |health: Health, hour| health.after(Outcome::Failure, at(hour));
    hours.into_iter().fold(health, fail)
}

#[test]
fn it_is_failing_after_a_day_without_success_and_active_after_one() {
    let health = failed_at(Health::new(START), [1, 24]);
    assert_eq!(health.state, EndpointState::Active, "23 hours");
    let health = failed_at(health, [25]);
    assert_eq!(health.state, EndpointState::Failing);
    let health = health.after(Outcome::Success, at(26));
    assert_eq!(health.state, EndpointState::Active);
    assert_eq!(health.last_success_at, Some(at(26)));
    assert_eq!(health.last_failure_at, Some(at(25)));
    assert_eq!((health.first_failure_at, health.failures), (None, 0));
    let health = failed_at(health, [27, 50]);
    assert_eq!(health.state, EndpointState::Active, "the day begins anew");
}

#[test]
fn it_is_disabled_after_five_days_and_ten_failures() {
    let many = failed_at(Health::new(START), 0..119);
    assert_eq!(many.state, EndpointState::Failing, "not five days");
    let at_last = failed_at(many, [120]);
    assert_eq!(at_last.state, EndpointState::Disabled);

    let few = failed_at(Health::new(START), (0..9).map(|day| day * 24));
    assert_eq!(few.state, EndpointState::Failing, "nine in eight days");
    let tenth = failed_at(few, [9 * 24]);
    assert_eq!(tenth.state, EndpointState::Disabled);
}

#[test]
fn one_success_in_between_keeps_it() {
    let health = failed_at(Health::new(START), 0..100);
    let health = health.after(Outcome::Success, at(100));
    let health = failed_at(health, 101..220);
    assert_eq!(health.state, EndpointState::Failing);
}

#[test]
fn gone_disables_at_once() {
    let health = Health::new(START).after(Outcome::Gone, at(0));
    assert_eq!(health.state, EndpointState::Disabled);
    assert_eq!(health.last_failure_at, Some(at(0)));
}

#[test]
fn what_was_under_way_does_not_enable_it() {
    let health = Health::new(START).disabled();
    let health = health.after(Outcome::Success, at(1));
    assert_eq!(health.state, EndpointState::Disabled);
    assert_eq!(health.last_success_at, Some(at(1)));
}

#[test]
fn enabled_it_stays_so() {
    let health = failed_at(Health::new(START), 0..=120);
    assert_eq!(health.state, EndpointState::Disabled);
    let health = health.enabled(at(130));
    assert_eq!(health.state, EndpointState::Active);
    assert_eq!(health.last_failure_at, Some(at(120)), "it is still shown");
    for old in [Outcome::Failure, Outcome::Gone] {
        let after = health.after(old, at(129));
        assert_eq!(after.state, EndpointState::Active, "begun before");
        assert_eq!(after.failures, 0);
    }
    let health = failed_at(health, 130..=153);
    assert_eq!(health.state, EndpointState::Active);
    let health = failed_at(health, [154]);
    assert_eq!(health.state, EndpointState::Failing, "a day after");
}

#[test]
fn a_word_of_a_newer_version_is_left_alone() {
    let state = EndpointState::read("paused").unwrap();
    let health = Health {
        state,
        ..Health::new(START)
    };
    assert_eq!(health.after(Outcome::Gone, at(1)).state, state);
    assert_eq!(health.after(Outcome::Success, at(1)).state, state);
}

proptest! {
    #[test]
    fn the_order_of_failures_does_not_matter(
        mut seconds in prop::collection::vec(0_i64..20 * 86_400, 1..40),
        swap: (prop::sample::Index, prop::sample::Index),
    ) {
        // A switch-off is final, so whether one came in between depends on the order; the counts do not.
        let run = |seconds: &[i64]| {
            let fail = |health: Health, second: &i64| {
                health.after(Outcome::Failure, START.plus(second * SECOND))
            };
            seconds.iter().fold(Health::new(START), fail)
        };
        let before = run(&seconds);
        let length = seconds.len();
        seconds.swap(swap.0.index(length), swap.1.index(length));
        let after = run(&seconds);
        prop_assert_eq!(after.first_failure_at, before.first_failure_at);
        prop_assert_eq!(after.last_failure_at, before.last_failure_at);
        prop_assert_eq!(after.failures, before.failures);
        prop_assert_eq!(after.judged(), before.judged());
        prop_assert!(after.state == after.judged() || after.state == EndpointState::Disabled);
    }

    #[test]
    fn it_is_never_disabled_without_five_days_of_failures(
        attempts in prop::collection::vec((0_i64..10 * 24, any::<bool>()), 0..60),
    ) {
        let mut health = Health::new(START);
        for (number, (hour, is_success)) in attempts.iter().enumerate() {
            let outcome = if *is_success { Outcome::Success } else { Outcome::Failure };
            health = health.after(outcome, at(*hour));
            if health.state == EndpointState::Disabled {
                let (first, last) = health.first_failure_at.zip(health.last_failure_at).unwrap();
                prop_assert!(last.since(first) >= 5 * DAY && health.failures >= 10);
                let successes = attempts[..number].iter().filter(|(_, is_success)| *is_success);
                for (hour, _) in successes {
                    prop_assert!(!(first..=last).contains(&at(*hour)));
                }
                break;
            }
        }
    }

    #[test]
    fn a_success_later_than_every_failure_makes_it_active(
        hours in prop::collection::vec(0_i64..100, 0..30),
    ) {
        let health = failed_at(Health::new(START), hours).after(Outcome::Success, at(100));
        prop_assert_eq!(health.state, EndpointState::Active);
        prop_assert_eq!((health.first_failure_at, health.failures), (None, 0));
    }
}
