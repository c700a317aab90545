//! An example for every body, made of the examples of its members.

use serde_json::{Map, Value, json};

use super::errors::SHOWING;
use super::{followed, operations_mut};

/// Examples of members that mean the same wherever they stand.
const BY_NAME: [(&str, &str); 25] = [
    ("teamId", "team_01kgv5r3mq7x2h9d4t8w6c0b1e"),
    ("projectId", "proj_01kgv5r3mq7x2h9d4t8w6c0b1e"),
    ("customerId", "pc_01kgv5r3mq7x2h9d4t8w6c0b1e"),
    ("referrerCustomerId", "pc_01kgv5r3mq7x2h9d4t8w6c0b1e"),
    ("refereeCustomerId", "pc_01kgv6a9wn4e8r2j5s7v1k3m0p"),
    ("referralId", "ref_01kgv5r3mq7x2h9d4t8w6c0b1e"),
    ("userId", "usr_01kgv5r3mq7x2h9d4t8w6c0b1e"),
    ("keyId", "key_01kgv5r3mq7x2h9d4t8w6c0b1e"),
    ("code", "K7M2QX9D"),
    ("name", "Ada Lovelace"),
    ("email", "ada@example.com"),
    ("externalId", "user-4711"),
    ("stripeCustomerId", "cus_QXr1c2"),
    ("currency", "usd"),
    ("password", "a few words nobody guesses"),
    ("currentPassword", "a few words nobody guesses"),
    ("newPassword", "other words nobody guesses"),
    ("requestId", "9f86d081884c7d659a2feaa0"),
    ("accountName", "Acme Inc."),
    ("secretKey", "sk_test_51RfX2cQ"),
    ("publishableKey", "pk_test_51RfX2cQ"),
    ("webhookSecret", "whsec_5ac9e1bdc3f04f22a1d2f7e0b8c6a9d4"),
    (
        "rawKey",
        "bs_9f86d081884c7d659a2feaa0c55ad015a3bf4f1bd70a9c5e",
    ),
    (
        "instructions",
        "In the Stripe Dashboard, add this address as a webhook endpoint.",
    ),
    ("reason", "converted"),
];

/// A time that is past in answers; [`FUTURE`] is for what must lie ahead.
const PAST: &str = "2026-11-22T09:30:00.000Z";
const FUTURE: &str = "2046-01-31T09:30:00Z";

/// Gives every JSON body an example, and path parameters theirs.
pub(super) fn add(document: &mut Value) {
    let schemas = document["components"]["schemas"].take();
    for (_, operation) in operations_mut(document) {
        if let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") {
            illustrate(content, &schemas);
        }
        let responses = operation["responses"].as_object_mut();
        for (_, response) in responses.into_iter().flatten() {
            // Errors have theirs in the components.
            if let Some(content) = response.pointer_mut("/content/application~1json") {
                illustrate(content, &schemas);
            }
        }
    }
    let components = &mut document["components"];
    show_what_is_in_the_way(&mut components["examples"], &schemas);
    let parameters = components["parameters"].as_object_mut();
    for (name, parameter) in parameters.into_iter().flatten() {
        if let (true, Some(example)) = (parameter["in"] == "path", by_name(name)) {
            parameter["example"] = example;
        }
    }
    components["schemas"] = schemas;
}

fn illustrate(content: &mut Value, schemas: &Value) {
    if content.get("example").is_none() && content.get("examples").is_none() {
        content["example"] = example(&content["schema"], "", schemas);
    }
}

/// The refusals that carry a resource show one.
fn show_what_is_in_the_way(examples: &mut Value, schemas: &Value) {
    for of in &SHOWING {
        let shown = &schemas[of.schema_name()]["properties"][of.member];
        examples[of.reason.as_str()]["value"][of.member] = example(shown, of.member, schemas);
    }
}

/// A value that fits the schema of a member of this name.
fn example(schema: &Value, name: &str, schemas: &Value) -> Value {
    let own = schema.get("example").or(schema["examples"].get(0));
    if let Some(own) = own.or(schema.get("default")) {
        return own.clone();
    }
    if let Some(target) = schema.get("$ref").and_then(followed) {
        return example(&schemas[target], name, schemas);
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    for word in ["oneOf", "anyOf"] {
        let choices = schema[word].as_array().into_iter().flatten();
        if let Some(choice) = choices.into_iter().find(|one| one["type"] != "null") {
            return example(choice, name, schemas);
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| example(part, name, schemas));
        let members = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return members.collect::<Map<_, _>>().into();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null"),
        kind => Some(kind),
    };
    match kind.and_then(Value::as_str).unwrap_or_default() {
        "string" => text(schema, name),
        "boolean" => json!(true),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "array" => json!([example(&schema["items"], name, schemas)]),
        "object" if name == "metadata" => json!({"plan": "pro"}),
        "object" => members(schema, schemas),
        _ => Value::Null,
    }
}

fn members(schema: &Value, schemas: &Value) -> Value {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let members = properties.map(|(name, property)| {
        let value = example(property, name, schemas);
        (name.clone(), value)
    });
    let mut members = members.collect::<Map<_, _>>();
    let is_cursor = members.get("nextCursor").is_some_and(Value::is_null);
    if let (true, Some(key)) = (is_cursor, last_key(&members)) {
        members.insert("nextCursor".into(), json!(format!("5fb6c1a2d3e40.{key}")));
    }
    members.into()
}

/// What the last row of the list in an answer is found by; a cursor is a place in its own list.
fn last_key(answer: &Map<String, Value>) -> Option<&str> {
    let last = answer.values().find_map(|list| list.as_array()?.last())?;
    let keys = ["id", "userId", "code"].into_iter();
    keys.filter_map(|key| last[key].as_str()).next()
}

fn text(schema: &Value, name: &str) -> Value {
    match schema["format"].as_str() {
        Some("date-time") if name == "expiresAt" => json!(FUTURE),
        // The referral of the examples is pending, and the key in use.
        Some("date-time") if matches!(name, "convertedAt" | "revokedAt") => Value::Null,
        Some("date-time") => json!(PAST),
        _ => by_name(name).unwrap_or(Value::Null),
    }
}

fn by_name(name: &str) -> Option<Value> {
    let found = BY_NAME.iter().find(|(known, _)| *known == name);
    found.map(|(_, example)| json!(example))
}
