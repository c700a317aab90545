//! Strict reading of query strings and path segments.
//!
//! A parameter given twice, a broken escape or bytes that are not text are refused rather than
//! guessed at: two programs that guess differently are how filters get bypassed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::error::{ApiError, Reason};

/// The parameters of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    parameters: BTreeMap<String, String>,
}

impl Query {
    /// Reads the part of the address behind the question mark.
    ///
    /// # Errors
    /// 400 for broken escapes, text that is not UTF-8, NUL, and a parameter given twice.
    pub fn parse(raw: Option<&str>) -> Result<Self, ApiError> {
        let mut parameters = BTreeMap::new();
        for pair in raw.unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(broken)?;
            let value = decode(value).ok_or_else(|| broken().field_as_sent(&name))?;
            if parameters.contains_key(&name) {
                return Err(ApiError::new(Reason::InvalidRequest)
                    .message("A query parameter is given more than once.")
                    .field_as_sent(&name));
            }
            parameters.insert(name, value);
        }
        Ok(Self { parameters })
    }

    /// The same without parameters that are empty: a form of a page sends each of its fields.
    #[must_use]
    pub fn without_empty(mut self) -> Query {
        self.parameters.retain(|_, value| !value.is_empty());
        self
    }

    /// The parameters as they were sent, by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.parameters.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Those of these names, in the order in which they were sent.
    pub fn only(&self, names: &[&str]) -> Vec<(&str, &str)> {
        let pairs = self.pairs();
        pairs.filter(|(name, _)| names.contains(name)).collect()
    }

    /// Puts another value into the place of a parameter that was sent.
    pub fn replace(&mut self, name: &str, by: impl FnOnce(&str) -> Option<String>) {
        if let Some(value) = self.parameters.get_mut(name)
            && let Some(other) = by(value)
        {
            *value = other;
        }
    }

    /// The names of the parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    /// A whole number within `range`, or `default` where the parameter is absent.
    ///
    /// # Errors
    /// 400 for anything but decimal digits, or a number out of range.
    pub fn int(
        &self,
        name: &'static str,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> Result<i64, ApiError> {
        let Some(text) = self.parameters.get(name) else {
            return Ok(default);
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|n| plain && range.contains(n));
        number.ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            let message = format!("`{name}` must be a whole number from {low} to {high}.");
            ApiError::invalid(name, message)
        })
    }

    /// `true` or `false`, or `default` where the parameter is absent.
    ///
    /// # Errors
    /// 400 for any other spelling.
    pub fn bool(&self, name: &'static str, default: bool) -> Result<bool, ApiError> {
        match self.parameters.get(name).map(String::as_str) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => {
                let message = format!("`{name}` must be true or false.");
                Err(ApiError::invalid(name, message))
            }
        }
    }

    /// A text of at most `max_chars` characters.
    ///
    /// # Errors
    /// 400 when it is too long, or empty: an empty filter is nearly always a bug of the caller,
    /// and answering it with everything would hide that.
    pub fn optional_str(
        &self,
        name: &'static str,
        max_chars: usize,
    ) -> Result<Option<&str>, ApiError> {
        let Some(text) = self.parameters.get(name) else {
            return Ok(None);
        };
        if text.is_empty() {
            let message = format!("`{name}` must not be empty; leave it out instead.");
            return Err(ApiError::invalid(name, message));
        }
        if text.chars().nth(max_chars).is_some() {
            let message = format!("`{name}` must have at most {max_chars} characters.");
            return Err(ApiError::invalid(name, message));
        }
        Ok(Some(text))
    }
}

fn broken() -> ApiError {
    ApiError::new(Reason::InvalidRequest).message("The query string is not properly encoded.")
}

/// Undoes percent-encoding; `None` for a broken escape, invalid UTF-8 or NUL.
fn decode(raw: &str) -> Option<String> {
    let text = raw.replace('+', " ");
    // The library passes a broken escape through as it is, which is a guess; so look first.
    let whole = text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes();
        digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit)
    });
    if !whole {
        return None;
    }
    let decoded = percent_encoding::percent_decode_str(&text).decode_utf8();
    let decoded = decoded.ok()?.into_owned();
    (!decoded.contains('\0')).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(raw: &str) -> ApiError {
        Query::parse(Some(raw)).unwrap_err()
    }

    #[test]
    fn pairs() {
        let query = Query::parse(Some("a=1&b=x+y%2B%C3%A9&&c&d==")).unwrap();
        assert_eq!(query.optional_str("b", 9).unwrap(), Some("x y+\u{e9}"));
        assert_eq!(query.optional_str("d", 9).unwrap(), Some("="));
        assert_eq!(query.optional_str("zz", 9).unwrap(), None);
        assert_eq!(Query::parse(None).unwrap(), Query::parse(Some("")).unwrap());
    }

    #[test]
    fn what_cannot_be_read() {
        for raw in [
            "a=%zz", "a=%f", "a=%", "a=%ff", "a=%00", "%ff=1", "a=%C3", "a=%+1",
        ] {
            assert_eq!(fault(raw).reason, Reason::InvalidRequest, "{raw}");
        }
        assert_eq!(fault("a=%zz").field.as_deref(), Some("a"));
    }

    #[test]
    fn duplicates_however_spelled() {
        assert_eq!(fault("limit=1&limit=1").field.as_deref(), Some("limit"));
        assert_eq!(fault("limit=1&l%69mit=2").field.as_deref(), Some("limit"));
        assert_eq!(fault("%3Cb%3E=1&%3Cb%3E=1").field, None);
    }

    #[test]
    fn numbers() {
        let int = |raw| Query::parse(Some(raw)).unwrap().int("n", 50, 1..=1000);
        assert_eq!(int("x=1").unwrap(), 50);
        assert_eq!(int("n=1000").unwrap(), 1000);
        for raw in [
            "n=",
            "n=0",
            "n=1001",
            "n=-1",
            "n=1.0",
            "n=1e2",
            "n=abc",
            "n=%2B5",
            "n=+5",
            "n=5+",
            "n=99999999999999999999",
            "n=--1",
            "n=-",
            "n=%D9%A1",
        ] {
            assert_eq!(int(raw).unwrap_err().field.as_deref(), Some("n"), "{raw}");
        }
        let any = Query::parse(Some("n=-9223372036854775808")).unwrap();
        assert_eq!(any.int("n", 0, i64::MIN..=i64::MAX).unwrap(), i64::MIN);
    }

    #[test]
    fn flags_and_texts() {
        let query = Query::parse(Some("t=true&f=false&o=1&e=&s=%C3%A9%C3%A9")).unwrap();
        assert!(query.bool("t", false).unwrap());
        assert!(!query.bool("f", true).unwrap());
        assert!(query.bool("none", true).unwrap());
        assert!(query.bool("o", true).is_err());
        assert!(query.optional_str("e", 5).is_err());
        assert!(query.optional_str("s", 2).is_ok());
        assert!(query.optional_str("s", 1).is_err());
    }

    #[test]
    fn escapes() {
        assert_eq!(decode("a%2Fb%2Bc").as_deref(), Some("a/b+c"));
        for raw in ["%zz", "%ff", "%00", "a%"] {
            assert_eq!(decode(raw), None, "{raw}");
        }
    }
}
