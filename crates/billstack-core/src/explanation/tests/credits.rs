//! What is said of one credit.

use super::*;

#[test]
fn the_parts_of_a_credit_are_one_sentence() {
    let of = |parts| credit(Side::Referrer, parts).standing();
    assert_eq!(of(available(1_000)), "The referrer got 10.00 USD.");
    let none = available(0);
    let held = Parts {
        held: 1_000,
        ..none
    };
    assert_eq!(of(held), "The referrer got 10.00 USD, which is held.");
    let three = Parts {
        applied: 400,
        reversed: 300,
        delivered: 300,
        ..none
    };
    assert_eq!(
        of(three),
        "The referrer got 10.00 USD: 4.00 USD was used for invoices, 3.00 USD was taken back and 3.00 USD is in the \
         balance in Stripe."
    );
    let rest = Parts {
        settled: 400,
        ..available(600)
    };
    assert_eq!(
        of(rest),
        "The referrer got 10.00 USD: 4.00 USD was paid and 6.00 USD is owed."
    );
}

#[test]
fn what_was_taken_back_says_by_what() {
    let parts = Parts {
        reversed: 500,
        ..available(500)
    };
    let of = |by_hand, lost_by: &[LossCause]| {
        let facts = CreditFacts {
            reversed_by_hand: by_hand,
            lost_by: lost_by.to_vec(),
            ..credit(Side::Referee, parts)
        };
        facts.standing()
    };
    let said = "The friend got 10.00 USD: 5.00 USD was taken back because the friend's payment was refunded and 5.00 \
                USD is owed.";
    assert_eq!(of(0, &[LossCause::Refund]), said);
    let said = "The friend got 10.00 USD: 3.00 USD was taken back because the friend's payment was refunded and the \
                friend's payment was disputed, 2.00 USD was taken back by the team and 5.00 USD is owed.";
    assert_eq!(of(200, &[LossCause::Refund, LossCause::Dispute]), said);
    // What is forgotten is not made up.
    let said = "The friend got 10.00 USD: 5.00 USD was taken back and 5.00 USD is owed.";
    assert_eq!(of(0, &[]), said);
    for cause in [LossCause::CreditNote, LossCause::Unpaid, LossCause::Ended] {
        assert!(of(0, &[cause]).contains("taken back because"), "{cause:?}");
    }
}

#[test]
fn a_hold_that_is_put_off_says_why() {
    let parts = Parts {
        held: 1_000,
        ..available(0)
    };
    let of = |now| {
        let facts = CreditFacts {
            held_until: Some(APPLIED),
            put_off_until: Some(APPLIED.plus(120 * DAY)),
            now,
            ..credit(Side::Referrer, parts)
        };
        facts.next().map(|said| said.to_string())
    };
    assert_eq!(
        of(APPLIED.plus(-1)).as_deref(),
        Some(
            "The credit of the referrer is held until 2025-11-03 10:12 UTC, and after that while an inquiry or a \
             dispute about the payment is open, until 2026-03-03 10:12 UTC at most."
        )
    );
    assert_eq!(
        of(APPLIED).as_deref(),
        Some(
            "The credit of the referrer was to be held until 2025-11-03 10:12 UTC and is held on while an inquiry or \
             a dispute about the payment is open, until 2026-03-03 10:12 UTC at most."
        )
    );
}

#[test]
fn while_nothing_reaches_stripe_nothing_is_on_its_way() {
    for delivery in [DeliveryState::Waiting, DeliveryState::Queued] {
        for pause in Pause::ALL {
            let facts = CreditFacts {
                delivery,
                pause: Some(*pause),
                ..credit(Side::Referrer, available(1_000))
            };
            let said = facts.next().expect("something must happen").to_string();
            assert!(said.contains("waits, as all of the team do"), "{said}");
            assert!(said.contains("somebody must"), "{said}");
        }
    }
    let lacks = CreditFacts {
        delivery: DeliveryState::Queued,
        pause: Some(Pause::PermissionMissing),
        lacks: Some("rak_customer_write".to_owned()),
        ..credit(Side::Referrer, available(1_000))
    };
    let said = lacks.next().expect("a sentence").to_string();
    assert!(
        said.contains("lacks the permission rak_customer_write"),
        "{said}"
    );
    // What is being told already is told to its end.
    let told = CreditFacts {
        delivery: DeliveryState::InFlight,
        pause: Some(Pause::KeyInvalid),
        ..credit(Side::Referrer, available(1_000))
    };
    let said = told.next().expect("a sentence").to_string();
    assert!(said.contains("on its way"), "{said}");
}

#[test]
fn a_cap_tells_its_number() {
    let of = |cap| {
        let facts = WithheldFacts {
            side: Some(Side::Referrer),
            reason: "cap_reached".to_owned(),
            cap,
        };
        facts.sentence()
    };
    assert_eq!(
        of(Some(Cap::PerMonth(5))),
        "The referrer got no credit: the program pays 5 conversions of one referrer a month, and that many had been paid."
    );
    assert!(of(Some(Cap::Total(1))).contains("1 conversion of one referrer in all"));
    assert!(of(None).contains("pays no more conversions"));
}
