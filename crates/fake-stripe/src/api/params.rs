//! Reading parameters as Stripe does: unknown ones are refused, and every refusal names its parameter.

use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::StripeError;

const MOST_METADATA_KEYS: usize = 50;
const LONGEST_METADATA_KEY: usize = 40;
const LONGEST_METADATA_VALUE: usize = 500;

/// Refuses any top-level parameter that is not among these. `expand` is always known.
pub(super) fn allow(call: &Call, known: &[&str]) -> Result<(), StripeError> {
    let unknown = call
        .params
        .keys()
        .find(|name| *name != "expand" && !known.contains(&name.as_str()));
    match unknown {
        Some(name) => Err(StripeError::parameter(
            "parameter_unknown",
            name,
            format!("Received unknown parameter: {name}"),
        )),
        None => Ok(()),
    }
}

/// A text parameter; an empty one counts as absent.
pub(super) fn text<'a>(call: &'a Call, name: &str) -> Result<Option<&'a str>, StripeError> {
    match call.params.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(StripeError::parameter(
            "parameter_invalid_string",
            name,
            format!("Invalid string: {name}"),
        )),
    }
}

/// A text parameter that has to be there.
pub(super) fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, StripeError> {
    let missing = || {
        StripeError::parameter(
            "parameter_missing",
            name,
            format!("Missing required param: {name}."),
        )
    };
    text(call, name)?.ok_or_else(missing)
}

/// A whole number.
pub(super) fn integer(call: &Call, name: &str) -> Result<Option<i64>, StripeError> {
    let Some(text) = text(call, name)? else {
        return Ok(None);
    };
    let invalid = |_| {
        StripeError::parameter(
            "parameter_invalid_integer",
            name,
            format!("Invalid integer: {text}"),
        )
    };
    text.parse().map(Some).map_err(invalid)
}

/// One of a few words.
pub(super) fn choice<'a>(
    call: &'a Call,
    name: &str,
    choices: &[&str],
) -> Result<Option<&'a str>, StripeError> {
    let Some(chosen) = text(call, name)? else {
        return Ok(None);
    };
    if choices.contains(&chosen) {
        return Ok(Some(chosen));
    }
    let message = format!("Invalid {name}: must be one of {}", choices.join(", "));
    Err(StripeError::parameter("parameter_invalid", name, message))
}

/// A lower-case currency code of three letters.
pub(super) fn currency(call: &Call, name: &str) -> Result<String, StripeError> {
    let code = required(call, name)?.to_ascii_lowercase();
    if code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return Ok(code);
    }
    Err(StripeError::parameter(
        "parameter_invalid",
        name,
        format!("Invalid currency: {code}"),
    ))
}

/// Merges the `metadata` parameter into what is there: an empty value removes its key, an empty
/// parameter removes them all.
pub(super) fn merge_metadata(
    call: &Call,
    metadata: &mut Map<String, Value>,
) -> Result<(), StripeError> {
    let refuse = |message: String| StripeError::parameter("parameter_invalid", "metadata", message);
    match call.params.get("metadata") {
        None => return Ok(()),
        Some(Value::String(text)) if text.is_empty() => metadata.clear(),
        Some(Value::Object(entries)) => {
            for (key, value) in entries {
                let value = value.as_str().ok_or_else(|| {
                    refuse(format!("Metadata values are strings; '{key}' is not."))
                })?;
                if key.chars().count() > LONGEST_METADATA_KEY
                    || value.chars().count() > LONGEST_METADATA_VALUE
                {
                    return Err(refuse(format!(
                        "The metadata key '{key}' or its value is too long."
                    )));
                }
                if value.is_empty() {
                    metadata.remove(key);
                } else {
                    metadata.insert(key.clone(), Value::from(value));
                }
            }
        }
        Some(_) => return Err(refuse("Metadata is a set of named values.".to_owned())),
    }
    if metadata.len() > MOST_METADATA_KEYS {
        return Err(refuse(format!(
            "There can be at most {MOST_METADATA_KEYS} metadata keys."
        )));
    }
    Ok(())
}
