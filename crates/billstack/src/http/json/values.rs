//! Values of members, each with its bounds in its type.

use std::ops::RangeInclusive;

use billstack_core::Words;
use billstack_core::time::Micros;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use super::number;

/// A text of `MIN` to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: String = serde_json::from_str(literal(deserializer)?)
            .map_err(|_| D::Error::custom("must be a string."))?;
        if text.chars().nth(MAX).is_some() {
            let message = format!("must have at most {MAX} characters.");
            return Err(D::Error::custom(message));
        }
        if text.is_empty() && MIN > 0 {
            return Err(D::Error::custom("must not be empty."));
        }
        if text.chars().count() < MIN {
            let message = format!("must have at least {MIN} characters.");
            return Err(D::Error::custom(message));
        }
        Ok(Text(text))
    }
}

/// Reads `true` or `false`.
///
/// # Errors
/// When it is anything else.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match literal(deserializer)? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(D::Error::custom("must be true or false.")),
    }
}

/// `true` or `false`, where it may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        flag(deserializer).map(Flag)
    }
}

/// One word of a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<T>(pub T);

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Option<String> = serde_json::from_str(literal(deserializer)?).ok();
        text.as_deref()
            .and_then(T::parse)
            .map(Word)
            .ok_or_else(|| D::Error::custom(format!("must be one of `{}`.", T::all().join("`, `"))))
    }
}

/// A whole number within its range, however it is written (`1000`, `1000.0`, `1e3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int<const LOW: i64, const HIGH: i64>(pub i64);

impl<'de, const LOW: i64, const HIGH: i64> Deserialize<'de> for Int<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole_number(deserializer, LOW..=HIGH, Some).map(Int)
    }
}

/// Reads a whole number within a range as what it counts.
///
/// # Errors
/// When it is not a number, has a fraction, is out of range or `of` knows nothing for it.
pub fn whole_number<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    range: RangeInclusive<i64>,
    of: impl FnOnce(i64) -> Option<T>,
) -> Result<T, D::Error> {
    let number = number::integer(literal(deserializer)?).filter(|number| range.contains(number));
    number.and_then(of).ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        D::Error::custom(format!("must be a whole number from {low} to {high}."))
    })
}

/// An RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Micros);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Option<String> = serde_json::from_str(literal(deserializer)?).ok();
        let time = text.as_deref().and_then(Micros::from_rfc3339);
        time.map(Time).ok_or_else(|| {
            D::Error::custom("must be a time such as 2030-01-31T09:30:00Z (RFC 3339).")
        })
    }
}

/// The compact text of an object of at most `MAX` bytes.
///
/// Only white space is taken away: order, escapes and numbers stay as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonObject<const MAX: usize>(pub String);

impl<'de, const MAX: usize> Deserialize<'de> for JsonObject<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = literal(deserializer)?;
        if !raw.starts_with('{') {
            return Err(D::Error::custom("must be an object."));
        }
        let text = compact(raw);
        if text.len() > MAX {
            return Err(D::Error::custom(format!("must have at most {MAX} bytes.")));
        }
        Ok(JsonObject(text))
    }
}

/// Tells a member of a PATCH that is left out from one that is `null`: with `default` beside it, the
/// outer `Option` says whether it was sent.
///
/// # Errors
/// When the value cannot be read.
pub fn sent<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The literal text of a value that must not be `null`.
fn literal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de str, D::Error> {
    match <&RawValue>::deserialize(deserializer)?.get() {
        "null" => Err(D::Error::custom("is required.")),
        literal => Ok(literal),
    }
}

/// Takes the white space between the tokens of valid JSON away.
pub(super) fn compact(json: &str) -> String {
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
