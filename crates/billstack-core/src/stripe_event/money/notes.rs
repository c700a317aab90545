//! Credit notes.

use super::super::members::{identifier, list, members, reference, text, time};
use super::{customers, units};
use crate::payments::{CreditNote, Fact, NamedRefund, Told};
use crate::time::Micros;
use serde_json::value::RawValue;

/// A credit note (<https://docs.stripe.com/api/credit_notes/object>). Only what it gives back of a payment counts:
/// before that it makes an invoice smaller, and nothing is lost.
pub(super) fn note(object: &RawValue, at: Micros) -> Told {
    let names = [
        "id",
        "customer",
        "customer_account",
        "invoice",
        "status",
        "created",
        "out_of_band_amount",
        "customer_balance_transaction",
    ];
    let [
        id,
        customer,
        account,
        invoice,
        state,
        created,
        out_of_band,
        to_balance,
    ] = members(object, names).unwrap_or_default();
    let (id, invoice) = (identifier(id), reference(invoice));
    let fact = || {
        Some(Fact::CreditNote(CreditNote {
            id: id?,
            at,
            created_at: time(created).unwrap_or(at),
            is_void: text(state).as_deref() == Some("void"),
            invoice: invoice?,
            paid_back: paid_back(object)?,
            out_of_band: units(out_of_band).unwrap_or(0),
            is_to_balance: reference(to_balance).is_some(),
            refunds: refunds(object),
        }))
    };
    Told {
        facts: fact().into_iter().collect(),
        links: Vec::new(),
        stripe_customers: customers([customer, account]),
    }
}

/// What it gives back of what had been paid; since the API version of 2025-05-28 it says so itself, and can do both.
fn paid_back(object: &RawValue) -> Option<i64> {
    let [post, amount, kind] = members(object, ["post_payment_amount", "amount", "type"])?;
    if let Some(post) = units(post) {
        return Some(post);
    }
    match text(kind).as_deref() {
        Some("post_payment") => units(amount),
        _ => Some(0),
    }
}

/// The refunds that it names: one up to the API version of 2025-02-24, and a list with amounts since.
fn refunds(object: &RawValue) -> Vec<NamedRefund> {
    let [one, several] = members(object, ["refund", "refunds"]).unwrap_or_default();
    let listed = list(several).into_iter().filter_map(|entry| {
        let [refund, amount] = members(entry, ["refund", "amount_refunded"])?;
        let (id, amount) = (reference(refund)?, units(amount));
        Some(NamedRefund { id, amount })
    });
    let mut refunds: Vec<NamedRefund> = listed.collect();
    let is_listed = |id: &String| refunds.iter().any(|refund| refund.id == *id);
    let one = reference(one).filter(|id| !is_listed(id));
    refunds.extend(one.map(|id| NamedRefund { id, amount: None }));
    refunds
}
