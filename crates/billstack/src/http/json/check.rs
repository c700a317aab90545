//! The general checks: what no member of any body may contain.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{ApiError, Reason};

/// The body and what is in it, level by level.
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
pub(super) fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, ApiError> {
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
///
/// Its grammar has been checked already, so only its texts are read. The library would make a float of
/// every number and refuse one beyond the range of a float; a number keeps its literal text and is
/// judged by whoever reads it.
pub(super) fn value(raw: &RawValue) -> Result<(), Fault> {
    let mut rest = raw.get();
    // For each list and object that is open here: the names so far, if it has names.
    let mut open: Vec<Option<HashSet<Cow<'_, str>>>> = Vec::new();
    while let Some(at) = rest.bytes().position(|byte| b"\"{}[]".contains(&byte)) {
        let from_here = &rest[at..];
        rest = &from_here[1..];
        match from_here.as_bytes()[0] {
            // The body is level one, the value of a member level two.
            b'{' | b'[' if open.len() + 2 > MAX_DEPTH => return Err(Fault::TooDeep),
            b'{' => open.push(Some(HashSet::new())),
            b'[' => open.push(None),
            b'"' => {
                let text;
                (text, rest) = read_text(from_here)?;
                if text.contains('\0') {
                    return Err(Fault::Nul);
                }
                let is_name = rest.trim_ascii_start().starts_with(':');
                let names = open.last_mut().and_then(Option::as_mut);
                if is_name && names.is_some_and(|names| !names.insert(text)) {
                    return Err(Fault::Duplicate);
                }
            }
            _ => drop(open.pop()),
        }
    }
    Ok(())
}

/// A text, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// The text that valid JSON begins with, and what follows it. It is refused when an escape in it is half
/// of a character.
fn read_text(json: &str) -> Result<(Cow<'_, str>, &str), Fault> {
    let mut texts = serde_json::Deserializer::from_str(json).into_iter();
    match texts.next() {
        Some(Ok(Text(text))) => Ok((text, &json[texts.byte_offset()..])),
        _ => Err(Fault::Malformed),
    }
}

struct Outermost;

impl<'de> Visitor<'de> for Outermost {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(members)
    }
}
