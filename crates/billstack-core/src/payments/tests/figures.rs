//! What comes back in the cases that happen, to the cent.

use super::*;
use crate::credit::Parts;
use crate::ledger::{Account, Transfer};

#[test]
fn the_share_of_the_payment_is_the_share_of_the_credit() {
    let first = Fact::Refund(refund("re_1", "ch_1", 600));
    let second = Fact::Refund(refund("re_2", "ch_1", 1_400));
    assert_eq!(back(&paid(2_000, [])), (0, 0));
    assert_eq!(back(&paid(2_000, [first.clone()])), (300, 150));
    assert_eq!(back(&paid(2_000, [first, second])), (1_000, 500));
}

#[test]
fn each_loss_tells_by_what() {
    let lost_by = |facts: &[Fact]| loss_causes(&paid(2_000, facts.to_vec()), &case());
    let refunded = Fact::from(refund("re_1", "ch_1", 600));
    let disputed = Fact::from(dispute("dp_1", 2_000, DisputeStatus::Lost, &[-2_000]));
    assert_eq!(lost_by(&[]), []);
    assert_eq!(
        lost_by(std::slice::from_ref(&refunded)),
        [LossCause::Refund]
    );
    assert_eq!(lost_by(&[step(0, 600, 10).into()]), [LossCause::Refund]);
    assert_eq!(
        lost_by(&[disputed, refunded]),
        [LossCause::Refund, LossCause::Dispute]
    );
    assert_eq!(lost_by(&[note(500).into()]), [LossCause::CreditNote]);
    let void = Invoice {
        at: at(50),
        status: InvoiceStatus::Void,
        ..invoice("in_1", 2_000)
    };
    assert_eq!(lost_by(&[void.into()]), [LossCause::Unpaid]);
    // What was given back is no cause.
    let failed = failed(&refund("re_1", "ch_1", 600));
    assert_eq!(lost_by(&[failed.into()]), []);
    let inquiry = dispute("dp_1", 2_000, DisputeStatus::WarningNeedsResponse, &[]);
    assert_eq!(lost_by(&[inquiry.into()]), []);
    let mut ended = Facts::default();
    let end = SubscriptionEnd {
        id: "sub_1".to_owned(),
        at: at(10),
        ended_at: at(10),
    };
    ended.take(end.into());
    assert_eq!(loss_causes(&ended, &case()), [LossCause::Ended]);
}

#[test]
fn parts_that_do_not_divide_leave_nothing_behind() {
    let mut facts = paid(2_999, []);
    let expected = [
        (999, (333, 166)),
        (1_000, (666, 333)),
        (1_000, (1_000, 500)),
    ];
    for (place, (amount, expected)) in (0..).zip(expected) {
        facts.take(Fact::Refund(refund(&format!("re_{place}"), "ch_1", amount)));
        assert_eq!(back(&facts), expected);
    }
}

#[test]
fn what_failed_was_never_lost() {
    let first = refund("re_1", "ch_1", 600);
    let canceled = Refund {
        status: RefundStatus::Canceled,
        ..failed(&first)
    };
    assert_eq!(lost([failed(&first).into()]), 0);
    assert_eq!(lost([canceled.into()]), 0);
    // It is final, also when something older is told later.
    assert_eq!(lost([failed(&first).into(), first.clone().into()]), 0);
    let again = refund("re_2", "ch_1", 600);
    assert_eq!(lost([failed(&first).into(), again.into()]), 600);
}

#[test]
fn totals_and_single_refunds_are_not_added_up() {
    let steps = [step(0, 300, 10), step(300, 600, 20), step(600, 900, 30)];
    assert_eq!(lost(steps.clone().map(Fact::from)), 900);
    // A step that never came.
    assert_eq!(lost([steps[2].clone().into()]), 900);
    assert_eq!(
        lost([steps[0].clone().into(), steps[2].clone().into()]),
        900
    );
    let singles = ["re_1", "re_2", "re_3"].map(|id| Fact::from(refund(id, "ch_1", 300)));
    assert_eq!(lost(singles.clone()), 900);
    assert_eq!(lost(steps.map(Fact::from).into_iter().chain(singles)), 900);
}

