//! Money as Stripe counts it: whole numbers of a currency's smallest unit.

mod text;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
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

    /// Every code that may be stored: also those that were taken once.
    pub fn ever() -> impl Iterator<Item = &'static str> {
        CODES.iter().chain(RETIRED).copied()
    }

    /// Of what a billed amount must be a multiple, in smallest units.
    ///
    /// Source: <https://docs.stripe.com/currencies#special-cases> for the currencies whose units have no parts any
    /// more and are written with two decimals all the same, and the same page for those of three decimals, whose
    /// last digit must be 0.
    pub fn step(self) -> i64 {
        match self.as_str() {
            "isk" | "ugx" => 100,
            "bhd" | "jod" | "kwd" | "omr" | "tnd" => 10,
            _ => 1,
        }
    }

    /// Whether Stripe can bill this amount.
    pub fn can_bill(self, amount: Amount) -> bool {
        amount.get() % self.step() == 0
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

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        let text = String::deserialize(deserializer)?;
        Currency::read(&text).ok_or_else(|| D::Error::custom("not a code of a currency"))
    }
}

/// The presentment currencies of Stripe, sorted, the three-decimal ones included.
///
/// Source: <https://docs.stripe.com/currencies#presentment-currencies> and the three-decimal list
/// of the same page.
#[rustfmt::skip]
const CODES: &[&str] = &[
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn",
    "bam", "bbd", "bdt", "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd",
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

/// Currencies that are gone: nothing is promised in them any more, but what was promised stays readable. Bulgaria
/// has the euro since 2026.
const RETIRED: &[&str] = &["bgn"];

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
        assert_eq!(
            serde_json::from_str::<Currency>(r#""usd""#).unwrap(),
            Currency::USD
        );
        assert!(serde_json::from_str::<Currency>(r#""$""#).is_err());
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
    fn a_currency_that_is_gone_can_be_read_and_not_promised() {
        assert_eq!(Currency::parse("bgn"), None);
        assert_eq!(Currency::read("bgn").unwrap().as_str(), "bgn");
        assert!(Currency::ever().any(|code| code == "bgn"));
        assert!(CODES.iter().all(|code| !RETIRED.contains(code)));
    }

    #[test]
    fn what_cannot_be_billed_is_known() {
        for (code, step) in [
            ("isk", 100),
            ("ugx", 100),
            ("bhd", 10),
            ("jod", 10),
            ("kwd", 10),
            ("omr", 10),
            ("tnd", 10),
            ("jpy", 1),
            ("huf", 1),
            ("usd", 1),
        ] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(currency.step(), step, "{code}");
            for (units, expected) in [(0, true), (step, true), (step + 1, step == 1)] {
                let amount = Amount::new(units).unwrap();
                assert_eq!(currency.can_bill(amount), expected, "{units} {code}");
            }
        }
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
