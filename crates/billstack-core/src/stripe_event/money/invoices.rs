//! Invoices and the payments of invoices.

use super::super::members::{identifier, is_true, list, members, reference, text, time};
use super::{Message, currency, customers, links_of_payment, status, units};
use crate::payments::{
    Fact, Invoice, InvoicePayment, InvoiceStatus, Link, LinkKind, PaymentStatus, Told,
};
use crate::time::Micros;
use serde_json::value::RawValue;

/// The members of an invoice that carry its amounts and its state.
struct Amounts<'o> {
    state: [Option<&'o RawValue>; 4],
    paid: [Option<&'o RawValue>; 4],
}

/// An invoice (<https://docs.stripe.com/api/invoices/object>). The subscription moved to `parent` in the API version
/// of 2025-03-31, which also took the charge and the payment intent away.
pub(super) fn invoice(object: &RawValue, at: Micros, message: Message) -> Told {
    let names = [
        "id",
        "customer",
        "customer_account",
        "subscription",
        "parent",
        "charge",
        "payment_intent",
        "payments",
    ];
    let [
        id,
        customer,
        account,
        subscription,
        parent,
        charge,
        intent,
        payments,
    ] = members(object, names).unwrap_or_default();
    let id = identifier(id);
    let subscription = reference(subscription).or_else(|| subscription_of(parent));
    let (charge, intent) = (reference(charge), reference(intent));

    let mut told = Told {
        stripe_customers: customers([customer, account]),
        ..Told::default()
    };
    let of = Link::between(
        LinkKind::InvoiceSubscription,
        id.as_ref(),
        subscription.as_ref(),
    );
    told.links.extend(of);
    told.links.extend(links_of_payment(
        charge.as_ref(),
        intent.as_ref(),
        id.as_ref(),
    ));
    // No event carries the payments; an answer does if they were asked for.
    for one in list(payments) {
        let inner = payment(one, at);
        told.facts.extend(inner.facts);
        told.links.extend(inner.links);
    }
    let state = members(object, ["status", "created", "currency", "billing_reason"]);
    let paid = [
        "amount_paid",
        "amount_overpaid",
        "amount_due",
        "paid_out_of_band",
    ];
    let amounts = Amounts {
        state: state.unwrap_or_default(),
        paid: members(object, paid).unwrap_or_default(),
    };
    let fact = id.and_then(|id| version(id, subscription, &amounts, at));
    // An event that an invoice is open may come after the one that it was paid, and be older. That it was opened
    // again no event tells.
    let is_open = |invoice: &Invoice| {
        let status = invoice.status;
        matches!(status, InvoiceStatus::Open | InvoiceStatus::Draft)
    };
    let is_certain = |invoice: &Invoice| matches!(message, Message::Answer) || !is_open(invoice);
    told.facts
        .extend(fact.filter(is_certain).map(Fact::Invoice));
    told
}

fn version(
    id: String,
    subscription: Option<String>,
    amounts: &Amounts<'_>,
    at: Micros,
) -> Option<Invoice> {
    let [state, created, unit, reason] = amounts.state;
    let [paid, overpaid, due, is_out_of_band] = amounts.paid;
    let paid = units(paid)?;
    // Before the API version of 2025-03-31 what was paid elsewhere is not in `amount_paid`.
    let paid = if paid == 0 && is_true(is_out_of_band) {
        units(due)?
    } else {
        (paid - units(overpaid).unwrap_or(0)).max(0)
    };
    Some(Invoice {
        id,
        at,
        status: status(state, InvoiceStatus::read, InvoiceStatus::Other)?,
        created_at: time(created).unwrap_or(at),
        paid,
        currency: currency(unit)?,
        subscription,
        is_first: text(reason).as_deref() == Some("subscription_create"),
    })
}

fn subscription_of(parent: Option<&RawValue>) -> Option<String> {
    let [details] = members(parent?, ["subscription_details"])?;
    let [subscription] = members(details?, ["subscription"])?;
    reference(subscription)
}

/// A payment of an invoice (<https://docs.stripe.com/api/invoice-payment/object>), which exists since the API version
/// of 2025-03-31.
pub(super) fn payment(object: &RawValue, at: Micros) -> Told {
    let names = ["id", "status", "invoice", "amount_paid", "payment"];
    let [id, state, invoice, paid, by] = members(object, names).unwrap_or_default();
    let [charge, intent] = by
        .and_then(|by| members(by, ["charge", "payment_intent"]))
        .unwrap_or_default();
    let (id, invoice) = (identifier(id), reference(invoice));
    let (charge, intent) = (reference(charge), reference(intent));
    let links = links_of_payment(charge.as_ref(), intent.as_ref(), invoice.as_ref()).collect();
    let fact = || {
        Some(Fact::InvoicePayment(InvoicePayment {
            id: id?,
            at,
            status: status(state, PaymentStatus::read, PaymentStatus::Other)?,
            invoice: invoice?,
            paid: units(paid)?,
            charge,
            payment_intent: intent,
        }))
    };
    Told {
        facts: fact().into_iter().collect(),
        links,
        stripe_customers: Vec::new(),
    }
}
