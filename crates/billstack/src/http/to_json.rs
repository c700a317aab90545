//! Writing the JSON of answers.
//!
//! `serde_json` looks at each byte of each text and name by itself: a seventh of the instructions of
//! a read. Here it is done for sixteen at once, and a text is copied when nothing in it has to be escaped.
//! Texts that are not so plain, and values of other kinds than most answers consist of, are left to
//! `serde_json`; what is written is the same.

use std::fmt;

use serde::ser::{Error, Impossible, SerializeStruct};
use serde::{Serialize, Serializer};

/// Room for the answer of most writes.
const USUAL: usize = 512;

/// Appends the JSON of a value.
pub(super) fn write_json<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) {
    let before = json.len();
    if value.serialize(Plain(json)).is_err() {
        json.truncate(before);
        write_any(json, value);
    }
}

/// The JSON of a value.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut json = Vec::with_capacity(USUAL);
    write_json(&mut json, value);
    String::from_utf8(json).expect("JSON is UTF-8")
}

fn write_any<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(json, value).unwrap_or_else(|error| {
        // Our own types always serialise: strings, integers, and maps with string keys.
        unreachable!("an answer does not serialise: {error}")
    });
}

#[inline(always)]
fn write_text(json: &mut Vec<u8>, text: &str) {
    if !is_plain(text.as_bytes()) {
        return write_any(json, text);
    }
    json.reserve(text.len() + 2);
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
}

/// Whether nothing in a text has to be escaped: no byte is [odd](is_odd).
#[inline(always)]
fn is_plain(text: &[u8]) -> bool {
    none_odd::<16>(text)
        .or_else(|| none_odd::<8>(text))
        .unwrap_or_else(|| !text.iter().copied().any(is_odd))
}

/// Whether no byte is odd, looked at `N` at a time; `None` when there are fewer.
///
/// The last `N` overlap those before them, which is cheaper than a rest of any length.
#[inline(always)]
fn none_odd<const N: usize>(text: &[u8]) -> Option<bool> {
    let (first, last) = (text.first_chunk()?, text.last_chunk()?);
    let (inner, _) = text[N..].as_chunks();
    let ends = any_odd::<N>(first) | any_odd::<N>(last);
    Some(
        !inner
            .iter()
            .fold(ends, |odd, next| odd | any_odd::<N>(next)),
    )
}

/// Whether one of the bytes is odd. The compiler looks at all of them at once.
#[inline(always)]
fn any_odd<const N: usize>(bytes: &[u8; N]) -> bool {
    bytes.iter().fold(false, |odd, byte| odd | is_odd(*byte))
}

/// A control character, a quotation mark or a backslash.
fn is_odd(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Says that a value is left to `serde_json`.
#[derive(Debug)]
struct NotPlain;

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left to serde_json")
    }
}

impl std::error::Error for NotPlain {}

impl Error for NotPlain {
    fn custom<T: fmt::Display>(_: T) -> NotPlain {
        NotPlain
    }
}

type Written = Result<(), NotPlain>;
type Left = Impossible<(), NotPlain>;

/// Writes structs, texts, flags and whole numbers.
struct Plain<'j>(&'j mut Vec<u8>);

/// The members of a struct.
struct Members<'j> {
    json: &'j mut Vec<u8>,
    is_empty: bool,
}

macro_rules! left_to_serde_json {
    ($($name:ident($($kind:ty),*) -> $written:ty;)*) => {
        $(fn $name(self, $(_: $kind),*) -> Result<$written, NotPlain> {
            Err(NotPlain)
        })*
    };
}

impl<'j> Serializer for Plain<'j> {
    type Ok = ();
    type Error = NotPlain;
    type SerializeSeq = Left;
    type SerializeTuple = Left;
    type SerializeTupleStruct = Left;
    type SerializeTupleVariant = Left;
    type SerializeMap = Left;
    type SerializeStruct = Members<'j>;
    type SerializeStructVariant = Left;

    fn serialize_bool(self, flag: bool) -> Written {
        let text: &[u8] = if flag { b"true" } else { b"false" };
        self.0.extend_from_slice(text);
        Ok(())
    }

    fn serialize_i64(self, number: i64) -> Written {
        write_any(self.0, &number);
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Written {
        write_text(self.0, text);
        Ok(())
    }

    fn serialize_none(self) -> Written {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'j>, NotPlain> {
        // Under such a name `serde_json` hides JSON that is written already.
        if name.starts_with('$') {
            return Err(NotPlain);
        }
        self.0.push(b'{');
        Ok(Members {
            json: self.0,
            is_empty: true,
        })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Written {
        Err(NotPlain)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Written {
        Err(NotPlain)
    }

    left_to_serde_json! {
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Left;
        serialize_tuple(usize) -> Left;
        serialize_tuple_struct(&'static str, usize) -> Left;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Left;
        serialize_map(Option<usize>) -> Left;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Left;
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = NotPlain;

    // Inlined, because a name is known where it is used: nobody has to look whether it is plain, which
    // is 1.5 % of the instructions of a `GET`.
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        if !self.is_empty {
            self.json.push(b',');
        }
        self.is_empty = false;
        write_text(self.json, name);
        self.json.push(b':');
        write_json(self.json, value);
        Ok(())
    }

    fn end(self) -> Written {
        self.json.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        NotAtAll,
        Some(i64),
    }

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row<'r> {
        a_text: &'r str,
        a_number: i64,
        a_flag: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        may_be_left_out: Option<u16>,
        may_be_null: Option<&'r str>,
        #[serde(rename = "\"odd\" name")]
        inner: Option<Box<Row<'r>>>,
        kinds: [Kind; 2],
        raw: Box<RawValue>,
    }

    fn row(text: &str, number: i64) -> Row<'_> {
        Row {
            a_text: text,
            a_number: number,
            a_flag: number % 2 == 0,
            may_be_left_out: u16::try_from(number).ok(),
            may_be_null: (number % 3 == 0).then_some(text),
            inner: None,
            kinds: [Kind::NotAtAll, Kind::Some(number)],
            raw: RawValue::from_string(r#"{"a": [1, 2.50]}"#.to_owned()).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn it_writes_what_serde_json_writes(text in any::<String>(), plain: String, number: i64) {
            let inner = Some(Box::new(row(&plain, number % 100)));
            let row = Row { inner, ..row(&text, number) };
            let mut json = b"before".to_vec();
            write_json(&mut json, &row);
            let wanted = format!("before{}", serde_json::to_string(&row).unwrap());
            prop_assert_eq!(String::from_utf8(json).unwrap(), wanted);
        }
    }

    #[test]
    fn every_character_that_must_be_escaped_is() {
        for c in (0..0x100).filter_map(char::from_u32) {
            let text = format!("a{c}b");
            let mut json = Vec::new();
            write_json(&mut json, &text);
            assert_eq!(json, serde_json::to_vec(&text).unwrap(), "{text:?}");
        }
    }

    #[test]
    fn what_must_be_escaped_is_seen_at_every_place() {
        for length in 1..=40 {
            for place in 0..length {
                for odd in ["\"", "\\", "\u{1f}"] {
                    let mut text = "a".repeat(length);
                    text.replace_range(place..=place, odd);
                    let mut json = Vec::new();
                    write_json(&mut json, &text);
                    assert_eq!(json, serde_json::to_vec(&text).unwrap(), "{text:?}");
                }
            }
        }
    }
}
