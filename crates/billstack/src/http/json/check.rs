//! The general checks: what no member of any body may contain.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{ApiError, Reason};

/// The body itself is level one.
const MAX_DEPTH: usize = 32;

/// What is wrong with a body that is JSON all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed,
    Duplicate,
    Nul,
    TooDeep,
}

impl Fault {
    pub(super) fn into_error(self) -> ApiError {
        let (reason, message) = match self {
            Self::Malformed => (Reason::InvalidJson, "The body is not valid JSON."),
            Self::Duplicate => (
                Reason::InvalidRequest,
                "The body has two members of the same name.",
            ),
            Self::Nul => (
                Reason::InvalidRequest,
                "The body has a text with a NUL character.",
            ),
            Self::TooDeep => (Reason::InvalidRequest, "The body is nested too deeply."),
        };
        ApiError::new(reason).message(message)
    }
}

/// The members of the outermost object in the order sent, each with its literal text.
pub(super) fn members(text: &str) -> Result<Vec<(String, Box<RawValue>)>, ApiError> {
    let malformed = |_| Fault::Malformed.into_error();
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Outermost).map_err(malformed)?;
    json.end().map_err(malformed)?;
    Ok(members)
}

/// Checks the name of an outermost member.
pub(super) fn name(name: &str) -> Result<(), ApiError> {
    if name.contains('\0') {
        return Err(Fault::Nul.into_error());
    }
    Ok(())
}

/// Checks the value of an outermost member, at every depth.
pub(super) fn value(raw: &RawValue) -> Result<(), Fault> {
    let text = raw.get();
    // A number keeps its literal text and is judged by whoever reads it: the library would refuse
    // one beyond the range of a float here, before the field could be named.
    if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Ok(());
    }
    let mut fault = None;
    let check = Check {
        depth: 2,
        fault: &mut fault,
    };
    let mut json = serde_json::Deserializer::from_str(text);
    match check.deserialize(&mut json) {
        Ok(()) => Ok(()),
        Err(_) => Err(fault.unwrap_or(Fault::Malformed)),
    }
}

struct Outermost;

impl<'de> Visitor<'de> for Outermost {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// Walks a value and keeps nothing but the first fault.
///
/// A fault travels beside the library's error, whose text would have to be parsed otherwise.
struct Check<'f> {
    depth: usize,
    fault: &'f mut Option<Fault>,
}

impl Check<'_> {
    fn fail<E: Error>(self, fault: Fault) -> E {
        *self.fault = Some(fault);
        E::custom("refused")
    }

    fn inner(&mut self) -> Check<'_> {
        Check {
            depth: self.depth + 1,
            fault: self.fault,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(self.fail(Fault::Nul));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.fail(Fault::TooDeep));
        }
        while list.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.fail(Fault::TooDeep));
        }
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.contains('\0') {
                return Err(self.fail(Fault::Nul));
            }
            if !names.insert(name) {
                return Err(self.fail(Fault::Duplicate));
            }
            map.next_value_seed(self.inner())?;
        }
        Ok(())
    }
}
