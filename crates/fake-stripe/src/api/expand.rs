//! `expand[]`: replacing ids in an answer by the objects they name.

use serde_json::{Value, json};

use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;

/// Expands an answer as its request asks. Returns the names on the way to them, some of which are
/// not shown otherwise.
pub(super) fn apply<'a>(
    answer: &mut Value,
    books: &Books,
    call: &'a Call,
) -> Result<Vec<&'a str>, StripeError> {
    let wanted = match call.params.get("expand") {
        None => Vec::new(),
        Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).collect(),
        Some(_) => {
            return Err(StripeError::parameter(
                "parameter_invalid",
                "expand",
                "The parameter is written expand[].",
            ));
        }
    };
    for path in &wanted {
        let steps: Vec<&str> = path.split('.').collect();
        let known = expand(answer, &steps, books);
        if !known {
            let message = format!("This property cannot be expanded: {path}.");
            return Err(StripeError::parameter(
                "parameter_invalid",
                "expand",
                message,
            ));
        }
    }
    Ok(wanted.iter().flat_map(|path| path.split('.')).collect())
}

/// Follows a path and expands what it ends in; false when the path leads nowhere.
fn expand(node: &mut Value, path: &[&str], books: &Books) -> bool {
    let Some((step, rest)) = path.split_first() else {
        return true;
    };
    if *step == "data" && node["object"] == "list" {
        let mut items = node["data"].as_array_mut().into_iter().flatten();
        return items.all(|item| expand(item, rest, books));
    }
    if *step == "subscriptions"
        && node["object"] == "customer"
        && node.get("subscriptions").is_none()
    {
        node["subscriptions"] = subscriptions_of(node, books);
    }
    if *step == "cash_balance" && node["object"] == "customer" && node.get(*step).is_none() {
        node["cash_balance"] = Value::Null;
    }
    let Some(child) = node.get_mut(*step) else {
        return false;
    };
    if let Some(object) = child.as_str().and_then(|id| books.find(id)).cloned() {
        *child = object;
    }
    let leads_on = !child.is_null() && !child.is_string();
    if leads_on {
        expand(child, rest, books)
    } else {
        true
    }
}

fn subscriptions_of(customer: &Value, books: &Books) -> Value {
    let id = &customer["id"];
    let all = books.subscriptions.newest_first();
    let data: Vec<&Value> = all
        .into_iter()
        .filter(|one| one["customer"] == *id && one["status"] != "canceled")
        .collect();
    let url = format!(
        "/v1/customers/{}/subscriptions",
        id.as_str().unwrap_or_default()
    );
    json!({"object": "list", "data": data, "has_more": false, "total_count": data.len(), "url": url})
}
