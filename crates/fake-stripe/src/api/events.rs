//! `/v1/events` and, for thin events, `/v2/core/events`

use serde_json::Value;

use super::{Answer, list, params};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;

const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;
const MOST_TYPES: usize = 20;

/// The events of the last 30 days, in the account's default version at their time.
pub(super) fn list(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    let known = ["type", "types", "delivery_success"];
    params::allow(call, &[&list::PAGING[..], &known].concat())?;
    let kind = params::text(call, "type")?;
    let kinds = kinds(call)?;
    if kind.is_some() && kinds.is_some() {
        return Err(refused("Only one of type and types can be used."));
    }
    let oldest = call.now - KEPT_SECONDS;
    let mut events = books.events.newest_first();
    events.retain(|event| {
        event["created"].as_i64().unwrap_or_default() >= oldest
            && kind.is_none_or(|kind| matches_kind(&event["type"], kind))
            && kinds.is_none_or(|kinds| kinds.contains(&event["type"]))
    });
    list::page(call, "/v1/events", events)
}

fn kinds(call: &Call) -> Result<Option<&Vec<Value>>, StripeError> {
    match call.params.get("types") {
        None => Ok(None),
        Some(Value::Array(kinds)) if kinds.len() <= MOST_TYPES => Ok(Some(kinds)),
        Some(Value::Array(_)) => Err(refused("There can be at most 20 types.")),
        Some(_) => Err(refused("The parameter is written types[].")),
    }
}

fn refused(message: &str) -> StripeError {
    StripeError::parameter("parameter_invalid", "types", message)
}

pub(super) fn retrieve(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    books
        .events
        .get(&ids[0])
        .cloned()
        .ok_or_else(|| StripeError::missing("event", &ids[0], "id"))
}

pub(super) fn retrieve_thin(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    books
        .thin_events
        .get(&ids[0])
        .cloned()
        .ok_or_else(|| StripeError::missing("event", &ids[0], "id"))
}

/// A kind may end in `*`, which stands for any rest.
fn matches_kind(kind: &Value, wanted: &str) -> bool {
    let kind = kind.as_str().unwrap_or_default();
    wanted
        .strip_suffix('*')
        .map_or(kind == wanted, |start| kind.starts_with(start))
}
