//! `/v1/subscriptions`

use serde_json::{Map, Value, json};

use super::{Answer, customers, list, params, record};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;
use crate::generation::Generation;
use crate::happening::differences;
use crate::ids;
use crate::object::{EventObject, Subscription};

const DAY: i64 = 24 * 60 * 60;
const CREATE: [&str; 16] = [
    "backdate_start_date",
    "cancel_at_period_end",
    "collection_method",
    "currency",
    "customer",
    "customer_account",
    "days_until_due",
    "default_payment_method",
    "description",
    "items",
    "metadata",
    "off_session",
    "payment_behavior",
    "payment_settings",
    "trial_end",
    "trial_period_days",
];
const UPDATE: [&str; 6] = [
    "cancel_at_period_end",
    "collection_method",
    "default_payment_method",
    "description",
    "metadata",
    "trial_end",
];
const STATUSES: [&str; 10] = [
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
];

pub(super) fn create(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(call, &CREATE)?;
    let customer = params::required(call, "customer")?;
    let (price, amount, currency) = price(call)?;
    let mut metadata = Map::new();
    params::merge_metadata(call, &mut metadata)?;
    let methods = ["charge_automatically", "send_invoice"];
    let method = params::choice(call, "collection_method", &methods)?.unwrap_or(methods[0]);
    let owner = customers::existing(books, customer, "customer")?;
    if owner["currency"].is_null() {
        owner["currency"] = json!(currency);
    }

    let mut subscription = Subscription::new(&ids::new("sub_1", 23), customer)
        .created(call.now)
        .price(&price, amount, &currency)
        .collection_method(method);
    if let Some(start) = params::integer(call, "backdate_start_date")? {
        subscription = subscription.start_date(start);
    }
    let days = params::integer(call, "trial_period_days")?.filter(|days| *days > 0);
    if let Some(end) =
        params::integer(call, "trial_end")?.or(days.map(|days| call.now + days * DAY))
    {
        subscription = subscription.trial_end(end).status("trialing");
    } else if params::text(call, "payment_behavior")? == Some("default_incomplete") {
        subscription = subscription.status("incomplete");
    }
    let mut subscription = subscription.render(Generation::Endive, call.livemode);
    subscription["metadata"] = Value::Object(metadata);
    assign(&mut subscription, call)?;
    books.subscriptions.put(subscription.clone());
    record(
        books,
        call,
        "customer.subscription.created",
        &subscription,
        None,
    );
    Ok(subscription)
}

/// The price of the first item. Prices are not kept, so any id is taken for a monthly one of 20.00 usd;
/// `price_data` says its own amount and currency.
fn price(call: &Call) -> Result<(String, i64, String), StripeError> {
    let missing = |param: &str| {
        StripeError::parameter(
            "parameter_missing",
            param,
            format!("Missing required param: {param}."),
        )
    };
    let item = call
        .params
        .get("items")
        .and_then(|items| items.get(0))
        .ok_or_else(|| missing("items"))?;
    if let Some(price) = item["price"].as_str() {
        return Ok((price.to_owned(), 2000, "usd".to_owned()));
    }
    let data = item
        .get("price_data")
        .ok_or_else(|| missing("items[0][price]"))?;
    let amount = data["unit_amount"]
        .as_str()
        .and_then(|text| text.parse().ok());
    let amount = amount.ok_or_else(|| missing("items[0][price_data][unit_amount]"))?;
    let currency = data["currency"]
        .as_str()
        .ok_or_else(|| missing("items[0][price_data][currency]"))?;
    Ok((
        ids::new("price_1", 23),
        amount,
        currency.to_ascii_lowercase(),
    ))
}

pub(super) fn list(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let known = [
        "customer",
        "customer_account",
        "status",
        "price",
        "collection_method",
        "test_clock",
    ];
    params::allow(call, &[&list::PAGING[..], &known].concat())?;
    let status = params::choice(call, "status", &STATUSES)?;
    let customer = params::text(call, "customer")?;
    if let Some(id) = customer.filter(|id| books.customers.get(id).is_none()) {
        return Err(StripeError::missing("customer", id, "customer"));
    }
    let mut subscriptions = books.subscriptions.newest_first();
    subscriptions.retain(|one| {
        customer.is_none_or(|id| names(&one["customer"], id)) && has_status(one, status)
    });
    list::page(call, "/v1/subscriptions", subscriptions)
}

/// Whether a customer, which a test may have put in expanded, is this one.
fn names(customer: &Value, id: &str) -> bool {
    customer == id || customer["id"] == id
}

fn has_status(subscription: &Value, wanted: Option<&str>) -> bool {
    let status = subscription["status"].as_str().unwrap_or_default();
    match wanted {
        None => status != "canceled",
        Some("all") => true,
        Some("ended") => matches!(status, "canceled" | "incomplete_expired"),
        Some(wanted) => status == wanted,
    }
}

pub(super) fn retrieve(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    books
        .subscriptions
        .get(&ids[0])
        .cloned()
        .ok_or_else(|| StripeError::missing("subscription", &ids[0], "id"))
}

pub(super) fn update(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &UPDATE)?;
    let missing = || StripeError::missing("subscription", &ids[0], "id");
    let before = books
        .subscriptions
        .get(&ids[0])
        .cloned()
        .ok_or_else(missing)?;
    let mut subscription = before.clone();
    let mut metadata = before["metadata"].as_object().cloned().unwrap_or_default();
    params::merge_metadata(call, &mut metadata)?;
    subscription["metadata"] = Value::Object(metadata);
    assign(&mut subscription, call)?;
    if let Some(end) = params::text(call, "trial_end")? {
        let end = if end == "now" {
            call.now
        } else {
            params::integer(call, "trial_end")?.unwrap_or(call.now)
        };
        subscription["trial_end"] = json!(end);
        subscription["status"] = json!(if end > call.now { "trialing" } else { "active" });
    }
    books.subscriptions.put(subscription.clone());
    record(
        books,
        call,
        "customer.subscription.updated",
        &subscription,
        Some(differences(&before, &subscription)),
    );
    Ok(subscription)
}

fn assign(subscription: &mut Value, call: &Call) -> Result<(), StripeError> {
    if let Some(cancels) = params::choice(call, "cancel_at_period_end", &["true", "false"])? {
        subscription["cancel_at_period_end"] = json!(cancels == "true");
    }
    for name in ["collection_method", "default_payment_method", "description"] {
        if let Some(text) = params::text(call, name)? {
            subscription[name] = json!(text);
        }
    }
    Ok(())
}
