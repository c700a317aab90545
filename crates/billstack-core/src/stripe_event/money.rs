//! What an event, or an object that was asked for, says about payments.
//!
//! The same habit as for subscriptions: each member is read on its own, where it sits in any version since 2020,
//! and what is missing or strange is absent. An object of which too little can be read gives no fact, but still
//! the links that it names.

mod charges;
mod disputes;
mod intents;
mod invoices;
mod notes;

pub use intents::{Hint, hint_of};

use super::members::{is_object, members, number, reference, root, text, time};
use crate::money::Currency;
use crate::payments::{Fact, LARGEST, Link, LinkKind, RefundsListed, Stage, SubscriptionEnd, Told};
use crate::time::Micros;
use crate::word::Word;
use serde_json::value::RawValue;

/// What a message was, as far as it matters for reading the object in it.
#[derive(Clone, Copy)]
enum Message {
    /// An event: what it shows is of its time.
    Event,
    /// An answer of Stripe to a question.
    Answer,
}

/// Whether events of this type (without a leading `v1.`) tell of payments.
pub fn is_about_payments(kind: &str) -> bool {
    matches!(
        kind,
        "invoice.finalized"
            | "invoice.paid"
            | "invoice.payment_succeeded"
            | "invoice.voided"
            | "invoice.marked_uncollectible"
            | "invoice_payment.paid"
            | "charge.refunded"
            | "charge.refund.updated"
            | "refund.created"
            | "refund.updated"
            | "refund.failed"
            | "charge.dispute.created"
            | "charge.dispute.updated"
            | "charge.dispute.funds_withdrawn"
            | "charge.dispute.funds_reinstated"
            | "charge.dispute.closed"
            | "credit_note.created"
            | "credit_note.updated"
            | "credit_note.voided"
    )
}

/// What an event of a type (without a leading `v1.`) says; `None` when the type is none about payments. `before`
/// are the members of the object that have changed, as they were.
pub(super) fn read(
    kind: &str,
    object: &RawValue,
    before: Option<&RawValue>,
    occurred_at: Micros,
) -> Option<Told> {
    let at = second(occurred_at);
    Some(match kind {
        "invoice.finalized"
        | "invoice.paid"
        | "invoice.payment_succeeded"
        | "invoice.voided"
        | "invoice.marked_uncollectible" => invoices::invoice(object, at, Message::Event),
        "invoice_payment.paid" => invoices::payment(object, at),
        "charge.refunded" => charges::charge(object, before, at),
        "charge.refund.updated" | "refund.created" | "refund.updated" | "refund.failed" => {
            charges::refund(object, at)
        }
        "charge.dispute.created" => disputes::dispute(object, at, Stage::Created),
        "charge.dispute.updated" => disputes::dispute(object, at, Stage::Updated),
        "charge.dispute.funds_withdrawn" | "charge.dispute.funds_reinstated" => {
            disputes::dispute(object, at, Stage::Funds)
        }
        "charge.dispute.closed" => disputes::dispute(object, at, Stage::Closed),
        "credit_note.created" | "credit_note.updated" | "credit_note.voided" => {
            notes::note(object, at)
        }
        _ => return None,
    })
}

/// What an object says that Stripe showed at a time when it was asked, by its member `object`. `None` when it is no
/// object, or none about payments.
pub fn told_by(object: &[u8], asked_at: Micros) -> Option<Told> {
    let object = root(object).filter(|object| is_object(object))?;
    let at = second(asked_at);
    let [kind] = members(object, ["object"])?;
    Some(match text(kind)?.as_str() {
        "invoice" => invoices::invoice(object, at, Message::Answer),
        "invoice_payment" => invoices::payment(object, at),
        "charge" => charges::charge(object, None, at),
        "payment_intent" => intents::intent(object),
        "refund" => charges::refund(object, at),
        "dispute" => disputes::dispute(object, at, Stage::Asked),
        "credit_note" => notes::note(object, at),
        "subscription" => subscription(object, at),
        _ => return None,
    })
}

fn subscription(object: &RawValue, at: Micros) -> Told {
    let names = ["id", "ended_at", "customer", "customer_account"];
    let [id, ended_at, customer, account] = members(object, names).unwrap_or_default();
    let end = reference(id)
        .zip(time(ended_at))
        .map(|(id, ended_at)| Fact::SubscriptionEnd(SubscriptionEnd { id, at, ended_at }));
    Told {
        facts: end.into_iter().collect(),
        links: Vec::new(),
        stripe_customers: customers([customer, account]),
    }
}

/// The fact that every refund of a charge is known by its id, when Stripe has listed them all.
pub fn refunds_listed(charge: &str, asked_at: Micros) -> Fact {
    Fact::RefundsListed(RefundsListed {
        charge: charge.to_owned(),
        at: second(asked_at),
    })
}

/// A time in whole seconds, as most of Stripe's are.
pub(super) const fn second(at: Micros) -> Micros {
    Micros::from_secs(at.as_secs())
}

/// The Stripe customers that are named, each once.
pub(super) fn customers(named: [Option<&RawValue>; 2]) -> Vec<String> {
    let mut ids: Vec<String> = named
        .into_iter()
        .filter_map(reference)
        .filter(|id| super::is_customer_id(id))
        .collect();
    ids.dedup();
    ids
}

/// An amount of money, never below zero.
fn units(value: Option<&RawValue>) -> Option<i64> {
    number(value).filter(|units| (0..=LARGEST).contains(units))
}

fn currency(value: Option<&RawValue>) -> Option<Currency> {
    Currency::read(&text(value)?)
}

/// A status, read by one of the lists. What is missing or no word is unknown, like a word that is not listed.
fn status<T>(
    value: Option<&RawValue>,
    read: fn(&str) -> Option<T>,
    other: fn(Word) -> T,
) -> Option<T> {
    let told = text(value).and_then(|text| read(&text));
    told.or_else(|| Word::new("unknown").map(other))
}

/// The links between a charge and its payment intent, and between either and an invoice, as far as they are named.
fn links_of_payment(
    charge: Option<&String>,
    intent: Option<&String>,
    invoice: Option<&String>,
) -> impl Iterator<Item = Link> {
    [
        Link::between(LinkKind::ChargeIntent, charge, intent),
        Link::between(LinkKind::ChargeInvoice, charge, invoice),
        Link::between(LinkKind::IntentInvoice, intent, invoice),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
