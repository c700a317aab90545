use super::*;
use crate::money::{Amount, Currency};
use crate::time::{DAY, Micros, SECOND};

mod figures;
mod sets;
mod windows;

const USD: Currency = Currency::USD;

/// A time so many seconds after the conversion.
const fn at(seconds: i64) -> Micros {
    Micros::from_secs(1_800_000_000 + seconds)
}

/// A conversion whose credits come back for half a year, with a hold of 30 days.
fn case() -> Case<'static> {
    Case {
        subscription: "sub_1",
        held_until: Some(at(0).plus(30 * DAY)),
        losses_until: Some(at(0).plus(180 * DAY)),
    }
}

fn link(kind: LinkKind, from: &str, to: &str) -> Link {
    let (from, to) = (from.to_owned(), to.to_owned());
    Link { kind, from, to }
}

fn invoice(id: &str, paid: i64) -> Invoice {
    Invoice {
        id: id.to_owned(),
        at: at(1),
        status: InvoiceStatus::Paid,
        created_at: at(0),
        paid,
        currency: USD,
        subscription: Some("sub_1".to_owned()),
        is_first: true,
    }
}

fn refund(id: &str, charge: &str, amount: i64) -> Refund {
    Refund {
        id: id.to_owned(),
        at: at(100),
        created_at: at(100),
        status: RefundStatus::Succeeded,
        amount,
        currency: USD,
        charge: Some(charge.to_owned()),
        payment_intent: None,
    }
}

fn failed(refund: &Refund) -> Refund {
    Refund {
        at: at(200),
        status: RefundStatus::Failed,
        ..refund.clone()
    }
}

fn charge(id: &str, captured: i64) -> Charge {
    Charge {
        id: id.to_owned(),
        at: at(1),
        captured,
        currency: USD,
        payment_intent: None,
    }
}

fn step(before: i64, refunded: i64, seconds: i64) -> ChargeStep {
    ChargeStep {
        charge: "ch_1".to_owned(),
        at: at(seconds),
        before: Some(before),
        refunded,
        payment_intent: None,
    }
}

fn dispute(id: &str, amount: i64, status: DisputeStatus, lines: &[i64]) -> Dispute {
    let line = |(place, amount): (i64, &i64)| FundsLine {
        at: at(1_000 + place),
        amount: *amount,
    };
    Dispute {
        id: id.to_owned(),
        at: at(1_000),
        stage: Stage::Updated,
        created_at: at(1_000),
        status,
        amount,
        currency: USD,
        lines: (0..).zip(lines).map(line).collect(),
        charge: Some("ch_1".to_owned()),
        payment_intent: None,
    }
}

fn note(paid_back: i64) -> CreditNote {
    CreditNote {
        id: "cn_1".to_owned(),
        at: at(100),
        created_at: at(100),
        is_void: false,
        invoice: "in_1".to_owned(),
        paid_back,
        out_of_band: 0,
        is_to_balance: false,
        refunds: Vec::new(),
    }
}

fn named(id: &str, amount: Option<i64>) -> NamedRefund {
    let id = id.to_owned();
    NamedRefund { id, amount }
}

/// An invoice of so much, paid by the charge `ch_1`, and these facts.
fn paid(amount: i64, facts: impl IntoIterator<Item = Fact>) -> Facts {
    let mut known = Facts::default();
    known.take(Fact::Invoice(invoice("in_1", amount)));
    known.link(link(LinkKind::ChargeInvoice, "ch_1", "in_1"));
    for fact in facts {
        known.take(fact);
    }
    known
}

/// What is lost of an invoice of 2000, by these facts.
fn lost(facts: impl IntoIterator<Item = Fact>) -> i64 {
    lost_of(&paid(2_000, facts))
}

fn lost_of(facts: &Facts) -> i64 {
    match loss(facts, &case()) {
        Loss::Nothing => 0,
        Loss::Part { lost, .. } => lost,
        Loss::Everything => panic!("the payment is known"),
    }
}

/// How much comes back of the two credits of 1000 and 500.
fn back(facts: &Facts) -> (i64, i64) {
    let loss = loss(facts, &case());
    let of = |amount| target(Amount::new(amount).unwrap(), USD, loss).get();
    (of(1_000), of(500))
}
