//! `/v1/customers/{id}/balance_transactions`
//!
//! A negative amount is a credit: it lowers `balance`, which counts what the customer owes.

use serde_json::{Map, Value, json};

use super::{Answer, customers, list, params, record};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;
use crate::generation::Generation;
use crate::ids;

pub(super) fn create(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &["amount", "currency", "description", "metadata"])?;
    let missing = || {
        StripeError::parameter(
            "parameter_missing",
            "amount",
            "Missing required param: amount.",
        )
    };
    let amount = params::integer(call, "amount")?.ok_or_else(missing)?;
    let currency = params::currency(call, "currency")?;
    let mut metadata = Map::new();
    params::merge_metadata(call, &mut metadata)?;
    let description = params::text(call, "description")?;

    let customer = customers::existing(books, &ids[0], "id")?;
    let ending_balance = post(customer, amount, &currency)?;
    let customer = customer.clone();
    let mut transaction = json!({
        "id": ids::new("cbtxn_1", 23),
        "object": "customer_balance_transaction",
        "amount": amount,
        "created": call.now,
        "credit_note": null,
        "currency": currency,
        "customer": ids[0],
        "description": description,
        "ending_balance": ending_balance,
        "invoice": null,
        "livemode": call.livemode,
        "metadata": metadata,
        "type": "adjustment"
    });
    if call.generation >= Generation::Basil {
        transaction["checkout_session"] = Value::Null;
    }
    if call.generation >= Generation::Endive {
        transaction["customer_account"] = Value::Null;
    }
    books.balance_transactions.put(transaction.clone());
    record(
        books,
        call,
        "customer.updated",
        &customer,
        Some(json!({"balance": ending_balance - amount})),
    );
    Ok(transaction)
}

/// Books an amount on the customer and returns the ending balance in that currency.
fn post(customer: &mut Value, amount: i64, currency: &str) -> Result<i64, StripeError> {
    if customer["currency"].is_null() {
        customer["currency"] = json!(currency);
    }
    let is_default = customer["currency"] == currency;
    // The balance per currency counts the other way round: what the customer has.
    let before = match &customer["invoice_credit_balance"][currency] {
        Value::Null if is_default => customer["balance"].as_i64().unwrap_or_default(),
        credit => -credit.as_i64().unwrap_or_default(),
    };
    let too_large = || {
        StripeError::parameter(
            "parameter_invalid_integer",
            "amount",
            "The balance would be too large.",
        )
    };
    let after = before.checked_add(amount).ok_or_else(too_large)?;
    customer["invoice_credit_balance"][currency] = json!(-after);
    if is_default {
        customer["balance"] = json!(after);
    }
    Ok(after)
}

pub(super) fn list(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[&list::PAGING[..], &["invoice"]].concat())?;
    customers::existing(books, &ids[0], "id")?;
    let mut transactions = books.balance_transactions.newest_first();
    transactions.retain(|transaction| transaction["customer"] == ids[0]);
    list::page(
        call,
        &format!("/v1/customers/{}/balance_transactions", ids[0]),
        transactions,
    )
}

pub(super) fn retrieve(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    customers::existing(books, &ids[0], "id")?;
    let found = books
        .balance_transactions
        .get(&ids[1])
        .filter(|transaction| transaction["customer"] == ids[0]);
    found
        .cloned()
        .ok_or_else(|| StripeError::missing("customer balance transaction", &ids[1], "transaction"))
}
