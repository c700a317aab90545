//! Picking members out of JSON text without building a tree of it.
//!
//! An event is some 4 KiB of which we need a dozen members, and each must be readable whatever
//! stands beside it. So members are found as raw text first and understood one by one afterwards.
//! Skipping a value neither recurses nor allocates, so depth and size cost nothing but the scan.

use crate::time::Micros;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The longest identifier taken, in characters; Stripe documents at most 255 for its ids
/// (<https://docs.stripe.com/upgrades#what-changes-does-stripe-consider-to-be-backwards-compatible>).
pub(super) const LONGEST_ID: usize = 255;

/// The latest time taken, in seconds: the last of the year 9999, which RFC 3339 can still write.
const LATEST: i64 = 253_402_300_799;

/// The value a body holds, if it is JSON in UTF-8 and nothing else follows.
pub(super) fn root(body: &[u8]) -> Option<&RawValue> {
    // The whole body is checked, not only what is read of it, because it is kept as text.
    let body = std::str::from_utf8(body).ok()?;
    serde_json::from_str(body).ok()
}

/// Whether the value is a JSON object.
pub(super) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// The values of the named members, in the order of the names; `None` when not an object.
///
/// Of a repeated member the last counts, as it does in most JSON readers.
pub(super) fn members<'a, const N: usize>(
    value: &'a RawValue,
    names: [&'static str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    let mut reader = serde_json::Deserializer::from_str(value.get());
    reader.deserialize_map(Pick { names }).ok()
}

/// A string, whatever it says. A string with half a surrogate pair is no text and counts as absent.
pub(super) fn text(value: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(value?.get()).ok()
}

/// A string that can serve as an identifier: not empty, 255 characters at most, no controls.
pub(super) fn identifier(value: Option<&RawValue>) -> Option<String> {
    text(value).filter(|id| {
        !id.is_empty() && id.chars().count() <= LONGEST_ID && !id.chars().any(char::is_control)
    })
}

/// The id of another object, which Stripe gives as a string or, expanded, as the object itself.
///
/// Source: <https://docs.stripe.com/api/expanding_objects>. A deleted customer is an object with
/// its `id` and `deleted`, and is still the customer that is meant.
pub(super) fn reference(value: Option<&RawValue>) -> Option<String> {
    let value = value?;
    if !is_object(value) {
        return identifier(Some(value));
    }
    let [id] = members(value, ["id"])?;
    identifier(id)
}

/// The values of an array, or of one of Stripe's lists; none of anything else.
pub(super) fn list(value: Option<&RawValue>) -> Vec<&RawValue> {
    let Some(value) = value else {
        return Vec::new();
    };
    let data = members(value, ["data"]).map_or(Some(value), |[data]| data);
    data.and_then(|data| serde_json::from_str(data.get()).ok())
        .unwrap_or_default()
}

/// A whole number.
pub(super) fn number(value: Option<&RawValue>) -> Option<i64> {
    value?.get().parse().ok()
}

/// Whether it says `true`.
pub(super) fn is_true(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| value.get() == "true")
}

/// A time between 1970 and 9999: whole seconds since the epoch, or RFC 3339 text in thin events.
pub(super) fn time(value: Option<&RawValue>) -> Option<Micros> {
    let value = value?;
    let time = match value.get().parse() {
        Ok(seconds) => Micros::from_secs(seconds),
        Err(_) => Micros::from_rfc3339(&text(Some(value))?)?,
    };
    (0..=LATEST).contains(&time.as_secs()).then_some(time)
}

struct Pick<const N: usize> {
    names: [&'static str; N],
}

impl<'de, const N: usize> Visitor<'de> for Pick<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut picked = [None; N];
        while let Some(place) = map.next_key_seed(Place { names: &self.names })? {
            match place {
                Some(place) => picked[place] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(picked)
    }
}

/// Reads a member's name as its place in the list of wanted names.
struct Place<'n> {
    names: &'n [&'static str],
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // Asked for as bytes, because as text a foreign name with half a surrogate pair would fail
        // the whole object.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self
            .names
            .iter()
            .position(|wanted| wanted.as_bytes() == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> &RawValue {
        root(json.as_bytes()).unwrap()
    }

    #[test]
    fn finds_members_among_strange_neighbours() {
        let json = r#" {"\ud800":1,"b":"\udc00","a":1,"x":[{"a":2}],"a":{"b":3}, "\u0063":true} "#;
        let [a, c, missing] = members(value(json), ["a", "c", "z"]).unwrap();
        assert_eq!(a.unwrap().get(), r#"{"b":3}"#);
        assert_eq!(c.unwrap().get(), "true");
        assert!(missing.is_none());
        for other in ["[1]", "1", "null", r#""{}""#] {
            assert!(members(value(other), ["a"]).is_none());
            assert!(!is_object(value(other)));
        }
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = format!(
            r#"{{"x":{}{},"id":"a"}}"#,
            "[".repeat(300_000),
            "]".repeat(300_000)
        );
        let [id] = members(value(&deep), ["id"]).unwrap();
        assert_eq!(identifier(id).as_deref(), Some("a"));
        assert!(root("[".repeat(300_000).as_bytes()).is_none());
    }

    #[test]
    fn references_come_in_three_forms() {
        let read = |json| reference(Some(value(json)));
        assert_eq!(read(r#""cus_1""#).as_deref(), Some("cus_1"));
        assert_eq!(
            read(r#"{"id":"cus_1","deleted":true}"#).as_deref(),
            Some("cus_1")
        );
        for absent in [
            "null",
            r#""""#,
            "{}",
            r#"{"id":null}"#,
            "[]",
            "7",
            r#""a\u0000""#,
        ] {
            assert_eq!(read(absent), None, "{absent}");
        }
        assert_eq!(read(&format!("\"{}\"", "a".repeat(256))), None);
    }

    #[test]
    fn times_must_lie_in_the_calendar() {
        let read = |json| time(Some(value(json)));
        assert_eq!(read("1700000000"), Some(Micros::from_secs(1_700_000_000)));
        assert_eq!(read("253402300799").map(Micros::as_secs), Some(LATEST));
        for absent in [
            "253402300800",
            "-1",
            "1.5",
            "null",
            "true",
            "1e400",
            r#""soon""#,
            "[]",
        ] {
            assert_eq!(read(absent), None, "{absent}");
        }
    }
}