/// Where refunds are told by totals only, a failure is told by itself, and the total may go down or not.
#[test]
fn a_failure_is_known_beside_totals() {
    let gone = failed(&refund("re_1", "ch_1", 600));
    assert_eq!(lost([step(0, 600, 10).into(), gone.clone().into()]), 0);
    let from_zero = [
        step(0, 600, 10).into(),
        gone.clone().into(),
        step(0, 600, 300).into(),
    ];
    assert_eq!(lost(from_zero), 600);
    let on_top = [
        step(0, 600, 10).into(),
        gone.into(),
        step(600, 1_200, 300).into(),
    ];
    assert_eq!(lost(on_top), 600);
}

#[test]
fn a_list_of_all_refunds_replaces_the_totals() {
    let asked = |seconds| {
        Fact::RefundsListed(RefundsListed {
            charge: "ch_1".to_owned(),
            at: at(seconds),
        })
    };
    let known = Fact::from(refund("re_1", "ch_1", 300));
    let total = Fact::from(step(0, 900, 120));
    assert_eq!(lost([known.clone(), total.clone()]), 900);
    assert_eq!(lost([known.clone(), total.clone(), asked(150)]), 300);
    // What came after the question is not in its answer, and what the total repeats of it is not new.
    let later = Fact::from(step(300, 500, 200));
    assert_eq!(lost([known, total, asked(150), later]), 500);
}

/// Stripe is asked by our clock, a refund is made before its event, and both may be some seconds apart.
#[test]
fn a_refund_and_its_step_on_both_sides_of_a_list_are_one() {
    let asked = |charge: &str, seconds| {
        Fact::RefundsListed(RefundsListed {
            charge: charge.to_owned(),
            at: at(seconds),
        })
    };
    let known = Fact::from(refund("re_1", "ch_1", 600));
    let total = Fact::from(step(0, 600, 102));
    for seconds in [99, 100, 101, 102, 103, 10_000] {
        let facts = [known.clone(), total.clone(), asked("ch_1", seconds)];
        assert_eq!(lost(facts), 600, "{seconds}");
    }
    // One that only its step tells is still one, right after the list.
    let second = Fact::from(step(600, 1_000, 104));
    for seconds in [103, 104] {
        let list = asked("ch_1", seconds);
        let facts = [known.clone(), total.clone(), list, second.clone()];
        assert_eq!(lost(facts), 1_000, "{seconds}");
    }
    // Of one that failed before the list, the total tells no more.
    let undone = Fact::from(failed(&refund("re_1", "ch_1", 600)));
    let second = Fact::from(step(0, 400, 5_000));
    assert_eq!(lost([undone, asked("ch_1", 2_000), second]), 400);
    // The list of another charge says nothing of this one.
    let elsewhere = [total, asked("ch_2", 10_000)];
    assert_eq!(lost(elsewhere), 600);
}

#[test]
fn a_dispute_is_where_its_money_is() {
    use DisputeStatus::{Lost, NeedsResponse, Prevented, UnderReview, WarningClosed, Won};
    let cases: [(DisputeStatus, &[i64], i64); 12] = [
        (NeedsResponse, &[], 0),
        (NeedsResponse, &[-2_000], 2_000),
        (UnderReview, &[-2_000], 2_000),
        (Won, &[-2_000, 2_000], 0),
        (Won, &[-2_000], 2_000),
        (Lost, &[-2_000], 2_000),
        (Lost, &[], 2_000),
        (Lost, &[-2_000, 500], 1_500),
        (Lost, &[-2_000, 2_000], 0),
        (Prevented, &[], 0),
        (WarningClosed, &[], 0),
        (DisputeStatus::read("brand_new").unwrap(), &[-2_000], 0),
    ];
    for (status, lines, expected) in cases {
        let facts = [dispute("dp_1", 2_000, status, lines).into()];
        assert_eq!(lost(facts), expected, "{status} {lines:?}");
    }
    let partly = paid(2_000, [dispute("dp_1", 2_000, Lost, &[-2_000, 500]).into()]);
    assert_eq!(back(&partly), (750, 375));
}

