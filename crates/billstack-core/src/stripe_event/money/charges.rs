//! Charges that were refunded, and refunds.

use super::super::members::{identifier, list, members, reference, time};
use super::{currency, customers, links_of_payment, status, units};
use crate::payments::{Charge, ChargeStep, Fact, Refund, RefundStatus, Told};
use crate::time::Micros;
use serde_json::value::RawValue;

/// A charge (<https://docs.stripe.com/api/charges/object>) and what was refunded of it. It names its invoice up to
/// the API version of 2025-02-24, and lists its refunds up to that of 2022-08-01.
pub(super) fn charge(object: &RawValue, before: Option<&RawValue>, at: Micros) -> Told {
    let names = [
        "id",
        "customer",
        "invoice",
        "payment_intent",
        "amount",
        "amount_captured",
        "amount_refunded",
        "currency",
        "refunds",
    ];
    let [
        id,
        customer,
        invoice,
        intent,
        amount,
        captured,
        refunded,
        unit,
        refunds,
    ] = members(object, names).unwrap_or_default();
    let [before] = before
        .and_then(|before| members(before, ["amount_refunded"]))
        .unwrap_or_default();
    let (id, intent) = (identifier(id), reference(intent));
    let mut told = Told {
        stripe_customers: customers([customer, None]),
        ..Told::default()
    };
    let invoice = reference(invoice);
    told.links.extend(links_of_payment(
        id.as_ref(),
        intent.as_ref(),
        invoice.as_ref(),
    ));
    for one in list(refunds) {
        let inner = refund(one, at);
        told.facts.extend(inner.facts);
        told.links.extend(inner.links);
    }
    let Some(id) = id else {
        return told;
    };
    let captured = units(captured).or_else(|| units(amount));
    if let (Some(captured), Some(currency)) = (captured, currency(unit)) {
        told.facts.push(Fact::Charge(Charge {
            id: id.clone(),
            at,
            captured,
            currency,
            payment_intent: intent.clone(),
        }));
    }
    if let Some(refunded) = units(refunded).filter(|refunded| *refunded > 0) {
        told.facts.push(Fact::ChargeStep(ChargeStep {
            charge: id,
            at,
            before: units(before),
            refunded,
            payment_intent: intent,
        }));
    }
    told
}

/// A refund (<https://docs.stripe.com/api/refunds/object>).
pub(super) fn refund(object: &RawValue, at: Micros) -> Told {
    let names = [
        "id",
        "customer",
        "status",
        "created",
        "amount",
        "currency",
        "charge",
        "payment_intent",
    ];
    let [id, customer, state, created, amount, unit, charge, intent] =
        members(object, names).unwrap_or_default();
    let (id, charge, intent) = (identifier(id), reference(charge), reference(intent));
    let links = links_of_payment(charge.as_ref(), intent.as_ref(), None).collect();
    let fact = || {
        Some(Fact::Refund(Refund {
            id: id?,
            at,
            created_at: time(created).unwrap_or(at),
            status: status(state, RefundStatus::read, RefundStatus::Other)?,
            amount: units(amount)?,
            currency: currency(unit)?,
            charge,
            payment_intent: intent,
        }))
    };
    Told {
        facts: fact().into_iter().collect(),
        links,
        stripe_customers: customers([customer, None]),
    }
}
