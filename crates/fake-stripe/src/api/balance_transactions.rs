//! `/v1/customers/{id}/balance_transactions`, where the id may be that of an account as well

use serde_json::{Map, Value, json};

use super::{Answer, customers, list, params};
use crate::balance::{self, Line};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;
use crate::happening::Cause;

const LONGEST_DESCRIPTION: usize = 350;

pub(super) fn create(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &["amount", "currency", "description", "metadata"])?;
    params::required(call, "amount")?;
    let amount = params::integer(call, "amount")?.unwrap_or_default();
    let currency = params::currency(call, "currency")?;
    let mut metadata = Map::new();
    params::merge_metadata(call, &mut metadata)?;
    refuse_debt(books, call, ids, amount)?;
    let line = Line {
        customer: ids[0].clone(),
        amount,
        currency,
        kind: "adjustment",
        description: description(call)?,
        metadata,
        ..Line::default()
    };
    balance::post(books, line, &Cause::from(call))
}

/// A customer with money of its own cannot owe any.
fn refuse_debt(
    books: &mut Books,
    call: &Call,
    ids: &[String],
    amount: i64,
) -> Result<(), StripeError> {
    let currency = params::currency(call, "currency")?;
    let customer = customers::existing(books, &ids[0], "id")?;
    let has_cash = customer["cash_balance"]["available"].is_object();
    if has_cash && amount > 0 && balance::balance(customer, &currency) + amount > 0 {
        let message = "A customer with a cash balance cannot have a positive balance.";
        return Err(StripeError::parameter(
            "parameter_invalid",
            "amount",
            message,
        ));
    }
    Ok(())
}

/// Only what describes a line can be changed; its amount is undone by another line.
pub(super) fn update(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &["description", "metadata"])?;
    let mut line = found(books, ids)?;
    if call.params.contains_key("description") {
        line["description"] = json!(description(call)?);
    }
    let mut metadata = line["metadata"].as_object().cloned().unwrap_or_default();
    params::merge_metadata(call, &mut metadata)?;
    line["metadata"] = Value::Object(metadata);
    books.balance_transactions.put(line.clone());
    Ok(line)
}

pub(super) fn list(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[&list::PAGING[..], &["invoice"]].concat())?;
    customers::existing(books, &ids[0], "id")?;
    let invoice = params::text(call, "invoice")?;
    let visible = call.now - books.line_delay;
    let mut lines = books.balance_transactions.newest_first();
    lines.retain(|line| {
        let is_visible = line["created"].as_i64().unwrap_or_default() <= visible;
        is_of(line, &ids[0])
            && is_visible
            && invoice.is_none_or(|invoice| line["invoice"] == invoice)
    });
    let url = format!("/v1/customers/{}/balance_transactions", ids[0]);
    list::page(call, &url, lines)
}

pub(super) fn retrieve(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    found(books, ids)
}

fn description(call: &Call) -> Result<Option<String>, StripeError> {
    let text = params::text(call, "description")?;
    if text.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        let message = format!("A description has at most {LONGEST_DESCRIPTION} characters.");
        return Err(StripeError::parameter(
            "parameter_invalid",
            "description",
            message,
        ));
    }
    Ok(text.map(str::to_owned))
}

fn found(books: &mut Books, ids: &[String]) -> Answer {
    customers::existing(books, &ids[0], "id")?;
    let lines = &books.balance_transactions;
    let line = lines.get(&ids[1]).filter(|line| is_of(line, &ids[0]));
    line.cloned()
        .ok_or_else(|| StripeError::missing("customer balance transaction", &ids[1], "transaction"))
}

fn is_of(line: &Value, id: &str) -> bool {
    line["customer"] == id || line["customer_account"] == id
}
