//! `/v1/webhook_endpoints`

use serde_json::{Map, Value, json};

use super::{Answer, list, params};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;
use crate::ids;

/// How many endpoints an account may have in a mode.
const MOST: usize = 16;

const CREATE: [&str; 5] = [
    "api_version",
    "description",
    "enabled_events",
    "metadata",
    "url",
];
const UPDATE: [&str; 5] = [
    "description",
    "disabled",
    "enabled_events",
    "metadata",
    "url",
];

pub(super) fn create(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(call, &CREATE)?;
    let url = address(call)?.ok_or_else(|| missing("url"))?;
    let events = events(call)?.ok_or_else(|| missing("enabled_events"))?;
    let mut metadata = Map::new();
    params::merge_metadata(call, &mut metadata)?;
    if books.webhook_endpoints.len() >= MOST {
        let mode = if call.livemode { "live" } else { "test" };
        return Err(StripeError::bad_request(format!(
            "You have reached the maximum of {MOST} {mode} webhook endpoints."
        )));
    }
    let id = ids::new("we_1", 23);
    let secret = ids::new("whsec_", 32);
    let mut endpoint = json!({
        "id": id,
        "object": "webhook_endpoint",
        "api_version": params::text(call, "api_version")?,
        "application": null,
        "created": call.now,
        "description": params::text(call, "description")?,
        "enabled_events": events,
        "livemode": call.livemode,
        "metadata": metadata,
        "status": "enabled",
        "url": url
    });
    books.webhook_endpoints.put(endpoint.clone());
    books.webhook_secrets.insert(id, secret.clone());
    endpoint["secret"] = json!(secret);
    Ok(endpoint)
}

pub(super) fn list(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(call, &list::PAGING)?;
    let endpoints = books.webhook_endpoints.newest_first();
    list::page(call, "/v1/webhook_endpoints", endpoints)
}

pub(super) fn retrieve(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    existing(books, &ids[0]).cloned()
}

pub(super) fn update(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    let endpoint = existing(books, &ids[0])?;
    params::allow(call, &UPDATE)?;
    let mut changed = endpoint.clone();
    if let Some(url) = address(call)? {
        changed["url"] = json!(url);
    }
    if let Some(events) = events(call)? {
        changed["enabled_events"] = json!(events);
    }
    if let Some(description) = params::text(call, "description")? {
        changed["description"] = json!(description);
    }
    if let Some(disabled) = params::choice(call, "disabled", &["true", "false"])? {
        let status = if disabled == "true" {
            "disabled"
        } else {
            "enabled"
        };
        changed["status"] = json!(status);
    }
    if let Some(metadata) = changed["metadata"].as_object_mut() {
        params::merge_metadata(call, metadata)?;
    }
    *endpoint = changed.clone();
    Ok(changed)
}

pub(super) fn delete(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    existing(books, &ids[0])?;
    books.webhook_endpoints.remove(&ids[0]);
    books.webhook_secrets.remove(&ids[0]);
    Ok(json!({"id": ids[0], "object": "webhook_endpoint", "deleted": true}))
}

fn existing<'b>(books: &'b mut Books, id: &str) -> Result<&'b mut Value, StripeError> {
    let found = books.webhook_endpoints.get_mut(id);
    found.ok_or_else(|| StripeError::missing("webhook endpoint", id, "webhook_endpoint"))
}

/// Where events are to be sent: over https, or in test mode over http too.
fn address(call: &Call) -> Result<Option<&str>, StripeError> {
    let Some(url) = params::text(call, "url")? else {
        return Ok(None);
    };
    let is_fine = url.starts_with("https://") || (!call.livemode && url.starts_with("http://"));
    match is_fine {
        true => Ok(Some(url)),
        false => Err(StripeError::parameter(
            "url_invalid",
            "url",
            "Invalid URL: it must be publicly accessible, and in live mode https.",
        )),
    }
}

fn events(call: &Call) -> Result<Option<Vec<&str>>, StripeError> {
    let invalid = || {
        StripeError::parameter(
            "parameter_invalid",
            "enabled_events",
            "Invalid array of event types.",
        )
    };
    let Some(events) = call.params.get("enabled_events") else {
        return Ok(None);
    };
    let events = events.as_array().ok_or_else(invalid)?;
    let names: Option<Vec<&str>> = events.iter().map(Value::as_str).collect();
    let names = names.filter(|names| !names.is_empty() && !names.contains(&""));
    names.map(Some).ok_or_else(invalid)
}

fn missing(param: &str) -> StripeError {
    let message = format!("Missing required param: {param}.");
    StripeError::parameter("parameter_missing", param, message)
}
