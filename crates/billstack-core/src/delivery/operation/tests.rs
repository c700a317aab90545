use super::*;

const WAIT: i64 = HOUR;
const START: Micros = Micros::from_secs(1_800_000_000);

/// The time so many seconds after the start.
fn at(seconds: i64) -> Micros {
    START.plus(seconds * SECOND)
}

/// An operation that was called at the start, and what came of it.
fn called(answers: &[Answer]) -> (Operation, Effect) {
    let mut operation = Operation::new(START);
    let mut effect = Effect::None;
    for answer in answers {
        operation.take_up(START);
        operation.begin(START, START);
        effect = operation.heard(*answer, START, 0);
    }
    (operation, effect)
}

/// State, reason, next step and the seconds until then.
fn told(operation: &Operation) -> (State, Option<Reason>, Step, i64) {
    let wait = operation.due.since(START) / SECOND;
    (operation.state, operation.reason, operation.step, wait)
}

const NOTHING: Answer = Answer::Nothing;
const FAILED: Answer = Answer::Failed { is_final: false };
const REPLAYED: Answer = Answer::Failed { is_final: true };
const UNDER_WAY: Answer = Answer::UnderWay;
const TEAM: Answer = Answer::TooMany {
    is_team: true,
    at_least: 0,
};
const LOCKED: Answer = Answer::TooMany {
    is_team: false,
    at_least: 0,
};
const REFUSED: Answer = Answer::Refused {
    reason: Reason::StripeRefused,
    is_replayed: false,
};

#[test]
fn each_answer_has_its_next_step() {
    use State::{Delivered, NeedsAttention, Queued, Unknown};
    use Step::{Call, Look};
    let table: &[(&[Answer], State, Step, i64, Effect)] = &[
        (&[Answer::Written], Delivered, Call, 0, Effect::None),
        (&[NOTHING], Unknown, Call, 0, Effect::None),
        (&[NOTHING; 2], Unknown, Call, 1, Effect::None),
        (&[NOTHING; 4], Unknown, Call, 4, Effect::None),
        (&[NOTHING; 9], Unknown, Call, 60, Effect::None),
        (&[FAILED], Unknown, Look, 60, Effect::None),
        (&[REPLAYED], Unknown, Look, 60, Effect::None),
        (&[UNDER_WAY], Unknown, Call, 2, Effect::None),
        (&[UNDER_WAY; 3], Unknown, Call, 8, Effect::None),
        (&[UNDER_WAY; 9], Unknown, Call, 60, Effect::None),
        (&[TEAM], Queued, Call, 1, Effect::SlowDown),
        (&[TEAM; 8], Queued, Call, 60, Effect::SlowDown),
        (&[LOCKED], Queued, Call, 1, Effect::None),
        (&[LOCKED; 8], Queued, Call, 30, Effect::None),
        (&[NOTHING, LOCKED], Unknown, Call, 2, Effect::None),
        (&[Answer::KeyConflict], Unknown, Look, 60, Effect::None),
        (&[Answer::NoCustomer], Queued, Call, 0, Effect::AskCustomer),
        (&[Answer::Differs], NeedsAttention, Call, 0, Effect::None),
        (&[REFUSED], NeedsAttention, Call, 0, Effect::None),
    ];
    for (answers, state, step, wait, effect) in table {
        let (operation, had) = called(answers);
        let (is, _, does, after) = told(&operation);
        assert_eq!((is, does, after), (*state, *step, *wait), "{answers:?}");
        assert_eq!(had, *effect, "{answers:?}");
    }
}

#[test]
fn reasons_are_told() {
    assert_eq!(called(&[REFUSED]).0.reason, Some(Reason::StripeRefused));
    let differs = called(&[Answer::Differs]).0;
    assert_eq!(differs.reason, Some(Reason::AmountDiffers));
    for (customer, reason) in [
        (Customer::Deleted, Reason::CustomerDeleted),
        (Customer::Unknown, Reason::CustomerUnknown),
    ] {
        let mut operation = called(&[Answer::NoCustomer]).0;
        operation.customer_is(&customer);
        assert_eq!(operation.reason, Some(reason));
        assert!(operation.retry(at(5)));
        assert_eq!(told(&operation), (State::Queued, None, Step::Call, 5));
    }
}

