//! Holds answers against the API document: an undocumented status, reason or member is a failure
//! of whichever test met it.

use std::sync::OnceLock;

use billstack::routes;
use serde_json::Value;

use super::client::Answer;

/// The document as the server would serve it.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        serde_json::from_str(routes::document()).expect("a document of plain values")
    })
}

/// The operation behind a call, if there is one.
fn operation(answer: &Answer) -> Option<&'static Value> {
    let path = answer.path.split(['?', '#']).next().unwrap_or_default();
    let mut fitting: Vec<_> = document()["paths"]
        .as_object()?
        .iter()
        .filter(|(template, _)| fits(template, path))
        .collect();
    // A literal part goes before a variable one, as in the router.
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    let method = answer.method.as_str().to_lowercase();
    fitting.first()?.1.get(&method)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
}

/// Panics when the document does not promise this answer.
pub(crate) fn check(answer: &Answer) {
    let Some(operation) = operation(answer) else {
        return;
    };
    let response = resolved(&operation["responses"][answer.status.to_string()]);
    assert!(
        response.is_object(),
        "status not in the document: {answer:?}"
    );
    let content = &response["content"]["application/json"];
    if answer.status >= 400 {
        let example = resolved(&content["examples"][answer.reason()]);
        assert!(
            example.is_object(),
            "reason not in the document: {answer:?}"
        );
    }
    if !content.is_null() {
        let (body, schema) = (answer.json(), &content["schema"]);
        let outcome = conforms(&body, schema).and_then(|()| is_closed(&body, schema));
        if let Err(why) = outcome {
            panic!("not as documented: {why}: {answer:?}");
        }
    }
}

/// What a reference leads to, or the value itself.
pub(crate) fn resolved(value: &'static Value) -> &'static Value {
    let Some(reference) = value["$ref"].as_str() else {
        return value;
    };
    let target = document().pointer(reference.trim_start_matches('#'));
    target.unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// Every member that a schema names, with its schema; none for an object that may hold anything.
fn properties(schema: &'static Value) -> Vec<(&'static String, &'static Value)> {
    let schema = resolved(schema);
    let own = schema["properties"].as_object().into_iter().flatten();
    let parts = ["allOf", "oneOf", "anyOf"];
    let parts = parts.iter().filter_map(|word| schema[word].as_array());
    own.chain(parts.flatten().flat_map(properties)).collect()
}

/// Whether every member, however deep, is one that the document names.
fn is_closed(value: &Value, schema: &'static Value) -> Result<(), String> {
    if let Value::Array(items) = value {
        let of_items = &resolved(schema)["items"];
        return items.iter().try_for_each(|item| is_closed(item, of_items));
    }
    if let Some(choices) = resolved(schema)["oneOf"].as_array() {
        let fitting = choices.iter().filter(|one| conforms(value, one).is_ok());
        let closed = fitting.map(|one| is_closed(value, one));
        let none = || Err(format!("{value} is none of oneOf"));
        return closed.reduce(Result::or).unwrap_or_else(none);
    }
    let properties = properties(schema);
    let (Value::Object(members), false) = (value, properties.is_empty()) else {
        return Ok(());
    };
    for (name, member) in members {
        let property = properties.iter().find(|(known, _)| *known == name);
        let (_, property) = property.ok_or(format!("`{name}` is not documented"))?;
        is_closed(member, property)?;
    }
    Ok(())
}

/// Whether a value is what a schema describes. It knows the words that our document uses.
pub(crate) fn conforms(value: &Value, schema: &'static Value) -> Result<(), String> {
    let schema = resolved(schema);
    for word in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[word].as_array() {
            let fits = choices.iter().any(|one| conforms(value, one).is_ok());
            return fits
                .then_some(())
                .ok_or(format!("{value} is none of {word}"));
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().try_for_each(|part| conforms(value, part));
    }
    is_of_type(value, &schema["type"])?;
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return Err(format!("{value} is not one of {allowed:?}"));
    }
    match value {
        Value::Array(items) if schema["items"].is_object() => items
            .iter()
            .try_for_each(|item| conforms(item, &schema["items"])),
        Value::Object(members) if schema["properties"].is_object() => {
            for name in schema["required"].as_array().into_iter().flatten() {
                if !members.contains_key(name.as_str().unwrap_or_default()) {
                    return Err(format!("{name} is missing"));
                }
            }
            members
                .iter()
                .try_for_each(|(name, member)| match &schema["properties"][name] {
                    Value::Null => Ok(()),
                    property => conforms(member, property).map_err(|why| format!("{name}: {why}")),
                })
        }
        _ => Ok(()),
    }
}

fn is_of_type(value: &Value, kind: &Value) -> Result<(), String> {
    let kinds: Vec<&str> = match kind {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = kinds
        .iter()
        .any(|kind| *kind == actual || (*kind == "number" && actual == "integer"));
    fits.then_some(())
        .ok_or(format!("{value} is not {kinds:?}"))
}
