//! `/v1/customers`

use serde_json::{Map, Value, json};

use super::{Answer, list, params, record};
use crate::balance::{self, Line};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;
use crate::generation::Generation;
use crate::happening::{Cause, differences};
use crate::ids;
use crate::object::{Customer, EventObject};

const MEMBERS: [&str; 13] = [
    "address",
    "balance",
    "description",
    "email",
    "invoice_prefix",
    "invoice_settings",
    "metadata",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
    "test_clock",
];
const LONGEST_EMAIL: usize = 512;

pub(super) fn create(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let mut customer = Customer::new(&ids::new("cus_", 14))
        .created(call.now)
        .render(Generation::Endive, call.livemode);
    customer["invoice_credit_balance"] = json!({});
    assign(&mut customer, call)?;
    books.customers.put(customer.clone());
    record(books, call, "customer.created", &customer, None);
    Ok(customer)
}

pub(super) fn list(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(
        call,
        &[&list::PAGING[..], &["email", "test_clock"]].concat(),
    )?;
    let email = params::text(call, "email")?;
    let mut customers = books.customers.newest_first();
    customers.retain(|customer| {
        customer["deleted"] != true && email.is_none_or(|email| customer["email"] == email)
    });
    list::page(call, "/v1/customers", customers)
}

/// A query of `email:"…"` and `email~"…"`, joined by `OR`, without regard to case: the part of Stripe's
/// search query language that finds a customer by address (<https://docs.stripe.com/search>).
///
/// What was put in less than the books' `search_delay` ago is not found yet, as with Stripe.
pub(super) fn search(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(call, &["query", "limit", "page"])?;
    let query = params::required(call, "query")?;
    let invalid = || {
        let message = format!("We were unable to parse your search query: {query}");
        StripeError::parameter("parameter_invalid", "query", message)
    };
    let clauses: Option<Vec<_>> = query.split(" OR ").map(clause).collect();
    let clauses = clauses.ok_or_else(invalid)?;
    let visible = call.now - books.search_delay;
    let mut customers = books.customers.newest_first();
    customers.retain(|customer| {
        let email = customer["email"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase();
        let is_found = clauses.iter().any(|(exact, wanted)| match exact {
            true => email == *wanted,
            false => email.contains(wanted),
        });
        let is_visible = customer["created"].as_i64().unwrap_or_default() <= visible;
        customer["deleted"] != true && is_visible && is_found
    });
    let limit = params::integer(call, "limit")?.unwrap_or(10);
    customers.truncate(usize::try_from(limit).unwrap_or(10));
    let url = "/v1/customers/search";
    Ok(json!({
        "object": "search_result", "data": customers, "has_more": false, "next_page": null, "url": url
    }))
}

/// One clause: whether it wants the whole address, and the text in lower case.
fn clause(text: &str) -> Option<(bool, String)> {
    let (exact, quoted) = match text.trim().strip_prefix("email:") {
        Some(quoted) => (true, quoted),
        None => (false, text.trim().strip_prefix("email~")?),
    };
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let wanted = inner
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
        .to_lowercase();
    // Stripe wants three characters at least of a substring.
    (exact || wanted.chars().count() >= 3).then_some((exact, wanted))
}

pub(super) fn retrieve(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    let id = match books.customers.get(&ids[0]) {
        Some(_) => Some(ids[0].clone()),
        None => books.customer_of_account(&ids[0]),
    };
    let found = id.and_then(|id| books.customers.get(&id)).cloned();
    found.ok_or_else(|| StripeError::missing("customer", &ids[0], "id"))
}

pub(super) fn update(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    let before = existing(books, &ids[0], "id")?.clone();
    let mut customer = before.clone();
    assign(&mut customer, call)?;
    books.customers.put(customer.clone());
    adjust(books, call, &before, &customer);
    record(
        books,
        call,
        "customer.updated",
        &customer,
        Some(differences(&before, &customer)),
    );
    Ok(customer)
}

/// A balance that was set is a line like any other.
fn adjust(books: &mut Books, call: &Call, before: &Value, after: &Value) {
    let balance_of = |customer: &Value| customer["balance"].as_i64().unwrap_or_default();
    let (old, new) = (balance_of(before), balance_of(after));
    if let Some(currency) = after["currency"].as_str().filter(|_| old != new) {
        let line = Line {
            amount: new - old,
            currency: currency.to_owned(),
            kind: "adjustment",
            ..Line::default()
        };
        let line = balance::written(line, after, old, &Cause::from(call));
        books.balance_transactions.put(line);
    }
}

pub(super) fn delete(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    let customer = existing(books, &ids[0], "id")?;
    let id = customer["id"].as_str().unwrap_or_default().to_owned();
    Ok(books.delete_customer(&id, &Cause::from(call)))
}

/// A customer that has not been deleted.
pub(super) fn existing<'a>(
    books: &'a mut Books,
    id: &str,
    param: &str,
) -> Result<&'a mut Value, StripeError> {
    books
        .customer_mut(id)
        .ok_or_else(|| StripeError::missing("customer", id, param))
}

fn assign(customer: &mut Value, call: &Call) -> Result<(), StripeError> {
    params::allow(call, &MEMBERS)?;
    if let Some(email) = params::text(call, "email")? {
        let is_address = email
            .split_once('@')
            .is_some_and(|(user, domain)| !user.is_empty() && !domain.is_empty());
        if !is_address || email.len() > LONGEST_EMAIL || email.contains(char::is_whitespace) {
            return Err(StripeError::parameter(
                "email_invalid",
                "email",
                format!("Invalid email address: {email}"),
            ));
        }
    }
    if let Some(balance) = params::integer(call, "balance")? {
        customer["balance"] = json!(balance);
        if let Some(currency) = customer["currency"].as_str().map(str::to_owned) {
            customer["invoice_credit_balance"][currency] = json!(-balance);
        }
    }
    for name in ["description", "email", "name", "phone"] {
        if call.params.contains_key(name) {
            customer[name] = json!(params::text(call, name)?);
        }
    }
    for name in [
        "address",
        "invoice_prefix",
        "preferred_locales",
        "shipping",
        "tax_exempt",
        "test_clock",
    ] {
        if let Some(value) = call.params.get(name) {
            customer[name] = if value == "" {
                Value::Null
            } else {
                value.clone()
            };
        }
    }
    let mut metadata = customer["metadata"]
        .as_object()
        .cloned()
        .unwrap_or_else(Map::new);
    params::merge_metadata(call, &mut metadata)?;
    customer["metadata"] = Value::Object(metadata);
    Ok(())
}
