mod credits;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::attribution::NotConverted;
use crate::credit::{Parts, Side};
use crate::delivery::{DeliveryState, Pause, Reason};
use crate::money::{Amount, Currency};
use crate::payments::{LossCause, NotPaid};
use crate::referral::Terms;
use crate::source::Attribution;
use crate::time::DAY;

/// What is said of a referral, as a text.
#[derive(Debug, PartialEq)]
struct Said {
    why: String,
    next: Vec<String>,
}

fn explain(facts: &Facts<'_>) -> Said {
    let Explanation { why, next } = super::explain(facts);
    Said {
        why: why.to_string(),
        next: next.iter().map(Sentence::to_string).collect(),
    }
}

const APPLIED: Micros = Micros::from_secs(1_762_164_720);

fn referral(status: Status) -> Referral {
    Referral {
        id: "ref_secret1".to_owned(),
        code: "K7M2QX9D".to_owned(),
        referrer_customer_id: "pc_secret2".to_owned(),
        referee_customer_id: "pc_secret3".to_owned(),
        status,
        created_at: APPLIED,
        clock_offset: 0,
        converted_at: (status == Status::Converted).then(|| APPLIED.plus(DAY)),
        terms: Terms::default(),
        question_since: None,
        attribution: Attribution::CODE,
    }
}

fn facts(referral: &Referral) -> Facts<'_> {
    Facts {
        referral,
        now: APPLIED,
        is_connected: true,
        is_linked: true,
        looked_at: None,
        is_code_off: false,
        is_program_off: false,
        closed: None,
        credits: Vec::new(),
        withheld: Vec::new(),
    }
}

fn credit(side: Side, parts: Parts) -> CreditFacts {
    CreditFacts {
        side: Some(side),
        currency: Currency::USD,
        parts,
        reversed_by_hand: 0,
        lost_by: Vec::new(),
        held_until: None,
        put_off_until: None,
        now: APPLIED,
        delivery: DeliveryState::None,
        delivery_reason: None,
        pause: None,
        lacks: None,
    }
}

fn available(units: i64) -> Parts {
    Parts {
        available: units,
        ..Parts::default()
    }
}

#[test]
fn a_referral_that_nothing_happened_to_tells_what_must() {
    let referral = referral(Status::Pending);
    let said = explain(&facts(&referral));
    assert_eq!(
        said.why,
        "The friend applied the code on 2025-11-03 10:12 UTC. No event of Stripe has told of a subscription of the \
         friend since."
    );
    assert_eq!(
        said.next,
        ["Stripe must tell of a subscription that began on 2025-11-02 10:12 UTC or later."]
    );
}

#[test]
fn what_is_missing_besides_is_told() {
    let mut referral = referral(Status::Pending);
    referral.terms.conversion_trigger = ConversionTrigger::FirstPaidInvoice;
    referral.terms.minimum_paid_amount = Amount::new(2_000).unwrap();
    referral.terms.referral_expiry_days = Some(30);
    let facts = Facts {
        is_connected: false,
        is_linked: false,
        looked_at: Some(LookedAt {
            kind: "invoice.paid".to_owned(),
            reason: NotConverted::NotPaid(NotPaid::BelowMinimum)
                .as_str()
                .to_owned(),
            at: APPLIED.plus(DAY),
        }),
        ..facts(&referral)
    };
    let said = explain(&facts);
    assert!(
        said.why.ends_with(
            "An event of Stripe (invoice.paid) was looked at on 2025-11-04 10:12 UTC and did not convert the \
             referral: less was paid than the program asks for."
        ),
        "{said:?}"
    );
    let [connect, link, pay, end] = said.next.as_slice() else {
        panic!("{said:?}");
    };
    assert!(connect.contains("connect Stripe") && link.contains("which customer of Stripe"));
    assert!(
        pay.ends_with("with real money, at least 20.00 USD."),
        "{pay}"
    );
    assert_eq!(
        end,
        "This must happen before 2025-12-03 10:12 UTC; then the referral is closed."
    );
    let late = Facts {
        now: APPLIED.plus(30 * DAY),
        ..facts
    };
    assert!(explain(&late).next[3].starts_with("Its time ended"));
}

#[test]
fn a_conversion_tells_what_became_of_its_credits() {
    let referral = referral(Status::Converted);
    let friend = Parts {
        delivered: 200,
        reversed: 300,
        ..Parts::default()
    };
    let facts = Facts {
        credits: vec![
            credit(Side::Referrer, available(1_000)),
            CreditFacts {
                delivery: DeliveryState::NeedsAttention,
                delivery_reason: Some(Reason::CurrencyMismatch),
                ..credit(Side::Referee, friend)
            },
        ],
        ..facts(&referral)
    };
    let said = explain(&facts);
    assert_eq!(
        said.why,
        "It converted on 2025-11-04 10:12 UTC: Stripe told that the friend subscribed. The referrer got 10.00 USD. \
         The friend got 5.00 USD: 3.00 USD was taken back and 2.00 USD is in the balance in Stripe."
    );
    assert_eq!(
        said.next,
        [
            "The credit of the friend needs somebody: the customer pays in another currency in Stripe, so somebody \
          must settle it otherwise."
        ]
    );
}

#[test]
fn what_is_over_needs_nothing() {
    let referral = referral(Status::Expired);
    for (reason, said) in [
        (
            Some("customer erased"),
            "the friend or the referrer was erased",
        ),
        (Some("not a new customer"), "was not new"),
        (Some("not converted in time"), "in time"),
        (None, "does not say why"),
    ] {
        let facts = Facts {
            closed: reason.map(|reason| (reason.to_owned(), APPLIED)),
            ..facts(&referral)
        };
        let explanation = explain(&facts);
        assert!(explanation.why.contains(said), "{explanation:?}");
        assert_eq!(explanation.next, Vec::<String>::new());
    }
}

