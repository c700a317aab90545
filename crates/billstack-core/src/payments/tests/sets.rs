//! The order and the number of the messages do not matter.

use super::*;
use crate::credit::Parts;
use crate::ledger::Account;
use proptest::prelude::*;

fn any_charge() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["ch_1", "ch_2"]).prop_map(str::to_owned)
}

fn any_refund() -> impl Strategy<Value = Fact> {
    let status = prop::sample::select(RefundStatus::ALL);
    (0..3_u8, any_charge(), 0..4_i64, status, 1..2_500_i64).prop_map(
        |(id, charge, seconds, status, amount)| {
            let refund = refund(&format!("re_{id}"), &charge, amount);
            let (at, created_at) = (at(200 + seconds), at(100 + i64::from(id)));
            Fact::from(Refund {
                at,
                created_at,
                status,
                ..refund
            })
        },
    )
}

fn any_dispute() -> impl Strategy<Value = Fact> {
    let status = prop::sample::select(DisputeStatus::ALL);
    let lines = prop::collection::vec(-2_500..2_500_i64, 0..4);
    (0..2_u8, 0..4_i64, status, lines, 1..5_000_i64).prop_map(
        |(id, seconds, status, lines, amount)| {
            let dispute = dispute(&format!("dp_{id}"), amount, status, &lines);
            Fact::from(Dispute {
                at: at(seconds),
                ..dispute
            })
        },
    )
}

fn any_note() -> impl Strategy<Value = Fact> {
    let refunds = prop::collection::vec((0..3_u8, prop::option::of(0..900_i64)), 0..2);
    (0..900_i64, any::<(bool, bool)>(), refunds).prop_map(|(amount, (is_void, to), refunds)| {
        let named = |(id, amount): (u8, Option<i64>)| named(&format!("re_{id}"), amount);
        Fact::from(CreditNote {
            is_void,
            is_to_balance: to,
            refunds: refunds.into_iter().map(named).collect(),
            ..note(amount)
        })
    })
}

fn any_invoice() -> impl Strategy<Value = Fact> {
    let status = prop::sample::select(InvoiceStatus::ALL);
    (1..3_u8, 0..4_i64, status, 0..3_000_i64).prop_map(|(id, seconds, status, paid)| {
        let invoice = invoice(&format!("in_{id}"), paid);
        Fact::from(Invoice {
            at: at(seconds),
            status,
            ..invoice
        })
    })
}

fn any_payment() -> impl Strategy<Value = Fact> {
    let status = prop::sample::select(PaymentStatus::ALL);
    (0..2_u8, 0..4_i64, status, any_charge(), 0..3_000_i64).prop_map(
        |(id, seconds, status, charge, paid)| {
            Fact::from(InvoicePayment {
                id: format!("inpay_{id}"),
                at: at(seconds),
                status,
                invoice: "in_1".to_owned(),
                paid,
                charge: Some(charge),
                payment_intent: None,
            })
        },
    )
}

fn any_total() -> impl Strategy<Value = Fact> {
    let amounts = (prop::option::of(0..2_000_i64), 0..2_500_i64);
    prop_oneof![
        (any_charge(), 100..200_i64, amounts).prop_map(|(charge, seconds, (before, refunded))| {
            let step = step(0, refunded, seconds);
            Fact::from(ChargeStep {
                charge,
                before,
                ..step
            })
        }),
        (any_charge(), 0..3_000_i64).prop_map(|(id, captured)| charge(&id, captured).into()),
        (any_charge(), 0..200_i64).prop_map(|(charge, seconds)| {
            Fact::RefundsListed(RefundsListed {
                charge,
                at: at(seconds),
            })
        }),
        (0..90_i64).prop_map(|days| {
            let ended_at = at(days * 86_400);
            Fact::from(SubscriptionEnd {
                id: "sub_1".to_owned(),
                at: ended_at,
                ended_at,
            })
        }),
    ]
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        3 => any_refund(),
        2 => any_dispute(),
        1 => any_note(),
        2 => any_invoice(),
        1 => any_payment(),
        2 => any_total(),
    ]
}

fn any_link() -> impl Strategy<Value = Link> {
    prop::sample::select(vec![
        link(LinkKind::ChargeInvoice, "ch_1", "in_1"),
        link(LinkKind::ChargeInvoice, "ch_2", "in_1"),
        link(LinkKind::ChargeIntent, "ch_1", "pi_1"),
        link(LinkKind::ChargeIntent, "ch_2", "pi_1"),
        link(LinkKind::IntentInvoice, "pi_1", "in_2"),
        link(LinkKind::InvoiceSubscription, "in_2", "sub_2"),
    ])
}

fn any_facts() -> impl Strategy<Value = (Vec<Fact>, Vec<Link>)> {
    let links = prop::collection::vec(any_link(), 0..6);
    (prop::collection::vec(any_fact(), 0..24), links)
}

fn set<'f>(facts: impl IntoIterator<Item = &'f Fact>, links: &[Link]) -> Facts {
    let mut known = Facts::default();
    for fact in facts {
        known.take(fact.clone());
    }
    for link in links {
        known.link(link.clone());
    }
    known
}

fn merged(left: &Facts, right: &Facts) -> Facts {
    let mut both = left.clone();
    both.merge(right.clone());
    both
}

/// What comes back of a credit of 1000.
fn comes_back(facts: &Facts) -> i64 {
    target(Amount::new(1_000).unwrap(), USD, loss(facts, &case())).get()
}

