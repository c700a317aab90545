//! The shape of objects in each generation.
//!
//! The books hold the members of all generations; here those go that a generation does not have.

use serde_json::{Map, Value};

use crate::generation::Generation;

/// Gives an object, and whatever it holds, the shape of a generation. `expanded` are the names of
/// members that are shown only to those who ask.
pub(crate) fn apply(node: &mut Value, generation: Generation, expanded: &[&str]) {
    match node {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| apply(item, generation, expanded)),
        // An event has the shape of its own version.
        Value::Object(members) if members.get("object").is_some_and(|kind| kind == "event") => {}
        Value::Object(members) => {
            let kind = members.get("object").and_then(Value::as_str);
            match kind.unwrap_or_default() {
                "customer" => customer(members, generation, expanded),
                "customer_balance_transaction" => balance_transaction(members, generation),
                "subscription" => subscription(members, generation),
                _ => {}
            }
            members
                .values_mut()
                .for_each(|member| apply(member, generation, expanded));
        }
        _ => {}
    }
}

fn customer(members: &mut Map<String, Value>, generation: Generation, expanded: &[&str]) {
    if generation < Generation::Endive {
        members.remove("customer_account");
    }
    if !expanded.contains(&"invoice_credit_balance") {
        members.remove("invoice_credit_balance");
    }
}

fn balance_transaction(members: &mut Map<String, Value>, generation: Generation) {
    if generation < Generation::Basil {
        members.remove("checkout_session");
    }
    if generation < Generation::Endive {
        members.remove("customer_account");
    }
}

/// A subscription comes as one of the newest generation, or as whatever a test put in.
fn subscription(members: &mut Map<String, Value>, generation: Generation) {
    if generation < Generation::Endive {
        members.remove("customer_account");
        members.remove("status_details");
    }
    if generation < Generation::Clover {
        members.remove("billing_mode");
    }
    if generation < Generation::Basil {
        members.remove("discounts");
        members.entry("discount").or_insert(Value::Null);
        let first = members.get("items").map(|items| items["data"][0].clone());
        for name in ["current_period_start", "current_period_end"] {
            if let Some(time) = first.as_ref().and_then(|first| first.get(name)) {
                members.insert(name.to_owned(), time.clone());
            }
        }
        let items = members.get_mut("items");
        let items = items.and_then(|items| items["data"].as_array_mut());
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            for name in ["current_period_start", "current_period_end", "discounts"] {
                item.remove(name);
            }
        }
    }
    if generation < Generation::V2022 {
        for name in [
            "application",
            "currency",
            "description",
            "on_behalf_of",
            "test_clock",
        ] {
            members.remove(name);
        }
    }
}
