//! `/v1/events` and, for thin events, `/v2/core/events`

use serde_json::Value;

use super::{Answer, list, params};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;

pub(super) fn list(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(
        call,
        &[&list::PAGING[..], &["type", "types", "delivery_success"]].concat(),
    )?;
    let kind = params::text(call, "type")?;
    let kinds = call.params.get("types").and_then(Value::as_array);
    let mut events = books.events.newest_first();
    events.retain(|event| {
        kind.is_none_or(|kind| matches_kind(&event["type"], kind))
            && kinds.is_none_or(|kinds| kinds.contains(&event["type"]))
    });
    list::page(call, "/v1/events", events)
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