proptest! {
    #[test]
    fn whatever_is_lost_is_lost_by_something((facts, links) in any_facts()) {
        let known = set(&facts, &links);
        let causes = loss_causes(&known, &case());
        prop_assert!(comes_back(&known) == 0 || !causes.is_empty(), "{causes:?}");
        prop_assert_eq!(
            loss(&known, &case()) == Loss::Everything,
            causes == [LossCause::Ended],
            "{:?}", causes
        );
    }

    #[test]
    fn sets_can_be_merged_in_any_way((a, la) in any_facts(), (b, lb) in any_facts(), (c, lc) in any_facts()) {
        let (a, b, c) = (set(&a, &la), set(&b, &lb), set(&c, &lc));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a);
    }

    #[test]
    fn order_and_repetition_are_no_matter(
        (facts, links) in any_facts(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let straight = set(&facts, &links);
        // Some again and again in a random order, and then the rest backwards.
        let random = order.iter().filter(|_| !facts.is_empty()).map(|place| place.get(&facts));
        let shuffled = set(random.chain(facts.iter().rev()), &links);
        prop_assert_eq!(&shuffled, &straight);
        prop_assert_eq!(loss(&shuffled, &case()), loss(&straight, &case()));
        prop_assert_eq!(postponed_until(&shuffled, &case()), postponed_until(&straight, &case()));
    }

    #[test]
    fn never_less_than_nothing_nor_more_than_all((facts, links) in any_facts()) {
        let facts = set(&facts, &links);
        prop_assert!((0..=1_000).contains(&comes_back(&facts)));
        if let Loss::Part { lost, paid } = loss(&facts, &case()) {
            prop_assert!(0 < lost && lost <= paid);
        }
    }

    #[test]
    fn a_greater_loss_takes_no_less(
        amount in 0..=99_999_999_i64,
        paid in 1..=LARGEST,
        one in 0..=LARGEST,
        other in 0..=LARGEST,
        currency in prop::sample::select(vec!["usd", "kwd", "isk"]),
    ) {
        let currency = Currency::parse(currency).unwrap();
        let amount = Amount::new(amount).unwrap();
        let of = |lost: i64| target(amount, currency, Loss::Part { lost: lost.min(paid), paid });
        let (less, more) = (one.min(other), one.max(other));
        prop_assert!(of(less) <= of(more) && of(more) <= amount);
    }

    /// Whatever is wanted one after the other, every move is legal, and what was taken is what was wanted.
    #[test]
    fn what_is_wanted_is_taken(
        (held, available, settled, by_hand) in (0..400_i64, 0..400_i64, 0..400_i64, 0..400_i64),
        targets in prop::collection::vec(0..2_000_i64, 1..8),
    ) {
        let reversed = by_hand;
        let mut parts = Parts { held, available, settled, reversed, ..Parts::default() };
        let amount = Amount::new(parts.amount()).unwrap();
        for units in targets {
            let target = Amount::new(units).unwrap().min(amount);
            let wanted = wanted(amount, target, Amount::new(by_hand).unwrap());
            let moves = moves(&parts, by_hand, wanted, Account::Customer, 0);
            for transfer in &moves.transfers {
                parts = parts.after(transfer).unwrap();
            }
            prop_assert_eq!(taken(&parts, by_hand), wanted.get());
            prop_assert_eq!((parts.amount(), parts.settled), (amount.get(), settled));
        }
    }

    #[test]
    fn a_new_refund_gives_nothing_back((facts, links) in any_facts(), amount in 1..2_500_i64) {
        let before = set(&facts, &links);
        let mut after = before.clone();
        after.take(refund("re_new", "ch_1", amount).into());
        prop_assert!(comes_back(&after) >= comes_back(&before));
    }

    #[test]
    fn facts_are_read_back_as_they_were(fact in any_fact()) {
        let kept = serde_json::to_string(&fact).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fact>(&kept).unwrap(), fact);
    }

    #[test]
    fn of_two_versions_one_is_the_later(one in any_fact(), other in any_fact()) {
        let is_later = (one.supersedes(&other), other.supersedes(&one));
        prop_assert_eq!(is_later.0 || is_later.1, one != other);
        prop_assert!(!(is_later.0 && is_later.1));
    }
}

#[test]
fn of_two_messages_of_one_second_the_further_is_later() {
    let told = |stage, status| Dispute {
        stage,
        ..dispute("dp_1", 2_000, status, &[-2_000])
    };
    let closed = Fact::from(told(Stage::Closed, DisputeStatus::Lost));
    let opened = Fact::from(told(Stage::Created, DisputeStatus::NeedsResponse));
    assert!(closed.supersedes(&opened) && !opened.supersedes(&closed));
    let longer = dispute("dp_1", 2_000, DisputeStatus::Won, &[-2_000, 2_000]);
    let older = Fact::from(Dispute {
        at: at(1),
        ..longer
    });
    assert!(older.supersedes(&closed));
    let unknown = DisputeStatus::read("brand_new").unwrap();
    assert!(opened.supersedes(&told(Stage::Closed, unknown).into()));
    let one = refund("re_1", "ch_1", 600);
    let pending = Refund {
        status: RefundStatus::Pending,
        ..one.clone()
    };
    assert!(Fact::from(one).supersedes(&pending.into()));
}
