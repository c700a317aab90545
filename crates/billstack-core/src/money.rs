//! Money as Stripe counts it: whole numbers of a currency's smallest unit.

use serde::{Serialize, Serializer};
use std::fmt;

/// A non-negative amount in a currency's smallest unit (cents for `usd`, whole yen for `jpy`).
///
/// The upper bound is the eight digits Stripe allows for a charge
/// (<https://docs.stripe.com/api/charges/object#charge_object-amount>), so that no promised credit
/// can be larger than anything it could be set against.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Amount(i64);

impl Amount {
    /// Nothing at all.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount, 99,999,999 smallest units.
    pub const MAX: Amount = Amount(99_999_999);

    /// The amount of that many smallest units, `None` outside 0 to [`Amount::MAX`].
    pub const fn new(units: i64) -> Option<Amount> {
        if units < 0 || units > Amount::MAX.0 {
            return None;
        }
        Some(Amount(units))
    }

    /// The number of smallest units.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether this is nothing at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// A currency that Stripe bills in, as its lower-case ISO 4217 code.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The United States dollar, the currency when none is named.
    pub const USD: Currency = Currency(*b"usd");

    /// Reads a code in any ASCII case. Nothing is trimmed; an unknown code is `None`.
    pub fn parse(text: &str) -> Option<Currency> {
        let mut folded: [u8; 3] = text.as_bytes().try_into().ok()?;
        folded.make_ascii_lowercase();
        let found = CODES.binary_search_by(|code| code.as_bytes().cmp(&folded[..]));
        found.is_ok().then_some(Currency(folded))
    }

    /// Reads a stored code: three lower-case letters. A newer version may know more codes than this one.
    pub fn read(text: &str) -> Option<Currency> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter()
            .all(u8::is_ascii_lowercase)
            .then_some(Currency(code))
    }

    /// The lower-case code, as Stripe writes it.
    pub fn as_str(&self) -> &str {
        // Only letters come in, so this never fails.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Every code [`Currency::parse`] knows, lower case and sorted.
    pub const fn all() -> &'static [&'static str] {
        CODES
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The presentment currencies of Stripe, sorted, the three-decimal ones included.
///
/// Source: <https://docs.stripe.com/currencies#presentment-currencies> and the three-decimal list
/// of the same page. Codes that their countries have since replaced (`ang`, `bgn`) stay, because a
/// promise once pinned in one of them must remain readable.
#[rustfmt::skip]
const CODES: &[&str] = &[
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn",
    "bam", "bbd", "bdt", "bgn", "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd",
    "cad", "cdf", "chf", "clp", "cny", "cop", "crc", "cve", "czk",
    "djf", "dkk", "dop", "dzd",
    "egp", "etb", "eur",
    "fjd", "fkp",
    "gbp", "gel", "gip", "gmd", "gnf", "gtq", "gyd",
    "hkd", "hnl", "htg", "huf",
    "idr", "ils", "inr", "isk",
    "jmd", "jod", "jpy",
    "kes", "kgs", "khr", "kmf", "krw", "kwd", "kyd", "kzt",
    "lak", "lbp", "lkr", "lrd", "lsl",
    "mad", "mdl", "mga", "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn",
    "nad", "ngn", "nio", "nok", "npr", "nzd",
    "omr",
    "pab", "pen", "pgk", "php", "pkr", "pln", "pyg",
    "qar",
    "ron", "rsd", "rub", "rwf",
    "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl",
    "thb", "tjs", "tnd", "top", "try", "ttd", "twd", "tzs",
    "uah", "ugx", "usd", "uyu", "uzs",
    "vnd", "vuv",
    "wst",
    "xaf", "xcd", "xcg", "xof", "xpf",
    "yer",
    "zar", "zmw",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_have_both_bounds() {
        assert_eq!(Amount::new(0), Some(Amount::ZERO));
        assert_eq!(Amount::new(99_999_999), Some(Amount::MAX));
        for out_of_range in [-1, 100_000_000, i64::MIN, i64::MAX] {
            assert_eq!(Amount::new(out_of_range), None);
        }
        assert!(Amount::ZERO.is_zero() && !Amount::MAX.is_zero());
    }

    #[test]
    fn money_is_plain_in_json() {
        let shown = serde_json::to_string(&(Amount::new(1_000), Currency::USD)).unwrap();
        assert_eq!(shown, r#"[1000,"usd"]"#);
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(CODES.is_sorted_by(|a, b| a < b));
        assert!(CODES.iter().all(|code| code.len() == 3));
        assert!(CODES.len() > 135);
        for code in Currency::all() {
            assert_eq!(Currency::parse(code).unwrap().as_str(), *code);
            assert_eq!(
                Currency::parse(&code.to_ascii_uppercase())
                    .unwrap()
                    .to_string(),
                *code
            );
        }
        assert_eq!(Currency::parse("UsD"), Some(Currency::USD));
    }

    #[test]
    fn other_texts_are_no_currency() {
        for bad in ["", "us", "usdt", " usd", "usd ", "xyz", "u\0d", "ſek", "₿"] {
            assert_eq!(Currency::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parse_agrees_with_the_list(text in "[a-zA-Z]{3}") {
            let listed = CODES.contains(&text.to_ascii_lowercase().as_str());
            prop_assert_eq!(Currency::parse(&text).is_some(), listed);
        }

        #[test]
        fn amounts_keep_their_units(units in any::<i64>()) {
            match Amount::new(units) {
                Some(amount) => prop_assert_eq!(amount.get(), units),
                None => prop_assert!(!(0..=99_999_999).contains(&units)),
            }
        }
    }
}
