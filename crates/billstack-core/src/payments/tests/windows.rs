//! Which facts count, to the second.

use super::*;
use crate::program::Clawback;
use crate::referral::Terms;

/// The last second that counts, after the conversion.
const LAST: i64 = 100_000;

fn lost_within(facts: impl IntoIterator<Item = Fact>) -> Loss {
    let case = Case {
        losses_until: Some(at(LAST)),
        ..case()
    };
    loss(&paid(2_000, facts), &case)
}

#[test]
fn losses_count_by_their_own_time() {
    for (seconds, counts) in [(LAST, true), (LAST + 1, false)] {
        let late = at(LAST + 90_000);
        let refund = Refund {
            created_at: at(seconds),
            at: late,
            ..refund("re_1", "ch_1", 2_000)
        };
        let dispute = Dispute {
            created_at: at(seconds),
            at: late,
            ..dispute("dp_1", 2_000, DisputeStatus::Lost, &[-2_000])
        };
        let note = CreditNote {
            created_at: at(seconds),
            at: late,
            ..note(2_000)
        };
        let note = CreditNote {
            is_to_balance: true,
            ..note
        };
        let void = Invoice {
            status: InvoiceStatus::Void,
            at: at(seconds),
            ..invoice("in_1", 2_000)
        };
        let facts: [Fact; 5] = [
            refund.into(),
            dispute.into(),
            note.into(),
            step(0, 2_000, seconds).into(),
            void.into(),
        ];
        for fact in facts {
            let is_lost = lost_within([fact.clone()]) != Loss::Nothing;
            assert_eq!(is_lost, counts, "{fact:?}");
        }
    }
}

#[test]
fn a_refund_after_the_window_does_not_hide_one_within() {
    let late = Refund {
        created_at: at(LAST + 1),
        ..refund("re_2", "ch_1", 1_000)
    };
    let facts: [Fact; 3] = [
        step(0, 600, 10).into(),
        step(600, 1_600, LAST + 1).into(),
        late.into(),
    ];
    let expected = Loss::Part {
        lost: 600,
        paid: 2_000,
    };
    assert_eq!(lost_within(facts), expected);
}

#[test]
fn gains_count_at_any_time() {
    let after = at(LAST + 900_000);
    let refund = Refund {
        at: after,
        ..failed(&refund("re_1", "ch_1", 2_000))
    };
    let won = Dispute {
        at: after,
        ..dispute("dp_1", 2_000, DisputeStatus::Won, &[-2_000, 2_000])
    };
    let voided = CreditNote {
        at: after,
        is_void: true,
        is_to_balance: true,
        ..note(2_000)
    };
    let facts: [Fact; 3] = [refund.into(), won.into(), voided.into()];
    assert_eq!(lost_within(facts), Loss::Nothing);
}

#[test]
fn the_terms_say_until_when_losses_count() {
    let of = |clawback, hold_days| {
        let terms = Terms {
            clawback,
            hold_days,
            clawback_window_days: 90,
            ..Terms::default()
        };
        let case = Case::new(&terms, "sub_1", at(0));
        (case.held_until, case.losses_until)
    };
    let days = |days| Some(at(0).plus(days * DAY));
    assert_eq!(of(Clawback::None, 30), (days(30), None));
    assert_eq!(of(Clawback::WithinHold, 30), (days(30), days(30)));
    assert_eq!(of(Clawback::Always, 0), (None, days(90)));
    assert_eq!(of(Clawback::read("for_ever").unwrap(), 0), (None, None));
}

#[test]
fn without_a_window_nothing_moves() {
    let case = Case {
        losses_until: None,
        ..case()
    };
    let end = SubscriptionEnd {
        id: "sub_1".to_owned(),
        at: at(5),
        ended_at: at(5),
    };
    let refunded = paid(2_000, [refund("re_1", "ch_1", 2_000).into()]);
    assert_eq!(loss(&refunded, &case), Loss::Nothing);
    let mut ended = Facts::default();
    ended.take(end.into());
    assert_eq!(loss(&ended, &case), Loss::Nothing);
}

#[test]
fn a_subscription_that_ends_in_the_hold_must_have_been_paid() {
    let ended = |ended_at| SubscriptionEnd {
        id: "sub_1".to_owned(),
        at: ended_at,
        ended_at,
    };
    let held_until = case().held_until.unwrap();
    let mut facts = Facts::default();
    assert_eq!(loss(&facts, &case()), Loss::Nothing);
    facts.take(ended(held_until).into());
    assert_eq!(loss(&facts, &case()), Loss::Nothing);
    let mut facts = Facts::default();
    facts.take(ended(held_until.plus(-SECOND)).into());
    assert_eq!(loss(&facts, &case()), Loss::Everything);
    let without_hold = Case {
        held_until: None,
        ..case()
    };
    assert_eq!(loss(&facts, &without_hold), Loss::Nothing);
    // Nor where it ended before the code was applied, and so before the conversion.
    let mut long_ago = Facts::default();
    long_ago.take(ended(at(-5)).into());
    assert_eq!(loss(&long_ago, &without_hold), Loss::Nothing);
    facts.take(invoice("in_0", 0).into());
    assert_eq!(loss(&facts, &case()), Loss::Everything);
    facts.take(invoice("in_1", 2_000).into());
    assert_eq!(loss(&facts, &case()), Loss::Nothing);
}

#[test]
fn an_open_dispute_puts_the_release_off() {
    use DisputeStatus::{Lost, NeedsResponse, WarningClosed, WarningNeedsResponse, Won};
    let held_until = case().held_until.unwrap();
    let until = Some(held_until.plus(120 * DAY));
    for (status, expected) in [
        (WarningNeedsResponse, until),
        (NeedsResponse, until),
        (WarningClosed, None),
        (Won, None),
        (Lost, None),
        (DisputeStatus::read("brand_new").unwrap(), None),
    ] {
        let facts = paid(2_000, [dispute("dp_1", 2_000, status, &[]).into()]);
        assert_eq!(postponed_until(&facts, &case()), expected, "{status}");
    }
    let open = paid(2_000, [dispute("dp_1", 2_000, NeedsResponse, &[]).into()]);
    let without_hold = Case {
        held_until: None,
        ..case()
    };
    assert_eq!(postponed_until(&open, &without_hold), None);
    let foreign = Dispute {
        charge: Some("ch_2".to_owned()),
        ..dispute("dp_1", 2_000, NeedsResponse, &[])
    };
    assert_eq!(
        postponed_until(&paid(2_000, [foreign.into()]), &case()),
        None
    );
}
