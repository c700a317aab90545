//! Money as people read it, and as tables take it.

use super::Currency;

impl Currency {
    /// How many decimals an amount in smallest units has when it is written in whole ones.
    ///
    /// Source: <https://docs.stripe.com/currencies#zero-decimal> and the three-decimal list of the same page. Stripe
    /// keeps two decimals for `isk` and `ugx`, although nobody pays with parts of these.
    pub fn decimals(self) -> u32 {
        match self.as_str() {
            "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf"
            | "vnd" | "vuv" | "xaf" | "xof" | "xpf" => 0,
            "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
            _ => 2,
        }
    }

    /// An amount in whole units for a table: `1234.56`.
    pub fn decimal(self, units: i64) -> String {
        let (whole, part) = self.split(units);
        format!("{}{whole}{part}", sign(units))
    }

    /// An amount in a sentence: `1,234.56 USD`.
    pub fn text(self, units: i64) -> String {
        let (whole, part) = self.split(units);
        let mut grouped = String::new();
        for (place, digit) in whole.char_indices() {
            if place > 0 && (whole.len() - place) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let code = self.as_str().to_ascii_uppercase();
        format!("{}{grouped}{part} {code}", sign(units))
    }

    /// Reads an amount that somebody typed in whole units, such as `10` or `1234.56`, as smallest units. What has more
    /// decimals than the currency, a sign or anything between its digits is `None`: it could be meant otherwise.
    pub fn units(self, text: &str) -> Option<i64> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let width = self.decimals() as usize;
        let ends_well = !text.ends_with('.') && part.len() <= width;
        if whole.is_empty() || !ends_well || !is_number(whole) || !is_number(part) {
            return None;
        }
        format!("{whole}{part:0<width$}").parse().ok()
    }

    /// The digits before the point, and the point with those after it, if there are any.
    fn split(self, units: i64) -> (String, String) {
        let width = self.decimals() as usize;
        let digits = format!("{:0>least$}", units.unsigned_abs(), least = width + 1);
        let (whole, part) = digits.split_at(digits.len() - width);
        let point = if part.is_empty() { "" } else { "." };
        (whole.to_owned(), format!("{point}{part}"))
    }
}

const fn sign(units: i64) -> &'static str {
    if units < 0 { "-" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn each_currency_has_its_decimals() {
        for (code, units, text, decimal) in [
            ("usd", 123_456, "1,234.56 USD", "1234.56"),
            ("jpy", 1_000, "1,000 JPY", "1000"),
            ("kwd", 1_000, "1.000 KWD", "1.000"),
            ("usd", 0, "0.00 USD", "0.00"),
            ("usd", 5, "0.05 USD", "0.05"),
            ("usd", -5, "-0.05 USD", "-0.05"),
            ("eur", -100_000_000, "-1,000,000.00 EUR", "-1000000.00"),
            ("jpy", 0, "0 JPY", "0"),
            ("jpy", 999, "999 JPY", "999"),
            ("isk", 100, "1.00 ISK", "1.00"),
            (
                "kwd",
                i64::MIN,
                "-9,223,372,036,854,775.808 KWD",
                "-9223372036854775.808",
            ),
        ] {
            assert_eq!(currency(code).text(units), text);
            assert_eq!(currency(code).decimal(units), decimal);
        }
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (code, text, units) in [
            ("usd", "10", Some(1_000)),
            ("usd", "10.5", Some(1_050)),
            ("usd", "10.50", Some(1_050)),
            ("usd", "0.05", Some(5)),
            ("usd", "007", Some(700)),
            ("jpy", "1000", Some(1_000)),
            ("kwd", "1.01", Some(1_010)),
            ("usd", "10.505", None),
            ("jpy", "10.0", None),
            ("usd", "", None),
            ("usd", ".5", None),
            ("usd", "5.", None),
            ("usd", "10,50", None),
            ("usd", "1,000", None),
            ("usd", "-1", None),
            ("usd", "+1", None),
            ("usd", " 1", None),
            ("usd", "1e3", None),
            ("usd", "\u{661}", None),
            ("usd", "99999999999999999999", None),
        ] {
            assert_eq!(currency(code).units(text), units, "{text} {code}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(code in proptest::sample::select(Currency::all()), units in 0..i64::MAX) {
            let currency = currency(code);
            prop_assert_eq!(currency.units(&currency.decimal(units)), Some(units));
        }

        #[test]
        fn nothing_is_lost(code in proptest::sample::select(Currency::all()), units in any::<i64>()) {
            let currency = currency(code);
            let decimal = currency.decimal(units);
            let digits: String = decimal.chars().filter(|c| *c != '.').collect();
            prop_assert_eq!(digits.parse::<i64>(), Ok(units));
            let after = decimal.split_once('.').map_or(0, |(_, part)| part.len());
            prop_assert_eq!(after, currency.decimals() as usize);
            let (text, code) = (currency.text(units), currency.as_str().to_ascii_uppercase());
            prop_assert_eq!(text.replace(',', ""), format!("{decimal} {code}"));
        }
    }
}