#[test]
fn a_refund_and_a_dispute_take_no_more_than_there_was() {
    let refunded = Fact::from(refund("re_1", "ch_1", 600));
    let open = dispute("dp_1", 2_000, DisputeStatus::NeedsResponse, &[-2_000]);
    let mut facts = paid(2_000, [refunded, open.into()]);
    assert_eq!((lost_of(&facts), back(&facts)), (2_000, (1_000, 500)));
    let won = dispute("dp_1", 2_000, DisputeStatus::Won, &[-2_000, 2_000]);
    facts.take(won.into());
    assert_eq!((lost_of(&facts), back(&facts)), (600, (300, 150)));
    facts.take(refund("re_2", "ch_1", 1_400).into());
    assert_eq!(back(&facts), (1_000, 500));
}

#[test]
fn disputes_may_be_larger_smaller_several_and_in_another_currency() {
    let bundled = dispute("dp_1", 15_000, DisputeStatus::NeedsResponse, &[-15_000]);
    assert_eq!(back(&paid(5_000, [bundled.into()])), (1_000, 500));
    let small = |id| dispute(id, 500, DisputeStatus::NeedsResponse, &[-500]);
    assert_eq!(lost([small("dp_1").into(), small("dp_2").into()]), 1_000);
    // What it moves is in the currency in which the business is paid: only the ratio counts.
    let euros = dispute("dp_1", 2_000, DisputeStatus::Lost, &[-1_800, 450]);
    assert_eq!(lost([euros.into()]), 1_500);
    let disputed_in_euros = Dispute {
        currency: Currency::parse("eur").unwrap(),
        ..dispute("dp_1", 1_800, DisputeStatus::NeedsResponse, &[-1_800])
    };
    assert_eq!(lost([disputed_in_euros.into()]), 2_000);
}

/// An appeal takes the money again.
#[test]
fn what_was_won_can_be_lost_again() {
    let lines = [-2_000, 2_000, -2_000];
    let appealed = dispute("dp_1", 2_000, DisputeStatus::AppealUnderReview, &lines);
    assert_eq!(lost([appealed.into()]), 2_000);
}

fn told_payment(id: &str, intent: &str, paid: i64) -> InvoicePayment {
    InvoicePayment {
        id: id.to_owned(),
        at: at(1),
        status: PaymentStatus::Paid,
        invoice: "in_1".to_owned(),
        paid,
        charge: None,
        payment_intent: Some(intent.to_owned()),
    }
}

#[test]
fn each_of_two_payments_loses_its_own_part() {
    let mut facts = Facts::default();
    facts.take(invoice("in_1", 3_000).into());
    for (id, intent, amount) in [("inpay_1", "pi_1", 1_000), ("inpay_2", "pi_2", 2_000)] {
        facts.take(told_payment(id, intent, amount).into());
        facts.link(link(LinkKind::IntentInvoice, intent, "in_1"));
    }
    facts.link(link(LinkKind::ChargeIntent, "ch_1", "pi_1"));
    facts.take(charge("ch_1", 1_000).into());
    facts.take(refund("re_1", "ch_1", 500).into());
    assert_eq!((lost_of(&facts), back(&facts)), (500, (166, 83)));
    // Both tell the same refund.
    facts.take(step(0, 500, 101).into());
    assert_eq!(lost_of(&facts), 500);
    let whole = dispute("dp_1", 1_000, DisputeStatus::NeedsResponse, &[-1_000]);
    facts.take(whole.into());
    assert_eq!(lost_of(&facts), 1_000);
}

