//! Strict reading of the JSON bodies of our own API.
//!
//! Two readers of one text must never disagree about it: duplicate members, lone surrogates, NUL
//! and numbers that only almost fit are refused here, once, so that neither the handlers nor the
//! two databases ever see them. Stripe's events are not read with this module.

mod check;
mod number;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use billstack_core::time::Micros;
use serde_json::value::RawValue;

use crate::error::{ApiError, Reason};

/// A body that passed every general check; members are read by name and type.
///
/// Members nobody asks for have no effect.
#[derive(Debug)]
pub struct JsonObject {
    members: BTreeMap<String, Box<RawValue>>,
}

/// Whether a member was sent: in a PATCH, leaving it out and sending `null` differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// The member is not in the body.
    Absent,
    /// The member is `null`.
    Null,
    /// The member has a value.
    Present,
}

/// Reads a request body as one JSON object.
///
/// # Errors
/// 400 `invalid_json` for anything but one well-formed object, and `invalid_request` for an object
/// that is well-formed but has duplicate members, NUL in a text, or more than 32 levels. The texts
/// are fixed; a member is named only if its name is plain.
pub fn read_json(bytes: &[u8]) -> Result<JsonObject, ApiError> {
    let invalid = |message: &'static str| ApiError::new(Reason::InvalidJson).message(message);
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("The body is not valid UTF-8."))?;
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(invalid("The body is empty; send a JSON object.")),
        Some(b'{') => {}
        Some(_) => return Err(invalid("The body must be a JSON object.")),
    }
    let mut members = BTreeMap::new();
    for (name, value) in check::members(text)? {
        check::name(&name)?;
        check::value(&value).map_err(|fault| fault.into_error().field_as_sent(&name))?;
        if members.contains_key(&name) {
            return Err(check::Fault::Duplicate.into_error().field_as_sent(&name));
        }
        members.insert(name, value);
    }
    Ok(JsonObject { members })
}

impl JsonObject {
    /// Whether the member is absent, `null`, or has a value.
    #[must_use]
    pub fn member(&self, name: &str) -> Member {
        match self.members.get(name).map(|raw| raw.get()) {
            None => Member::Absent,
            Some("null") => Member::Null,
            Some(_) => Member::Present,
        }
    }

    /// A text of 1 to `max_chars` characters that must be there.
    ///
    /// # Errors
    /// 400 when it is absent, empty, too long or not a string.
    pub fn required_str(&self, name: &'static str, max_chars: usize) -> Result<String, ApiError> {
        self.optional_text(name, max_chars)?
            .ok_or_else(|| missing(name))
    }

    /// A text of 1 to `max_chars` characters; `null` counts as absent.
    ///
    /// # Errors
    /// 400 when it is empty, too long or not a string.
    pub fn optional_text(
        &self,
        name: &'static str,
        max_chars: usize,
    ) -> Result<Option<String>, ApiError> {
        let text = self.optional_str(name, max_chars)?;
        if text.as_deref() == Some("") {
            let message = format!("`{name}` must not be empty.");
            return Err(ApiError::invalid(name, message));
        }
        Ok(text)
    }

    /// A text of at most `max_chars` characters; `null` counts as absent.
    ///
    /// # Errors
    /// 400 when it is too long or not a string.
    pub fn optional_str(
        &self,
        name: &'static str,
        max_chars: usize,
    ) -> Result<Option<String>, ApiError> {
        let Some(raw) = self.value(name) else {
            return Ok(None);
        };
        let text: String = serde_json::from_str(raw)
            .map_err(|_| ApiError::invalid(name, format!("`{name}` must be a string.")))?;
        if text.chars().nth(max_chars).is_some() {
            let message = format!("`{name}` must have at most {max_chars} characters.");
            return Err(ApiError::invalid(name, message));
        }
        Ok(Some(text))
    }

    /// `true` or `false` that must be there.
    ///
    /// # Errors
    /// 400 when it is absent or anything else.
    pub fn required_bool(&self, name: &'static str) -> Result<bool, ApiError> {
        self.optional_bool(name)?.ok_or_else(|| missing(name))
    }

