//! Pages of objects.

use serde_json::{Value, json};

use super::Answer;
use super::params::{integer, text};
use crate::call::Call;
use crate::error::StripeError;

/// The parameters that every list takes.
pub(super) const PAGING: [&str; 4] = ["limit", "starting_after", "ending_before", "created"];

/// One page of `objects`, which are newest first.
pub(super) fn page(call: &Call, url: &str, objects: Vec<&Value>) -> Answer {
    let limit = match integer(call, "limit")?.unwrap_or(10) {
        limit @ 1..=100 => usize::try_from(limit).unwrap_or(10),
        _ => {
            return Err(StripeError::parameter(
                "parameter_invalid_integer",
                "limit",
                "The limit is from 1 to 100.",
            ));
        }
    };
    let mut objects: Vec<&Value> = objects
        .into_iter()
        .filter(|object| is_created_in(call, object))
        .collect();
    let place = |name: &str, id: &str| {
        let found = objects.iter().position(|object| object["id"] == id);
        found.ok_or_else(|| {
            StripeError::parameter("resource_missing", name, format!("No such object: '{id}'"))
        })
    };
    let has_more = match (text(call, "starting_after")?, text(call, "ending_before")?) {
        (Some(_), Some(_)) => {
            let message = "Only one of starting_after and ending_before can be used.";
            return Err(StripeError::parameter(
                "parameter_invalid",
                "ending_before",
                message,
            ));
        }
        (Some(id), None) => {
            objects.drain(..=place("starting_after", id)?);
            objects.len() > limit
        }
        (None, Some(id)) => {
            objects.truncate(place("ending_before", id)?);
            let more = objects.len().saturating_sub(limit);
            objects.drain(..more);
            more > 0
        }
        (None, None) => objects.len() > limit,
    };
    objects.truncate(limit);
    Ok(json!({"object": "list", "data": objects, "has_more": has_more, "url": url}))
}

/// Whether an object falls in the `created` range asked for: a time, or any of gt, gte, lt, lte.
fn is_created_in(call: &Call, object: &Value) -> bool {
    let created = object["created"].as_i64().unwrap_or_default();
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<i64>().ok());
    match call.params.get("created") {
        None => true,
        Some(Value::Object(bounds)) => {
            bounds
                .iter()
                .all(|(name, bound)| match (name.as_str(), number(bound)) {
                    ("gt", Some(bound)) => created > bound,
                    ("gte", Some(bound)) => created >= bound,
                    ("lt", Some(bound)) => created < bound,
                    ("lte", Some(bound)) => created <= bound,
                    _ => false,
                })
        }
        Some(exact) => number(exact) == Some(created),
    }
}
