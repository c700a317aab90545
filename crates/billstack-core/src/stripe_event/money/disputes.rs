//! Disputes and inquiries.

use super::super::members::{identifier, list, members, number, reference, time};
use super::{currency, links_of_payment, status, units};
use crate::payments::{Dispute, DisputeStatus, Fact, FundsLine, LARGEST, Stage, Told};
use crate::time::Micros;
use serde_json::value::RawValue;

/// A dispute (<https://docs.stripe.com/api/disputes/object>). It never names a customer.
pub(super) fn dispute(object: &RawValue, at: Micros, stage: Stage) -> Told {
    let names = [
        "id",
        "status",
        "created",
        "amount",
        "currency",
        "balance_transactions",
        "charge",
        "payment_intent",
    ];
    let [id, state, created, amount, unit, lines, charge, intent] =
        members(object, names).unwrap_or_default();
    let (id, charge, intent) = (identifier(id), reference(charge), reference(intent));
    let links = links_of_payment(charge.as_ref(), intent.as_ref(), None).collect();
    let fact = || {
        let created_at = time(created).unwrap_or(at);
        let line = |line| funds(line, created_at);
        Some(Fact::Dispute(Dispute {
            id: id?,
            at,
            stage,
            created_at,
            status: status(state, DisputeStatus::read, DisputeStatus::Other)?,
            amount: units(amount)?,
            currency: currency(unit)?,
            lines: list(lines).into_iter().filter_map(line).collect(),
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

fn funds(line: &RawValue, opened_at: Micros) -> Option<FundsLine> {
    let [created, amount] = members(line, ["created", "amount"])?;
    Some(FundsLine {
        at: time(created).unwrap_or(opened_at),
        amount: number(amount).filter(|units| (-LARGEST..=LARGEST).contains(units))?,
    })
}
