//! Customers' balances with their merchant, and the lines that change them.
//!
//! A negative amount is a credit: it lowers `balance`, which counts what the customer owes.

use serde_json::{Map, Value, json};

use crate::books::Books;
use crate::error::StripeError;
use crate::happening::Cause;
use crate::ids;

/// A line to be posted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    /// The id of the customer, or of the account that stands for it.
    pub(crate) customer: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) kind: &'static str,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) invoice: Option<String>,
    pub(crate) credit_note: Option<String>,
}

/// Posts a line, tells of the customer's new balance and returns the line.
pub(crate) fn post(books: &mut Books, line: Line, cause: &Cause) -> Result<Value, StripeError> {
    let missing = || StripeError::missing("customer", &line.customer, "id");
    let customer = books.customer_mut(&line.customer).ok_or_else(missing)?;
    let (before, previous) = change(customer, line.amount, &line.currency)?;
    let customer = customer.clone();
    let line = written(line, &customer, before, cause);
    books.balance_transactions.put(line.clone());
    books.tell("customer.updated", &customer, Some(previous), cause);
    Ok(line)
}

/// What a customer owes in a currency; below zero is a credit.
pub(crate) fn balance(customer: &Value, currency: &str) -> i64 {
    let is_default = customer["currency"].is_null() || customer["currency"] == currency;
    // The balance per currency counts the other way round: what the customer has.
    match &customer["invoice_credit_balance"][currency] {
        Value::Null if is_default => customer["balance"].as_i64().unwrap_or_default(),
        credit => -credit.as_i64().unwrap_or_default(),
    }
}

/// Books an amount on the customer. Returns the balance before, and the members that changed as they
/// were.
pub(crate) fn change(
    customer: &mut Value,
    amount: i64,
    currency: &str,
) -> Result<(i64, Value), StripeError> {
    let before = balance(customer, currency);
    let too_large = || {
        StripeError::parameter(
            "parameter_invalid_integer",
            "amount",
            "The balance would be too large.",
        )
    };
    let after = before.checked_add(amount).ok_or_else(too_large)?;
    let mut previous = json!({});
    if customer["currency"].is_null() {
        previous["currency"] = Value::Null;
        customer["currency"] = json!(currency);
    }
    customer["invoice_credit_balance"][currency] = json!(-after);
    if customer["currency"] == currency {
        previous["balance"] = json!(before);
        customer["balance"] = json!(after);
    } else {
        previous["invoice_credit_balance"] = json!({currency: -before});
    }
    Ok((before, previous))
}

/// How an object names this customer: `customer` and `customer_account`, one of which may be null.
pub(crate) fn names(customer: &Value) -> (Value, Value) {
    let id = customer["id"].clone();
    match id.as_str().is_some_and(|id| id.starts_with("acct_")) {
        true => (Value::Null, id),
        false => (id, customer["customer_account"].clone()),
    }
}

/// The id by which an object names its customer, which may be that of an account.
pub(crate) fn holder(object: &Value) -> String {
    let customer = object["customer"].as_str();
    let holder = customer.or_else(|| object["customer_account"].as_str());
    holder.unwrap_or_default().to_owned()
}

/// The line as it is kept.
pub(crate) fn written(line: Line, customer: &Value, before: i64, cause: &Cause) -> Value {
    let (named, account) = names(customer);
    json!({
        "id": ids::new("cbtxn_1", 23),
        "object": "customer_balance_transaction",
        "amount": line.amount,
        "checkout_session": null,
        "created": cause.now,
        "credit_note": line.credit_note,
        "currency": line.currency,
        "customer": named,
        "customer_account": account,
        "description": line.description,
        "ending_balance": before + line.amount,
        "invoice": line.invoice,
        "livemode": cause.livemode,
        "metadata": line.metadata,
        "type": line.kind
    })
}