/// Every phrase that is written into a story says more than itself here.
#[test]
fn every_reason_has_words_of_its_own() {
    let not_paid = [
        NotPaid::NoSubscription,
        NotPaid::Unpaid,
        NotPaid::NoMoney,
        NotPaid::BelowMinimum,
        NotPaid::MinimumInOtherCurrency,
    ];
    let others = [
        NotConverted::AlreadyConverted,
        NotConverted::AlreadyReferred,
        NotConverted::SelfReferral,
        NotConverted::ReferralExpired,
        NotConverted::BeganTooEarly,
        NotConverted::InTrial,
        NotConverted::WaitsForPayment,
        NotConverted::BeginningUnknown,
        NotConverted::Unanswered,
    ];
    let all = not_paid
        .into_iter()
        .map(NotConverted::NotPaid)
        .chain(others);
    for why in all {
        assert_ne!(reasons::of_event(why.as_str()), why.as_str());
    }
    let of_credits = Reason::ALL
        .iter()
        .map(|reason| reasons::of_delivery(Some(*reason)));
    let mut said: Vec<String> = of_credits.chain([reasons::of_delivery(None)]).collect();
    let count = said.len();
    said.sort_unstable();
    said.dedup();
    assert_eq!(said.len(), count);
}

fn any_parts() -> impl Strategy<Value = Parts> {
    let part = || prop_oneof![Just(0_i64), 1..1_000_i64];
    (
        part(),
        part(),
        part(),
        part(),
        part(),
        part(),
        any::<bool>(),
    )
        .prop_map(
            |(held, available, delivered, applied, settled, reversed, is_short)| Parts {
                held,
                available: available + 1,
                delivered,
                applied,
                settled,
                reversed,
                shortfall: if is_short { applied } else { 0 },
            },
        )
}

fn any_credit() -> impl Strategy<Value = CreditFacts> {
    let states = [DeliveryState::ALL, &[DeliveryState::read("newer").unwrap()]].concat();
    let reasons = [Reason::ALL, &[Reason::read("newer").unwrap()]].concat();
    let sides = [Side::ALL, &[Side::read("newer").unwrap()]].concat();
    (
        proptest::option::of(select(sides)),
        select(Currency::all()),
        any_parts(),
        proptest::option::of((0_i64..1 << 52).prop_map(Micros)),
        select(states),
        proptest::option::of(select(reasons)),
    )
        .prop_map(
            |(side, currency, parts, held_until, delivery, delivery_reason)| CreditFacts {
                side,
                currency: Currency::parse(currency).unwrap_or(Currency::USD),
                parts,
                held_until,
                put_off_until: held_until.filter(|_| parts.held % 2 == 0),
                delivery,
                delivery_reason,
                ..credit(Side::Referrer, parts)
            },
        )
}

prop_compose! {
    fn any_terms()(
        trigger in select([ConversionTrigger::ALL, &[ConversionTrigger::read("newer").unwrap()]].concat()),
        exclude_trials in any::<bool>(),
        minimum in 0_i64..5_000,
        days in proptest::option::of(1_i64..400),
    ) -> Terms {
        Terms {
            conversion_trigger: trigger,
            exclude_trials,
            minimum_paid_amount: Amount::new(minimum).unwrap_or_default(),
            referral_expiry_days: days,
            ..Terms::default()
        }
    }
}

proptest! {
    #[test]
    fn every_state_has_sentences_that_name_nobody(
        status in select([Status::ALL, &[Status::read("newer").unwrap()]].concat()),
        terms in any_terms(),
        (is_connected, is_linked, is_asked) in any::<(bool, bool, bool)>(),
        later in 0_i64..500 * DAY,
        reason in proptest::option::of(select(vec![
            "began too early", "subscription incomplete", "ambiguous", "a phrase of a newer version",
        ])),
        closed_because in proptest::option::of(select(vec!["customer erased", "newer"])),
        credits in proptest::collection::vec(any_credit(), 0..3),
        withheld in proptest::collection::vec(select(vec!["cap_reached", "budget_exhausted", "newer"]), 0..3),
    ) {
        let mut referral = referral(status);
        referral.terms = terms;
        referral.question_since = is_asked.then_some(APPLIED);
        let facts = Facts {
            now: APPLIED.plus(later),
            is_connected,
            is_linked,
            looked_at: reason.map(|reason| LookedAt {
                kind: "customer.subscription.created".to_owned(),
                reason: reason.to_owned(),
                at: APPLIED,
            }),
            is_code_off: is_asked,
            is_program_off: is_connected,
            closed: closed_because.map(|why| (why.to_owned(), APPLIED)),
            credits,
            withheld: withheld
                .into_iter()
                .map(|reason| WithheldFacts { side: Some(Side::Referrer), reason: reason.to_owned(), cap: None })
                .collect(),
            ..facts(&referral)
        };
        let said = explain(&facts);
        prop_assert_eq!(&said, &explain(&facts));
        if status == Status::Pending {
            prop_assert!(!said.next.is_empty());
        }
        for sentence in said.next.iter().chain([&said.why]) {
            prop_assert!(sentence.starts_with(|c: char| c.is_ascii_uppercase()), "{}", sentence);
            prop_assert!(sentence.ends_with('.') && !sentence.contains("  "), "{}", sentence);
            prop_assert!(!sentence.contains("secret") && !sentence.contains('@'), "{}", sentence);
            prop_assert!(!sentence.contains("K7M2QX9D") && !sentence.contains(".."), "{}", sentence);
        }
    }
}
