//! What the strict reading of requests means for their schemas.
//!
//! Two rules hold for every body and every parameter, so they are written into the document here
//! and not at each field: a text holds no NUL, and a body holds no member that its schema does not name. What is
//! kept as it is, such as metadata, may hold any JSON.

use serde_json::{Value, json};

use super::{allows, followed, operations_mut};

/// Any text but one with NUL.
const NO_NUL: &str = r"^[^\u0000]*$";

/// The schema that stands for any value that a body may hold.
const JSON_VALUE: &str = "JsonValue";

/// Writes the rules into every request of our own API. Stripe's events are read tolerantly.
pub(super) fn apply(document: &mut Value) {
    let mut named = Vec::new();
    for (path, operation) in operations_mut(document) {
        for parameter in list_mut(&mut operation["parameters"]) {
            // In a path, a text that cannot be an id is the id of nothing.
            if parameter["in"] == "query" {
                strict(&mut parameter["schema"], &mut named);
            }
        }
        if !path.starts_with("/api/webhooks/") {
            let body = operation.pointer_mut("/requestBody/content/application~1json/schema");
            body.into_iter().for_each(|body| strict(body, &mut named));
        }
    }
    let Some(schemas) = document.pointer_mut("/components/schemas") else {
        return;
    };
    let mut done = Vec::new();
    while let Some(name) = named.pop() {
        if let (false, Some(schema)) = (done.contains(&name), schemas.get_mut(&name)) {
            strict(schema, &mut named);
            done.push(name);
        }
    }
    schemas[JSON_VALUE] = json_value();
}

fn list_mut(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}

/// Writes the rules into a schema and what lies inside; notes the schemas that it refers to.
fn strict(schema: &mut Value, named: &mut Vec<String>) {
    close(schema);
    strict_within(schema, named);
}

/// The same for a part of a composed schema: what other members there may be is said of the whole.
fn strict_within(schema: &mut Value, named: &mut Vec<String>) {
    let allows_text = allows(schema, "string");
    let Some(words) = schema.as_object_mut() else {
        return;
    };
    if let Some(name) = words.get("$ref").and_then(followed) {
        named.push(name.to_owned());
    }
    let told = ["enum", "const", "pattern", "format"];
    if allows_text && !told.iter().any(|word| words.contains_key(*word)) {
        words.insert("pattern".into(), json!(NO_NUL));
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        for part in words.get_mut(word).into_iter().flat_map(list_mut) {
            strict_within(part, named);
        }
    }
    if let Some(items) = words.get_mut("items") {
        strict(items, named);
    }
    if let Some(Value::Object(properties)) = words.get_mut("properties") {
        for property in properties.values_mut() {
            strict(property, named);
        }
    }
}

/// Says which members an object may have besides those it names.
fn close(schema: &mut Value) {
    let allows_object = allows(schema, "object");
    match schema.as_object_mut() {
        Some(words) if words.contains_key("allOf") => {
            words.insert("unevaluatedProperties".into(), json!(false));
        }
        Some(words) if words.contains_key("properties") => {
            words.insert("additionalProperties".into(), json!(false));
        }
        Some(words) if allows_object => {
            words.insert("additionalProperties".into(), any());
            words.insert("propertyNames".into(), json!({"pattern": NO_NUL}));
        }
        _ => {}
    }
}

fn any() -> Value {
    json!({"$ref": format!("#/components/schemas/{JSON_VALUE}")})
}

/// Without a `type`, each word speaks of values of its own kind only.
fn json_value() -> Value {
    json!({
        "description": "Any JSON without NUL in a text or name, nested to 32 levels at most.",
        "pattern": NO_NUL,
        "items": any(),
        "propertyNames": {"pattern": NO_NUL},
        "unevaluatedProperties": any(),
    })
}