/// One charge paid three invoices, and half of it was refunded.
#[test]
fn a_charge_of_several_invoices_is_shared() {
    let mut facts = Facts::default();
    facts.take(invoice("in_1", 5_000).into());
    facts.take(told_payment("inpay_1", "pi_1", 5_000).into());
    for id in ["in_2", "in_3"] {
        let payment = told_payment(&format!("inpay_{id}"), "pi_1", 5_000);
        let invoice = id.to_owned();
        facts.take(InvoicePayment { invoice, ..payment }.into());
    }
    facts.link(link(LinkKind::ChargeIntent, "ch_1", "pi_1"));
    facts.take(refund("re_1", "ch_1", 7_500).into());
    assert_eq!(lost_of(&facts), 2_500);
    facts.take(charge("ch_1", 15_000).into());
    assert_eq!(lost_of(&facts), 2_500);
}

#[test]
fn a_payment_that_was_detached_is_lost() {
    let mut facts = Facts::default();
    facts.take(invoice("in_1", 2_000).into());
    let payment = told_payment("inpay_1", "pi_1", 500);
    facts.take(payment.clone().into());
    let detached = InvoicePayment {
        status: PaymentStatus::Canceled,
        at: at(50),
        ..payment.clone()
    };
    facts.take(detached.into());
    assert_eq!(lost_of(&facts), 500);
    facts.take(
        InvoicePayment {
            at: at(60),
            ..payment
        }
        .into(),
    );
    assert_eq!(lost_of(&facts), 0);
}

#[test]
fn what_another_payment_has_paid_since_is_not_lost() {
    let mut facts = Facts::default();
    facts.take(invoice("in_1", 2_000).into());
    let first = told_payment("inpay_1", "pi_1", 2_000);
    facts.take(first.clone().into());
    facts.take(
        InvoicePayment {
            status: PaymentStatus::Canceled,
            at: at(50),
            ..first
        }
        .into(),
    );
    assert_eq!(lost_of(&facts), 2_000);
    let second = told_payment("inpay_2", "pi_2", 1_500);
    facts.take(second.into());
    assert_eq!(lost_of(&facts), 500);
    facts.take(told_payment("inpay_3", "pi_3", 500).into());
    assert_eq!(lost_of(&facts), 0);
}

#[test]
fn an_invoice_that_is_no_longer_paid_is_lost_until_it_is_again() {
    let unpaid = |status, seconds| Invoice {
        status,
        at: at(seconds),
        ..invoice("in_1", 2_000)
    };
    let states = [
        InvoiceStatus::Open,
        InvoiceStatus::Uncollectible,
        InvoiceStatus::Void,
    ];
    for status in states {
        let mut facts = paid(2_000, [unpaid(status, 50).into()]);
        assert_eq!(back(&facts), (1_000, 500), "{status}");
        facts.take(unpaid(InvoiceStatus::Paid, 60).into());
        assert_eq!(back(&facts), (0, 0), "{status}");
    }
}

#[test]
fn a_note_counts_once_beside_its_refund() {
    let with_amounts = CreditNote {
        is_to_balance: true,
        refunds: vec![named("re_1", Some(400))],
        ..note(600)
    };
    let by_id = CreditNote {
        refunds: vec![named("re_1", None)],
        ..with_amounts.clone()
    };
    let single = Fact::from(refund("re_1", "ch_1", 400));
    let total = Fact::from(step(0, 400, 101));
    for note in [with_amounts, by_id] {
        let note = Fact::from(note);
        let told = [
            vec![single.clone()],
            vec![total.clone()],
            vec![single.clone(), total.clone()],
        ];
        for refunds in told {
            let facts = paid(2_000, refunds.into_iter().chain([note.clone()]));
            assert_eq!((lost_of(&facts), back(&facts)), (600, (300, 150)));
        }
    }
}

