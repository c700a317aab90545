//! What holds for every body that we send.

use serde_json::{Value, json};

use super::{allows, followed, operations_mut};

/// The members that are left out where there is nothing to tell; all others are null then.
const OPTIONAL: [&str; 2] = ["nextCursor", "sequence"];

/// Marks every member of an answer as required. The derived schemas treat a member that may be null as one
/// that may be missing.
pub(super) fn apply(document: &mut Value) {
    let mut named = Vec::new();
    for (_, operation) in operations_mut(document) {
        let responses = operation["responses"].as_object_mut();
        for (status, response) in responses.into_iter().flatten() {
            let schema = response.pointer_mut("/content/application~1json/schema");
            if let (true, Some(schema)) = (status.starts_with('2'), schema) {
                complete(schema, &mut named);
            }
        }
    }
    let mut done = Vec::new();
    while let Some(name) = named.pop() {
        if done.contains(&name) {
            continue;
        }
        if let Some(schema) = document["components"]["schemas"].get_mut(&name) {
            complete(schema, &mut named);
        }
        done.push(name);
    }
}

fn complete(schema: &mut Value, named: &mut Vec<String>) {
    named.extend(schema.get("$ref").and_then(followed).map(str::to_owned));
    for word in ["allOf", "anyOf", "oneOf"] {
        let parts = schema.get_mut(word).and_then(Value::as_array_mut);
        parts
            .into_iter()
            .flatten()
            .for_each(|part| complete(part, named));
    }
    if let Some(items) = schema.get_mut("items") {
        complete(items, named);
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        // Metadata, facts, a stored event: generators take an object without a word for an empty one.
        if allows(schema, "object") {
            schema["additionalProperties"] = json!(true);
        }
        return;
    };
    if let Some(cursor) = properties.get_mut("nextCursor") {
        cursor["type"] = json!("string");
    }
    let there = properties.keys();
    let there: Vec<_> = there
        .filter(|name| !OPTIONAL.contains(&name.as_str()))
        .collect();
    let there = json!(there);
    properties
        .values_mut()
        .for_each(|property| complete(property, named));
    schema["required"] = there;
}