    /// `true` or `false`; `null` counts as absent.
    ///
    /// # Errors
    /// 400 when it is anything else.
    pub fn optional_bool(&self, name: &'static str) -> Result<Option<bool>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => {
                let message = format!("`{name}` must be true or false.");
                Err(ApiError::invalid(name, message))
            }
        }
    }

    /// A whole number within `range` that must be there.
    ///
    /// # Errors
    /// 400 when it is absent, not a number, has a fraction or is out of range.
    pub fn required_int(
        &self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Result<i64, ApiError> {
        self.optional_int(name, range)?.ok_or_else(|| missing(name))
    }

    /// A whole number within `range`, however it is written (`1000`, `1000.0`, `1e3`); `null`
    /// counts as absent.
    ///
    /// # Errors
    /// 400 when it is not a number, has a fraction or is out of range.
    pub fn optional_int(
        &self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, ApiError> {
        let Some(raw) = self.value(name) else {
            return Ok(None);
        };
        match number::integer(raw).filter(|n| range.contains(n)) {
            Some(number) => Ok(Some(number)),
            None => {
                let (low, high) = (range.start(), range.end());
                let message = format!("`{name}` must be a whole number from {low} to {high}.");
                Err(ApiError::invalid(name, message))
            }
        }
    }

    /// An RFC 3339 time as microseconds since 1970; `null` counts as absent.
    ///
    /// # Errors
    /// 400 when it is not a string of that form.
    pub fn optional_time(&self, name: &'static str) -> Result<Option<i64>, ApiError> {
        let Some(raw) = self.value(name) else {
            return Ok(None);
        };
        let text: Option<String> = serde_json::from_str(raw).ok();
        match text.as_deref().and_then(Micros::from_rfc3339) {
            Some(Micros(micros)) => Ok(Some(micros)),
            None => {
                let message =
                    format!("`{name}` must be a time such as 2030-01-31T09:30:00Z (RFC 3339).");
                Err(ApiError::invalid(name, message))
            }
        }
    }

    /// The compact text of an object of at most `max_bytes` bytes; `null` counts as absent.
    ///
    /// Only white space is taken away: order, escapes and numbers stay as they were sent.
    ///
    /// # Errors
    /// 400 when it is too large or not an object.
    pub fn optional_object(
        &self,
        name: &'static str,
        max_bytes: usize,
    ) -> Result<Option<String>, ApiError> {
        let Some(raw) = self.value(name) else {
            return Ok(None);
        };
        if !raw.starts_with('{') {
            return Err(ApiError::invalid(
                name,
                format!("`{name}` must be an object."),
            ));
        }
        let text = compact(raw);
        if text.len() > max_bytes {
            let message = format!("`{name}` must have at most {max_bytes} bytes.");
            return Err(ApiError::invalid(name, message));
        }
        Ok(Some(text))
    }

    /// A list of at most `max_items` texts of at most `max_chars` characters each; `null` counts
    /// as absent.
    ///
    /// # Errors
    /// 400 when it is too long or not a list of strings.
    pub fn optional_str_list(
        &self,
        name: &'static str,
        max_items: usize,
        max_chars: usize,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let Some(raw) = self.value(name) else {
            return Ok(None);
        };
        let list: Option<Vec<String>> = serde_json::from_str(raw).ok();
        let fits = |list: &Vec<String>| {
            list.len() <= max_items && list.iter().all(|t| t.chars().nth(max_chars).is_none())
        };
        match list.filter(fits) {
            Some(list) => Ok(Some(list)),
            None => {
                let message = format!(
                    "`{name}` must be a list of at most {max_items} strings of at most \
                     {max_chars} characters."
                );
                Err(ApiError::invalid(name, message))
            }
        }
    }

    /// The literal text of a member that is there and not `null`.
    fn value(&self, name: &str) -> Option<&str> {
        let raw = self.members.get(name)?.get();
        (raw != "null").then_some(raw)
    }
}

fn missing(name: &'static str) -> ApiError {
    ApiError::invalid(name, format!("`{name}` is required."))
}

/// Takes the white space between the tokens of valid JSON away.
fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests;
