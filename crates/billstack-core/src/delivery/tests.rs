use super::answer::{Answer, pause};
use super::customer::Customer;
use super::look::{Look, Seen, Wanted, begins, look};
use super::rate::Rate;
use super::*;
use crate::time::{MINUTE, Micros, SECOND};
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

#[test]
fn a_call_is_the_same_byte_for_byte() {
    let body = Body {
        operation: "op_1",
        credit: "cr_1",
        project: "proj_1",
        amount: Kind::Grant.signed(1000),
        currency: Currency::USD,
        description: "Dank & Gruß 100 %",
    };
    let expected = "amount=-1000&currency=usd&description=Dank+%26+Gru%C3%9F+100+%25\
        &metadata%5Bbillstack_op_id%5D=op_1&metadata%5Bbillstack_credit_id%5D=cr_1\
        &metadata%5Bbillstack_project_id%5D=proj_1";
    assert_eq!(body.form(), expected);
    assert_eq!(key("op_1", 2), "bsc_op_1_2");
}

#[test]
fn what_gives_is_below_zero() {
    let signed: Vec<i64> = Kind::ALL.iter().map(|kind| kind.signed(5)).collect();
    assert_eq!(signed, [-5, 5, -5, -5, 5]);
}

#[test]
fn the_members_of_a_body_are_read_back() {
    let body = Body {
        operation: "op_1",
        credit: "cr_1",
        project: "prj_1",
        amount: -5,
        currency: Currency::USD,
        description: "Dank & Gruß=1",
    };
    let members = members(&body.form());
    assert_eq!(members["description"], "Dank & Gruß=1");
    assert_eq!(members["metadata[billstack_op_id]"], "op_1");
    assert_eq!(members["amount"], "-5");
}

#[test]
fn the_most_urgent_operation_decides() {
    use State::{Delivered, InFlight, NeedsAttention, Queued, Unknown};
    let of = |states: &[State], waits| {
        let operations: Vec<_> = states.iter().map(|state| (*state, None)).collect();
        of_credit(&operations, waits).0
    };
    assert_eq!(of(&[], false), DeliveryState::None);
    assert_eq!(of(&[], true), DeliveryState::Waiting);
    assert_eq!(of(&[Delivered], true), DeliveryState::Waiting);
    assert_eq!(of(&[Delivered, Delivered], false), DeliveryState::Delivered);
    assert_eq!(of(&[Delivered, Queued], false), DeliveryState::Queued);
    assert_eq!(of(&[InFlight, Queued], true), DeliveryState::InFlight);
    assert_eq!(of(&[Queued, Unknown], true), DeliveryState::Unknown);
    let reason = Some(Reason::CustomerDeleted);
    let told = of_credit(&[(Unknown, None), (NeedsAttention, reason)], false);
    assert_eq!(told, (DeliveryState::NeedsAttention, reason));
}

#[test]
fn a_failure_is_final_where_stripe_says_so() {
    for (is_replayed, should_retry, is_final) in [
        (false, None, false),
        (false, Some(true), false),
        (false, Some(false), true),
        (true, None, true),
    ] {
        let answer = Answer::failed(is_replayed, should_retry);
        assert_eq!(answer, Answer::Failed { is_final });
    }
}

#[test]
fn a_limit_is_of_the_team_or_of_the_customer() {
    for (limit, is_team) in [
        (Some("global-rate"), true),
        (Some("global-concurrency"), true),
        (Some("endpoint-rate"), true),
        (Some("resource-specific"), false),
        (None, false),
    ] {
        let at_least = 7 * SECOND;
        let answer = Answer::too_many(limit, Some(7), None);
        assert_eq!(answer, Answer::TooMany { is_team, at_least }, "{limit:?}");
    }
    let never = Answer::too_many(None, None, Some(false));
    assert_eq!(never, Answer::Failed { is_final: true });
}

#[test]
fn a_refusal_tells_whether_it_is_about_the_currency() {
    let reason = |code, message| match Answer::refused(code, message, false) {
        Answer::Refused { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(None, "No."), Reason::StripeRefused);
    let told = reason(None, "You cannot combine Currencies");
    assert_eq!(told, Reason::CurrencyMismatch);
    let named = reason(Some("currency_mismatch"), "No.");
    assert_eq!(named, Reason::CurrencyMismatch);
}

#[test]
fn a_customer_accepts_its_own_currency_only() {
    let (usd, eur) = (Currency::USD, currency("eur"));
    let there = |currency, subscribed: &[Currency]| Customer::There {
        currency,
        subscribed: subscribed.to_vec(),
    };
    for (customer, expected) in [
        (Customer::Unknown, Err(Reason::CustomerUnknown)),
        (Customer::Deleted, Err(Reason::CustomerDeleted)),
        (there(None, &[]), Err(Reason::CurrencyUnset)),
        (there(Some(eur), &[]), Err(Reason::CurrencyMismatch)),
        (there(Some(usd), &[]), Ok(())),
        (there(Some(usd), &[eur]), Err(Reason::CurrencyMismatch)),
        (there(Some(eur), &[eur, usd]), Ok(())),
        (there(None, &[usd]), Ok(())),
    ] {
        assert_eq!(customer.accepts(usd), expected, "{customer:?}");
    }
}

const SINCE: Micros = Micros::from_secs(1_000);

fn wanted(others_are_known: bool) -> Wanted<'static> {
    Wanted {
        operation: "op_1",
        amount: -500,
        currency: Currency::USD,
        others_are_known,
    }
}