#[test]
fn a_note_counts_in_whichever_way_it_gives_back() {
    let to_balance = CreditNote {
        is_to_balance: true,
        ..note(600)
    };
    let elsewhere = CreditNote {
        out_of_band: 600,
        ..note(600)
    };
    assert_eq!(lost([to_balance.clone().into()]), 600);
    assert_eq!(lost([elsewhere.into()]), 600);
    let voided = CreditNote {
        is_void: true,
        at: at(90),
        ..to_balance.clone()
    };
    assert_eq!(lost([voided.into(), to_balance.into()]), 0);
    assert_eq!(lost([note(0).into()]), 0);
    // The refund that it names is known by the total only, and more was refunded than it can have been.
    let unclear = CreditNote {
        is_to_balance: true,
        refunds: vec![named("re_1", None)],
        ..note(600)
    };
    assert_eq!(lost([unclear.into(), step(0, 900, 101).into()]), 900);
}

#[test]
fn only_the_first_payment_matters() {
    let second = Invoice {
        created_at: at(31 * 86_400),
        ..invoice("in_2", 2_000)
    };
    let mut facts = paid(2_000, [second.into()]);
    facts.link(link(LinkKind::ChargeInvoice, "ch_2", "in_2"));
    facts.take(refund("re_2", "ch_2", 2_000).into());
    facts.take(refund("re_3", "ch_unknown", 2_000).into());
    assert_eq!(back(&facts), (0, 0));
    // A trial and another subscription are no payments of it.
    let trial = Invoice {
        created_at: at(-10),
        ..invoice("in_0", 0)
    };
    let other = Invoice {
        created_at: at(-20),
        subscription: Some("sub_2".to_owned()),
        ..invoice("in_other", 2_000)
    };
    facts.take(trial.into());
    facts.take(other.into());
    assert_eq!(back(&facts), (0, 0));
    // An earlier one turns up, and is the one that counts.
    let earlier = Invoice {
        created_at: at(-5),
        subscription: None,
        ..invoice("in_early", 4_000)
    };
    facts.take(earlier.into());
    facts.link(link(LinkKind::InvoiceSubscription, "in_early", "sub_1"));
    facts.link(link(LinkKind::ChargeInvoice, "ch_early", "in_early"));
    facts.take(refund("re_4", "ch_early", 1_000).into());
    assert_eq!(back(&facts), (250, 125));
}

#[test]
fn shares_are_rounded_to_what_can_be_billed() {
    let of = |code, lost, paid| {
        let currency = Currency::parse(code).unwrap();
        target(
            Amount::new(1_010).unwrap(),
            currency,
            Loss::Part { lost, paid },
        )
        .get()
    };
    assert_eq!(of("kwd", 30, 100), 300);
    assert_eq!(of("isk", 30, 100), 300);
    assert_eq!(of("isk", 99, 100), 900);
    assert_eq!(of("usd", 30, 100), 303);
    // The whole is the whole, whatever it was.
    assert_eq!(of("kwd", 100, 100), 1_010);
}

#[test]
fn what_a_person_took_back_is_not_taken_again() {
    let of = |target, by_hand| {
        let [amount, target, by_hand] =
            [1_000, target, by_hand].map(|units| Amount::new(units).unwrap());
        wanted(amount, target, by_hand).get()
    };
    assert_eq!(of(1_000, 400), 600);
    assert_eq!(of(300, 400), 300);
    assert_eq!(of(0, 400), 0);
    assert_eq!(of(1_000, 1_000), 0);
}

/// The parts of a credit of 1000 after the moves to what is wanted, where nothing in Stripe is within reach.
fn after(parts: Parts, by_hand: i64, wanted: i64) -> Parts {
    let wanted = Amount::new(wanted).unwrap();
    let moves = moves(&parts, by_hand, wanted, Account::Customer, 0);
    let step = |parts: Parts, transfer| parts.after(transfer).unwrap();
    moves.transfers.iter().fold(parts, step)
}

#[test]
fn what_is_held_goes_first_and_what_is_gone_falls_short() {
    let whole = Parts {
        held: 300,
        available: 700,
        ..Parts::default()
    };
    let some = after(whole, 0, 500);
    assert_eq!((some.held, some.available, some.reversed), (0, 500, 500));
    let paid = Parts {
        available: 400,
        settled: 600,
        ..Parts::default()
    };
    let lost = after(paid, 0, 1_000);
    assert_eq!(
        (lost.available, lost.reversed, lost.shortfall),
        (0, 400, 600)
    );
    assert_eq!(taken(&lost, 0), 1_000);
    // What could not be taken is forgiven first.
    let part = after(lost, 0, 300);
    assert_eq!(
        (part.available, part.reversed, part.shortfall),
        (100, 300, 0)
    );
    assert_eq!(after(part, 0, 0), paid);
}