#[test]
fn stripe_is_not_called_before_it_asks_to() {
    let at_least = 90 * SECOND;
    for is_team in [true, false] {
        let answer = Answer::TooMany { is_team, at_least };
        assert_eq!(told(&called(&[answer]).0).3, 90);
    }
}

#[test]
fn a_pause_loses_nothing_and_counts_for_nothing() {
    let pause = Answer::Paused(Pause::KeyInvalid);
    let (operation, effect) = called(&[pause, pause]);
    assert_eq!(effect, Effect::Pause(Pause::KeyInvalid));
    assert_eq!((operation.attempts, operation.first_try), (0, None));
    assert_eq!(told(&operation), (State::Queued, None, Step::Call, 0));
    let doubtful = called(&[NOTHING, pause]).0;
    assert_eq!((doubtful.attempts, doubtful.state), (1, State::Unknown));
}

#[test]
fn a_failure_is_repeated_once_under_its_key() {
    let mut operation = called(&[FAILED]).0;
    operation.take_up(at(30));
    operation.looked(&Look::Absent, at(30), WAIT);
    assert_eq!(told(&operation), (State::Unknown, None, Step::Look, 60));
    operation.looked(&Look::Absent, at(60), WAIT);
    assert_eq!(told(&operation), (State::Unknown, None, Step::Call, 60));
    operation.begin(at(60), at(60));
    operation.heard(FAILED, at(60), 0);
    assert_eq!(operation.key, KeyState::Spent);
    assert_eq!(told(&operation), (State::Unknown, None, Step::Look, 120));
    // From now on two looks and the long wait.
    operation.looked(&Look::Absent, at(120), WAIT);
    assert_eq!(told(&operation).3, 60 + 3600);
    operation.looked(&Look::Absent, at(60 + 3599), WAIT);
    assert_eq!((operation.generation, told(&operation).3), (1, 60 + 3600));
    operation.looked(&Look::Absent, at(60 + 3600), WAIT);
    assert_eq!((operation.generation, operation.key), (2, KeyState::Usable));
    assert_eq!(told(&operation), (State::Queued, None, Step::Call, 3660));
    assert_eq!(operation.tried_from, Some(START));
}

#[test]
fn an_old_key_is_not_used() {
    let day = 23 * 3600;
    for (age, step) in [(day - 1, Step::Call), (day, Step::Look)] {
        let mut operation = called(&[NOTHING]).0;
        operation.take_up(at(age));
        assert_eq!(operation.step, step, "{age}");
    }
    let mut operation = called(&[NOTHING]).0;
    operation.take_up(at(day));
    operation.looked(&Look::Absent, at(day), WAIT);
    assert_eq!((operation.generation, told(&operation).3), (1, day + 60));
    operation.looked(&Look::Absent, at(day + 60), WAIT);
    assert_eq!((operation.generation, operation.step), (2, Step::Call));
    // What was never begun has no key that could be old.
    let mut operation = called(&[TEAM]).0;
    operation.take_up(at(5 * day));
    assert_eq!(operation.step, Step::Call);
}

#[test]
fn a_clock_set_back_tells_nothing_of_a_key() {
    let mut operation = called(&[NOTHING]).0;
    operation.take_up(at(-1000));
    assert_eq!(
        (operation.key, operation.step),
        (KeyState::Spent, Step::Look)
    );
    operation.looked(&Look::Absent, at(-1000), WAIT);
    assert_eq!(told(&operation).3, -1000 + 60);
}

#[test]
fn whoever_died_left_an_unknown_outcome() {
    let mut operation = Operation::new(START);
    operation.begin(START, START);
    assert!(operation.is_open());
    operation.take_up(at(15));
    assert_eq!(told(&operation), (State::Unknown, None, Step::Call, 15));
    assert!(operation.is_open());
    operation.begin(at(15), at(15));
    operation.heard(Answer::Written, at(16), 0);
    assert_eq!((operation.state, operation.attempts), (State::Delivered, 2));
    assert!(!operation.is_open());
}