fn seen(id: &'static str, amount: i64, operation: Option<&'static str>) -> Seen<'static> {
    Seen {
        id,
        amount,
        currency: Currency::USD,
        kind: "adjustment",
        created: SINCE.plus(SECOND),
        operation,
    }
}

#[test]
fn a_look_finds_the_line_of_its_operation() {
    let find = |lines: &[Seen<'static>]| look(&wanted(false), SINCE, lines);
    assert_eq!(find(&[]), Look::Absent);
    let other = seen("a", -500, Some("op_2"));
    assert_eq!(find(&[other]), Look::Absent);
    let its = seen("b", -500, Some("op_1"));
    assert_eq!(find(&[other, its]), Look::Adopt("b"));
    let changed = seen("c", -400, Some("op_1"));
    assert_eq!(find(&[changed, other]), Look::AmountDiffers("c"));
    assert_eq!(find(&[changed, its]), Look::Adopt("b"));
    let abroad = Seen {
        currency: currency("eur"),
        ..its
    };
    assert_eq!(find(&[abroad]), Look::AmountDiffers("b"));
    let earlier = Seen {
        id: "d",
        created: SINCE,
        ..its
    };
    assert_eq!(find(&[its, earlier]), Look::Adopt("d"));
    assert_eq!(begins(Micros(0)), Micros(-10 * MINUTE));
}

#[test]
fn a_line_like_it_that_nobody_accounts_for_is_a_doubt() {
    let like = seen("a", -500, None);
    let find = |line| look(&wanted(false), SINCE, &[line]);
    assert_eq!(find(like), Look::PossibleDuplicate("a"));
    assert_eq!(look(&wanted(true), SINCE, &[like]), Look::Absent);
    assert_eq!(
        find(Seen {
            created: SINCE.plus(-1),
            ..like
        }),
        Look::Absent
    );
    assert_eq!(
        find(Seen {
            kind: "applied_to_invoice",
            ..like
        }),
        Look::Absent
    );
    assert_eq!(
        find(Seen {
            amount: 500,
            ..like
        }),
        Look::Absent
    );
}

#[test]
fn a_rate_has_room_for_what_can_be_called_soon() {
    let now = Micros(1_000 * SECOND);
    let soon = SECOND * 3 / 10;
    let mut rate = Rate::new(10, now);
    for left in (1..=4).rev() {
        assert_eq!(rate.room(now, soon), left);
        assert!(rate.take(now).since(now) <= soon);
    }
    assert_eq!(rate.room(now, soon), 0);
    assert_eq!(rate.room(now.plus(SECOND / 10), soon), 1);
    assert_eq!(rate.room(now.plus(SECOND), soon), 4);
    // Even the slowest calls when its time has come.
    let mut slow = Rate::new(1, now);
    assert_eq!(slow.room(now, soon), 1);
    slow.take(now);
    assert_eq!(slow.room(now, soon), 0);
    assert_eq!(slow.room(now.plus(SECOND), soon), 1);
}

#[test]
fn a_rate_is_halved_and_recovers() {
    let start = Micros::from_secs(1_000);
    let mut rate = Rate::new(10, start);
    assert_eq!(rate.take(start), start);
    assert_eq!(rate.take(start), start.plus(SECOND / 10));
    let expected = [5, 2, 1, 1];
    for calls in expected {
        rate.slow_down(start);
        assert_eq!(rate.per_second(start), calls);
    }
    assert_eq!(rate.per_second(start.plus(MINUTE)), 2);
    assert_eq!(rate.per_second(start.plus(60 * MINUTE)), 10);
    assert_eq!(rate.per_second(start.plus(-MINUTE)), 1);
    assert_eq!(Rate::new(0, start).per_second(start), 1);
}

proptest! {
    /// In any second there are no more calls than the rate allows, and one that begins it.
    #[test]
    fn calls_keep_their_distance(most in 1..50_i64, pauses in prop::collection::vec(0..400_000_i64, 1..80)) {
        let mut now = Micros(0);
        let mut rate = Rate::new(most, now);
        let mut taken: Vec<i64> = Vec::new();
        for pause in pauses {
            now = now.plus(pause);
            let at = rate.take(now);
            prop_assert!(at >= now);
            taken.push(at.0);
        }
        for start in &taken {
            let within = taken.iter().filter(|at| (*start..start + SECOND - most).contains(*at));
            prop_assert!(within.count() as i64 <= most);
        }
    }

    /// A pause is never shorter than it is meant to be, and at most a quarter longer.
    #[test]
    fn pauses_grow(tries in -3..80_i64, chance in any::<u64>()) {
        let exact = pause(tries, SECOND, MINUTE, 0);
        let with_chance = pause(tries, SECOND, MINUTE, chance);
        prop_assert!((SECOND..=MINUTE).contains(&exact));
        prop_assert!(with_chance >= exact && with_chance <= exact + exact / 4);
        prop_assert!(pause(tries + 1, SECOND, MINUTE, 0) >= exact);
    }

    /// The order in which lines are listed does not matter.
    #[test]
    fn a_look_does_not_depend_on_order(
        lines in prop::collection::vec((0..3_usize, -3..0_i64, 0..4_i64), 0..6),
    ) {
        const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        let of = |(index, (whose, amount, at)): (usize, &(usize, i64, i64))| Seen {
            amount: amount * 250,
            created: SINCE.plus(at * SECOND),
            ..seen(IDS[index], 0, [None, Some("op_1"), Some("op_2")][*whose])
        };
        let mut listed: Vec<Seen<'_>> = lines.iter().enumerate().map(of).collect();
        let found = look(&wanted(false), SINCE, &listed);
        listed.reverse();
        prop_assert_eq!(look(&wanted(false), SINCE, &listed), found);
    }
}
