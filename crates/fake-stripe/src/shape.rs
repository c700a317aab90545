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
                "invoice" => invoice(members, generation, expanded),
                "line_item" => line_item(members, generation),
                "charge" => charge(members, generation, expanded),
                "payment_intent" => payment_intent(members, generation),
                "refund" => refund(members, generation),
                "credit_note" => credit_note(members, generation),
                _ => {}
            }
            members
                .values_mut()
                .for_each(|member| apply(member, generation, expanded));
        }
        _ => {}
    }
}

type Members = Map<String, Value>;

fn remove(members: &mut Members, names: &[&str]) {
    for name in names {
        members.remove(*name);
    }
}

fn customer(members: &mut Members, generation: Generation, expanded: &[&str]) {
    if generation < Generation::Endive {
        members.remove("customer_account");
    }
    for name in ["cash_balance", "invoice_credit_balance"] {
        if !expanded.contains(&name) {
            members.remove(name);
        }
    }
}

fn balance_transaction(members: &mut Members, generation: Generation) {
    if generation < Generation::Basil {
        members.remove("checkout_session");
    }
    if generation < Generation::Endive {
        members.remove("customer_account");
    }
}

/// A subscription comes as one of the newest generation, or as whatever a test put in.
fn subscription(members: &mut Members, generation: Generation) {
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
        let later = ["application", "currency", "description", "on_behalf_of"];
        remove(members, &later);
        members.remove("test_clock");
    }
}

/// What was paid elsewhere counts as paid since Basil.
fn invoice(members: &mut Members, generation: Generation, expanded: &[&str]) {
    let elsewhere = members.remove("out_of_band").and_then(|sum| sum.as_i64());
    if generation < Generation::Basil {
        if let Some(elsewhere) = elsewhere {
            let sum = |name: &str| {
                members
                    .get(name)
                    .and_then(Value::as_i64)
                    .unwrap_or_default()
            };
            let paid = sum("amount_paid") - elsewhere;
            let left = sum("amount_remaining") + elsewhere;
            members.insert("amount_paid".to_owned(), paid.into());
            members.insert("amount_remaining".to_owned(), left.into());
        }
        let later = ["amount_overpaid", "parent", "payments", "total_taxes"];
        remove(members, &later);
    } else {
        let earlier = [
            "charge",
            "paid",
            "paid_out_of_band",
            "payment_intent",
            "subscription",
            "subscription_details",
            "tax",
        ];
        remove(members, &earlier);
        if !expanded.contains(&"payments") {
            members.remove("payments");
        }
    }
    if generation < Generation::V2022November {
        remove(members, &["effective_at", "subscription_details"]);
    }
    if generation < Generation::Endive {
        members.remove("customer_account");
    }
}

fn line_item(members: &mut Members, generation: Generation) {
    match generation < Generation::Basil {
        true => members.remove("parent"),
        false => members.remove("subscription"),
    };
}

fn charge(members: &mut Members, generation: Generation, expanded: &[&str]) {
    members.remove("customer_account");
    if generation >= Generation::Basil {
        members.remove("invoice");
    }
    if generation >= Generation::V2022November && !expanded.contains(&"refunds") {
        members.remove("refunds");
    }
    if generation > Generation::V2022November {
        members.remove("dispute");
    }
}

fn payment_intent(members: &mut Members, generation: Generation) {
    if generation < Generation::Basil {
        members.remove("payment_details");
    } else {
        members.remove("invoice");
    }
    match generation < Generation::V2022November {
        true => members.remove("latest_charge"),
        false => members.remove("charges"),
    };
    if generation < Generation::Endive {
        members.remove("customer_account");
    }
}

fn refund(members: &mut Members, generation: Generation) {
    members.remove("customer_account");
    if generation < Generation::Dahlia {
        members.remove("customer");
    }
}

fn credit_note(members: &mut Members, generation: Generation) {
    match generation < Generation::Basil {
        true => members.remove("refunds"),
        false => members.remove("refund"),
    };
    if generation < Generation::BasilMay {
        remove(members, &["post_payment_amount", "pre_payment_amount"]);
        if members.get("type").is_some_and(|kind| kind == "mixed") {
            members.insert("type".to_owned(), "post_payment".into());
        }
    }
    if generation < Generation::Endive {
        members.remove("customer_account");
    }
}