#[test]
fn a_person_and_a_loss_together_take_all_and_the_loss_gives_back_its_own() {
    let by_hand = Parts {
        available: 600,
        reversed: 400,
        ..Parts::default()
    };
    let lost = after(by_hand, 400, 600);
    assert_eq!((lost.available, lost.reversed), (0, 1_000));
    assert_eq!(after(lost, 400, 0), by_hand);
}

#[test]
fn an_invoice_converts_by_real_money() {
    let paid = |amount| invoice("in_1", amount);
    let five = Amount::new(500).unwrap();
    let converts = |invoice: &Invoice, minimum| {
        payment(invoice, minimum, USD).map(|payment| (payment.paid, payment.began_at))
    };
    assert_eq!(converts(&paid(500), five), Ok((500, Some(at(0)))));
    assert_eq!(converts(&paid(499), five), Err(NotPaid::BelowMinimum));
    assert_eq!(converts(&paid(1), Amount::ZERO), Ok((1, Some(at(0)))));
    assert_eq!(converts(&paid(0), Amount::ZERO), Err(NotPaid::NoMoney));
    let euros = Invoice {
        currency: Currency::parse("eur").unwrap(),
        is_first: false,
        ..paid(500)
    };
    assert_eq!(converts(&euros, five), Err(NotPaid::MinimumInOtherCurrency));
    assert_eq!(converts(&euros, Amount::new(1).unwrap()), Ok((500, None)));
    let open = Invoice {
        status: InvoiceStatus::Open,
        ..paid(500)
    };
    assert_eq!(converts(&open, Amount::ZERO), Err(NotPaid::Unpaid));
    let single = Invoice {
        subscription: None,
        ..paid(500)
    };
    assert_eq!(
        converts(&single, Amount::ZERO),
        Err(NotPaid::NoSubscription)
    );
    let waiting: Vec<bool> = [NotPaid::MinimumInOtherCurrency, NotPaid::NoMoney]
        .map(NotPaid::waits)
        .to_vec();
    assert_eq!(waiting, [true, false]);
}

#[test]
fn what_is_unused_in_stripe_is_taken_there_and_the_rest_falls_short() {
    let used = Parts {
        delivered: 400,
        applied: 600,
        ..Parts::default()
    };
    let wanted = |units| Amount::new(units).unwrap();
    let lost = moves(&used, 0, wanted(1_000), Account::Customer, 400);
    assert_eq!(lost.from_stripe, 400);
    let note = |from, to, units| Transfer {
        from,
        to,
        amount: wanted(units),
    };
    let short = note(Account::Memo, Account::Shortfall, 600);
    assert_eq!(lost.transfers, [short]);
    // Its line is there. Then it was not lost after all.
    let taken = Parts {
        delivered: 0,
        reversed: 400,
        shortfall: 600,
        ..used
    };
    assert_eq!(
        moves(&taken, 0, wanted(1_000), Account::Customer, 0),
        Moves::default()
    );
    let won = moves(&taken, 0, wanted(0), Account::Customer, 0);
    let forgiven = note(Account::Shortfall, Account::Memo, 600);
    let back = note(Account::Program, Account::Customer, 400);
    assert_eq!((won.transfers, won.from_stripe), (vec![forgiven, back], 0));
    // Or the invoice was voided, and what it had used is there again.
    let voided = Parts {
        delivered: 600,
        applied: 0,
        ..taken
    };
    let again = moves(&voided, 0, wanted(1_000), Account::Customer, 600);
    assert_eq!((again.transfers, again.from_stripe), (vec![forgiven], 600));
}
