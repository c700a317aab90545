//! Reading what `Money` makes: invoices and their payments, charges, payment intents, refunds, disputes
//! and credit notes.

use serde_json::Value;

use super::{Answer, list, params};
use crate::books::{Books, Collection};
use crate::call::Call;
use crate::error::StripeError;
use crate::generation::Generation;

const TYPES_OF_PAYMENT: [&str; 2] = ["payment_intent", "payment_record"];

pub(super) fn invoice(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    one(call, &books.invoices, "invoice", &ids[0])
}

pub(super) fn invoices(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let filters = ["collection_method", "customer", "status", "subscription"];
    some(call, &books.invoices, "/v1/invoices", &filters)
}

pub(super) fn charge(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    one(call, &books.charges, "charge", &ids[0])
}

pub(super) fn charges(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let filters = ["customer", "payment_intent"];
    some(call, &books.charges, "/v1/charges", &filters)
}

pub(super) fn payment_intent(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    one(call, &books.payment_intents, "payment_intent", &ids[0])
}

pub(super) fn refund(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    one(call, &books.refunds, "refund", &ids[0])
}

pub(super) fn refunds(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let filters = ["charge", "payment_intent"];
    some(call, &books.refunds, "/v1/refunds", &filters)
}

pub(super) fn dispute(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    one(call, &books.disputes, "dispute", &ids[0])
}

pub(super) fn disputes(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let filters = ["charge", "payment_intent"];
    some(call, &books.disputes, "/v1/disputes", &filters)
}

pub(super) fn credit_note(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    one(call, &books.credit_notes, "credit_note", &ids[0])
}

pub(super) fn credit_notes(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let filters = ["customer", "invoice"];
    some(call, &books.credit_notes, "/v1/credit_notes", &filters)
}

pub(super) fn invoice_payment(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    since_basil(call, &format!("/v1/invoice_payments/{}", ids[0]))?;
    one(call, &books.invoice_payments, "invoice_payment", &ids[0])
}

/// Finds by invoice, and by payment intent or record; not by charge.
pub(super) fn invoice_payments(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let url = "/v1/invoice_payments";
    since_basil(call, url)?;
    let known = ["invoice", "payment", "status"];
    params::allow(call, &[&list::PAGING[..], &known].concat())?;
    let paid_by = payment(call)?;
    let mut found = matching(call, &books.invoice_payments, &["invoice", "status"])?;
    found.retain(|one| {
        paid_by
            .as_ref()
            .is_none_or(|(kind, id)| one["payment"]["type"] == *kind && one["payment"][kind] == *id)
    });
    list::page(call, url, found)
}

/// The payment asked for: its type and its id.
fn payment(call: &Call) -> Result<Option<(String, Value)>, StripeError> {
    let Some(payment) = call.params.get("payment") else {
        return Ok(None);
    };
    let kind = payment["type"].as_str().unwrap_or_default();
    if !TYPES_OF_PAYMENT.contains(&kind) {
        let message = format!(
            "Invalid payment[type]: must be one of {}",
            TYPES_OF_PAYMENT.join(", ")
        );
        return Err(StripeError::parameter(
            "parameter_invalid",
            "payment[type]",
            message,
        ));
    }
    match &payment[kind] {
        Value::Null => {
            let name = format!("payment[{kind}]");
            let message = format!("Missing required param: {name}.");
            Err(StripeError::parameter("parameter_missing", &name, message))
        }
        id => Ok(Some((kind.to_owned(), id.clone()))),
    }
}

fn since_basil(call: &Call, path: &str) -> Result<(), StripeError> {
    if call.generation < Generation::Basil {
        return Err(StripeError::unknown_route("GET", path));
    }
    Ok(())
}

fn one(call: &Call, collection: &Collection, noun: &str, id: &str) -> Answer {
    params::allow(call, &[])?;
    let found = collection.get(id).cloned();
    found.ok_or_else(|| StripeError::missing(noun, id, "id"))
}

fn some(call: &Call, collection: &Collection, url: &str, filters: &[&str]) -> Answer {
    params::allow(call, &[&list::PAGING[..], filters].concat())?;
    list::page(call, url, matching(call, collection, filters)?)
}

/// The objects whose members are as the parameters of the same names say.
fn matching<'a>(
    call: &Call,
    collection: &'a Collection,
    filters: &[&str],
) -> Result<Vec<&'a Value>, StripeError> {
    let mut found = collection.newest_first();
    for name in filters {
        if let Some(wanted) = params::text(call, name)? {
            found.retain(|object| object[*name] == wanted);
        }
    }
    Ok(found)
}
