use super::by_hand::{NotMoved, release, reverse, settle};
use super::*;
use crate::ledger::{Account, Transfer};
use proptest::prelude::*;

fn amount(units: i64) -> Amount {
    Amount::new(units).unwrap()
}

fn terms(referrer: i64, referee: i64, hold_days: i64) -> Terms {
    Terms {
        referrer_credit_amount: amount(referrer),
        referee_credit_amount: amount(referee),
        hold_days,
        ..Terms::default()
    }
}

fn moved(parts: &Parts, transfers: &[Transfer]) -> Parts {
    let after = |parts: Parts, transfer| parts.after(transfer).unwrap();
    transfers.iter().fold(*parts, after)
}

fn granted(units: i64, to: Account) -> Parts {
    let grant = Transfer {
        from: Account::Program,
        to,
        amount: amount(units),
    };
    moved(&Parts::promised(amount(units)), &[grant])
}

#[test]
fn texts_are_stable() {
    assert_eq!(Side::parse("referee"), Some(Side::Referee));
    assert_eq!(Side::Referrer.as_str(), "referrer");
    assert_eq!(CreditKind::Manual.as_str(), "manual");
    let statuses: Vec<&str> = CreditStatus::ALL.iter().map(CreditStatus::as_str).collect();
    let expected = [
        "granted",
        "held",
        "applied",
        "partially_reversed",
        "reversed",
    ];
    assert_eq!(statuses, expected);
    assert_eq!(CreditStatus::parse("sent"), None);
}

#[test]
fn a_hold_ends_so_many_days_after_the_conversion() {
    let at = Micros::from_secs(1_000);
    assert_eq!(held_until(&terms(1, 1, 0), at), None);
    assert_eq!(held_until(&terms(1, 1, 2), at), Some(at.plus(2 * DAY)));
}

#[test]
fn a_status_follows_from_the_parts() {
    let parts = granted(1000, Account::Held);
    assert_eq!(parts.status(), CreditStatus::Held);
    let some_back = moved(&parts, &reverse(&parts, Some(amount(300)), 0).unwrap().0);
    assert_eq!(some_back.status(), CreditStatus::Held);
    let parts = moved(&some_back, &release(&some_back, None).unwrap());
    assert_eq!((parts.available, parts.reversed), (700, 300));
    assert_eq!(parts.status(), CreditStatus::PartiallyReversed);
    let gone = moved(&parts, &reverse(&parts, None, 0).unwrap().0);
    assert_eq!(gone.status(), CreditStatus::Reversed);
    let parts = granted(1000, Account::Customer);
    assert_eq!(parts.status(), CreditStatus::Granted);
    let parts = moved(&parts, &settle(&parts, Some(amount(400))).unwrap());
    assert_eq!(parts.status(), CreditStatus::Granted);
    let parts = moved(&parts, &settle(&parts, None).unwrap());
    assert_eq!(parts.status(), CreditStatus::Applied);
}

#[test]
fn the_state_forbids_before_the_amount_does() {
    let held = granted(1000, Account::Held);
    assert_eq!(
        settle(&held, Some(amount(9))),
        Err(NotMoved::IllegalTransition)
    );
    let more = Some(amount(1001));
    assert_eq!(reverse(&held, more, 0), Err(NotMoved::AmountExceedsCredit));
    let free = granted(1000, Account::Customer);
    assert_eq!(release(&free, None), Err(NotMoved::IllegalTransition));
    assert_eq!(settle(&free, more), Err(NotMoved::AmountExceedsCredit));
    let gone = moved(&free, &reverse(&free, None, 0).unwrap().0);
    assert_eq!(reverse(&gone, more, 0), Err(NotMoved::IllegalTransition));
    let paid = moved(&free, &settle(&free, None).unwrap());
    assert_eq!(reverse(&paid, None, 0), Err(NotMoved::IllegalTransition));
}

#[test]
fn what_is_held_is_taken_first() {
    let parts = Parts {
        held: 200,
        available: 500,
        reversed: 300,
        ..Parts::default()
    };
    let (transfers, _) = reverse(&parts, Some(amount(450)), 0).unwrap();
    let taken: Vec<(Account, i64)> = transfers
        .iter()
        .map(|transfer| (transfer.from, transfer.amount.get()))
        .collect();
    assert_eq!(taken, [(Account::Held, 200), (Account::Customer, 250)]);
    // In Stripe it is taken last, by a line there.
    let (transfers, from_stripe) = reverse(&parts, Some(amount(900)), 400).unwrap();
    assert_eq!((transfers.len(), from_stripe.get()), (2, 200));
    let more = reverse(&parts, Some(amount(1101)), 400);
    assert_eq!(more, Err(NotMoved::AmountExceedsCredit));
}

proptest! {
    #[test]
    fn each_promised_side_is_granted_once(
        referrer in prop_oneof![Just(0), 0..=99_999_999_i64],
        referee in prop_oneof![Just(0), 0..=99_999_999_i64],
    ) {
        let granted = grants(&terms(referrer, referee, 0));
        let expected: Vec<(Side, i64)> = [(Side::Referrer, referrer), (Side::Referee, referee)]
            .into_iter()
            .filter(|(_, amount)| *amount > 0)
            .collect();
        let actual: Vec<(Side, i64)> =
            granted.iter().map(|grant| (grant.side, grant.amount.get())).collect();
        prop_assert_eq!(actual, expected);
    }

    /// Whatever is tried, in whatever order: the parts stay possible and sum to the amount, and a refused
    /// transfer changes nothing.
    #[test]
    fn parts_always_sum_to_the_amount(
        units in 1..=1_000_i64,
        tries in prop::collection::vec((0..8_usize, 0..8_usize, 0..=1_200_i64), 0..60),
    ) {
        let mut parts = Parts::promised(amount(units));
        for (from, to, part) in tries {
            let (from, to) = (Account::ALL[from], Account::ALL[to]);
            let transfer = Transfer { from, to, amount: amount(part) };
            let Some(after) = parts.after(&transfer) else { continue };
            prop_assert!(from.may_move_to(to) && after.settled >= parts.settled);
            parts = after;
            prop_assert_eq!(parts.amount(), units);
            prop_assert!(parts.held >= 0 && parts.available >= 0 && parts.reversed >= 0);
            prop_assert!(parts.delivered >= 0 && parts.applied >= 0);
            prop_assert!((0..=units).contains(&parts.shortfall));
        }
    }

    /// What is done by hand is always a legal series of transfers of exactly what was asked.
    #[test]
    fn by_hand_only_what_is_there(
        (held, available, settled, reversed) in (0..500_i64, 0..500_i64, 0..500_i64, 0..500_i64),
        wanted in prop::option::of(1..=1_000_i64),
        which in 0..3_usize,
    ) {
        let parts = Parts { held, available, settled, reversed, ..Parts::default() };
        let wanted = wanted.map(amount);
        let (decided, there) = match which {
            0 => (release(&parts, wanted), held),
            1 => (settle(&parts, wanted), available),
            _ => (reverse(&parts, wanted, 0).map(|(moved, _)| moved), held + available),
        };
        let asked = wanted.map_or(there, Amount::get);
        match decided {
            Err(NotMoved::IllegalTransition) => prop_assert_eq!(there, 0),
            Err(NotMoved::AmountExceedsCredit) => prop_assert!(asked > there && there > 0),
            Ok(transfers) => {
                let sum: i64 = transfers.iter().map(|transfer| transfer.amount.get()).sum();
                prop_assert_eq!(sum, asked);
                prop_assert_eq!(moved(&parts, &transfers).amount(), parts.amount());
            }
        }
    }
}
