//! Strict reading of the JSON bodies of our own API.
//!
//! Two readers of one text must never disagree about it: duplicate members, lone surrogates, NUL
//! and numbers that only almost fit are refused here, once, so that neither the handlers nor the
//! two databases ever see them. Stripe's events are not read with this module.

mod check;
mod number;
mod object;
mod values;

pub use object::Object;
pub use values::{Flag, Int, JsonObject, Text, Time, Word, flag, sent, whole_number};

use serde::de::DeserializeOwned;

use crate::error::{ApiError, Reason};
use crate::http::known::Known;

/// Reads a request body as one JSON object, and that as a request.
///
/// # Errors
/// 400 `invalid_json` for anything but one well-formed object, and `invalid_request` for an object
/// that is well-formed but has duplicate members, NUL in a text, or more than 32 levels, or members
/// that are not as the request wants them; `unknown_member` for one that neither the request nor the resource
/// has. A member is named only if its name is plain.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8], known: &Known) -> Result<T, ApiError> {
    T::deserialize(read_object(bytes, known)?)
}

/// Reads a request body as one JSON object in which nothing is looked for.
///
/// # Errors
/// As [`read_json`], but for the wishes of a request.
pub fn read_object<'t>(bytes: &'t [u8], known: &'t Known) -> Result<Object<'t>, ApiError> {
    let invalid = |message: &'static str| ApiError::new(Reason::InvalidJson).message(message);
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("The body is not valid UTF-8."))?;
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(invalid("The body is empty; send a JSON object.")),
        Some(b'{') => {}
        Some(_) => return Err(invalid("The body must be a JSON object.")),
    }
    let mut object = Object::new(&known.shown);
    for (name, value) in check::members(text)? {
        check::name(&name)?;
        check::value(value).map_err(|fault| fault.into_error().field_as_sent(&name))?;
        object.add(name, value)?;
    }
    Ok(object)
}

#[cfg(test)]
mod tests;