#[test]
fn what_a_look_finds_decides() {
    for (look, state, reason) in [
        (Look::Adopt("cbtxn_1"), State::Delivered, None),
        (
            Look::AmountDiffers("cbtxn_1"),
            State::NeedsAttention,
            Some(Reason::AmountDiffers),
        ),
        (
            Look::PossibleDuplicate("cbtxn_1"),
            State::NeedsAttention,
            Some(Reason::PossibleDuplicate),
        ),
    ] {
        let mut operation = called(&[FAILED]).0;
        operation.looked(&look, at(60), WAIT);
        assert_eq!((operation.state, operation.reason), (state, reason));
        assert_eq!(operation.is_open(), reason.is_some());
    }
}

#[test]
fn a_person_decides_about_a_possible_duplicate() {
    let mut operation = called(&[FAILED]).0;
    operation.looked(&Look::PossibleDuplicate("cbtxn_1"), at(60), WAIT);
    assert!(operation.retry(at(90)));
    assert!(operation.others_are_known);
    assert_eq!(told(&operation), (State::Unknown, None, Step::Look, 90));
    operation.looked(&Look::Absent, at(90), WAIT);
    assert_eq!(operation.step, Step::Call);
    assert!(!operation.retry(at(91)), "it waits for nobody");
}

#[test]
fn a_key_in_conflict_is_found_or_told() {
    let mut operation = called(&[Answer::KeyConflict]).0;
    operation.looked(&Look::Absent, at(60), WAIT);
    assert_eq!(operation.reason, Some(Reason::KeyConflict));
    assert!(operation.retry(at(70)));
    operation.take_up(at(70));
    assert_eq!(operation.step, Step::Look);
    operation.looked(&Look::Absent, at(70), WAIT);
    operation.looked(&Look::Absent, at(3600), WAIT);
    assert_eq!((operation.generation, operation.step), (2, Step::Call));
}

#[test]
fn a_refusal_that_stripe_remembers_needs_another_key() {
    let replayed = Answer::Refused {
        reason: Reason::StripeRefused,
        is_replayed: true,
    };
    let mut operation = called(&[replayed]).0;
    assert_eq!(operation.state, State::NeedsAttention);
    operation.retry(at(10));
    operation.begin(at(10), at(10));
    operation.heard(replayed, at(10), 0);
    assert_eq!(
        (operation.key, operation.step),
        (KeyState::Spent, Step::Look)
    );
}

#[test]
fn a_long_silence_is_told_and_ends() {
    let mut operation = called(&[NOTHING]).0;
    let days = 72 * 3600;
    for seconds in [3600, days - 1] {
        operation.take_up(at(seconds));
        operation.look_failed(NOTHING, at(seconds), 0);
        assert_eq!(operation.state, State::Unknown);
    }
    assert!(!operation.is_long_silent());
    operation.look_failed(NOTHING, at(days), 0);
    let silent = Some(Reason::StripeUnreachable);
    let expected = (State::NeedsAttention, silent, Step::Look, days + 3600);
    assert_eq!(told(&operation), expected);
    assert!(operation.is_open());
    operation.take_up(at(days + 3600));
    assert!(operation.is_long_silent());
    operation.looked(&Look::Adopt("cbtxn_1"), at(days + 3600), WAIT);
    assert_eq!(
        (operation.state, operation.reason),
        (State::Delivered, None)
    );
}

#[test]
fn a_look_that_fails_is_repeated() {
    let mut operation = called(&[FAILED]).0;
    let effect = operation.look_failed(TEAM, at(60), 0);
    assert_eq!((effect, operation.step), (Effect::SlowDown, Step::Look));
    let paused = Answer::Paused(Pause::PermissionMissing);
    let effect = operation.look_failed(paused, at(60), 0);
    assert_eq!(effect, Effect::Pause(Pause::PermissionMissing));
    assert_eq!(
        operation.look_failed(Answer::NoCustomer, at(60), 0),
        Effect::AskCustomer
    );
    assert_eq!(
        (operation.state, operation.step),
        (State::Unknown, Step::Look)
    );
}
