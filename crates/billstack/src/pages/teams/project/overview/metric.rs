//! The figures of a program: what each is called, what it is in some time, and how it is written.

use billstack_core::money::Currency;
use billstack_store::overview::Totals;
use maud::Markup;

use crate::pages::parts::numbers;

/// A figure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Metric {
    Clicks,
    Applied,
    Converted,
    Rate,
    /// Each currency is a figure of its own: they are never added.
    Credited(Currency),
}

/// How the names of the last ones begin.
const CREDITED: &str = "credited_";

impl Metric {
    /// All of them, with these currencies.
    pub(super) fn all(currencies: impl IntoIterator<Item = Currency>) -> Vec<Metric> {
        let counts = [
            Metric::Clicks,
            Metric::Applied,
            Metric::Converted,
            Metric::Rate,
        ];
        let credited = currencies.into_iter().map(Metric::Credited);
        counts.into_iter().chain(credited).collect()
    }

    pub(super) fn parse(text: &str) -> Option<Metric> {
        Some(match text {
            "clicks" => Metric::Clicks,
            "applied" => Metric::Applied,
            "converted" => Metric::Converted,
            "rate" => Metric::Rate,
            credited => Metric::Credited(Currency::parse(credited.strip_prefix(CREDITED)?)?),
        })
    }

    /// As it stands in the address.
    pub(super) fn name(&self) -> String {
        match self {
            Metric::Clicks => "clicks".to_owned(),
            Metric::Applied => "applied".to_owned(),
            Metric::Converted => "converted".to_owned(),
            Metric::Rate => "rate".to_owned(),
            Metric::Credited(currency) => format!("{CREDITED}{currency}"),
        }
    }

    /// As people call it.
    pub(super) fn title(&self) -> String {
        match self {
            Metric::Clicks => "Clicks".to_owned(),
            Metric::Applied => "Applied".to_owned(),
            Metric::Converted => "Converted".to_owned(),
            Metric::Rate => "Conversion rate".to_owned(),
            Metric::Credited(currency) => {
                format!("Credited in {}", currency.as_str().to_ascii_uppercase())
            }
        }
    }

    /// The figure of some time, for a chart.
    pub(super) fn of(&self, totals: &Totals) -> Option<f64> {
        match self {
            Metric::Clicks => Some(totals.clicks as f64),
            Metric::Applied => Some(totals.applied as f64),
            Metric::Converted => Some(totals.converted as f64),
            Metric::Rate => totals.rate().map(|rate| rate * 100.0),
            Metric::Credited(currency) => Some(units(totals, *currency) as f64 / whole(*currency)),
        }
    }

    /// The same in words.
    pub(super) fn text(&self, totals: &Totals) -> String {
        match self {
            Metric::Clicks => numbers::count(totals.clicks),
            Metric::Applied => numbers::count(totals.applied),
            Metric::Converted => numbers::count(totals.converted),
            Metric::Rate => numbers::rate(totals.converted_of_applied, totals.applied),
            Metric::Credited(currency) => currency.text(units(totals, *currency)),
        }
    }

    /// The same where it is said already of what it is.
    pub(super) fn short(&self, totals: &Totals) -> String {
        let text = self.text(totals);
        match self {
            Metric::Credited(_) => text.split(' ').next().unwrap_or_default().to_owned(),
            _ => text,
        }
    }

    /// How it stands beside the time before.
    pub(super) fn change(&self, now: &Totals, before: &Totals) -> Markup {
        let text = self.short(before);
        let (now, before) = (self.of(now), self.of(before));
        match self {
            Metric::Rate => numbers::points(now, before, &text),
            _ => numbers::change(now.unwrap_or(0.0), before.unwrap_or(0.0), &text),
        }
    }

    /// A value beside the grid of a chart.
    pub(super) fn axis(&self, value: f64) -> String {
        match self {
            Metric::Rate => format!("{} %", numbers::count(value.round() as i64)),
            Metric::Credited(currency) if value.fract() != 0.0 => {
                currency.decimal((value * whole(*currency)).round() as i64)
            }
            _ => numbers::count(value.round() as i64),
        }
    }

    /// The smallest difference of two values.
    pub(super) fn least(&self) -> f64 {
        match self {
            Metric::Credited(currency) => 1.0 / whole(*currency),
            _ => 1.0,
        }
    }
}

fn units(totals: &Totals, currency: Currency) -> i64 {
    totals.credited.get(&currency).copied().unwrap_or(0)
}

fn whole(currency: Currency) -> f64 {
    10_f64.powi(currency.decimals() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for metric in Metric::all([Currency::USD]) {
            assert_eq!(Metric::parse(&metric.name()), Some(metric));
        }
        for name in [
            "",
            "credited",
            "credited_",
            "credited_xyz",
            "Clicks",
            "rate ",
        ] {
            assert_eq!(Metric::parse(name), None, "{name}");
        }
    }

    #[test]
    fn each_currency_keeps_its_decimals() {
        let currency = |code| Currency::parse(code).expect("a currency");
        let totals = Totals {
            credited: [("usd", 123_456), ("jpy", 1_000), ("kwd", 1_000)]
                .map(|(code, units)| (currency(code), units))
                .into(),
            ..Totals::default()
        };
        for (code, text, value) in [
            ("usd", "1,234.56 USD", 1_234.56),
            ("jpy", "1,000 JPY", 1_000.0),
            ("kwd", "1.000 KWD", 1.0),
            ("eur", "0.00 EUR", 0.0),
        ] {
            let metric = Metric::Credited(currency(code));
            assert_eq!(metric.text(&totals), text);
            assert_eq!(Some(&*metric.short(&totals)), text.split(' ').next());
            assert_eq!(metric.of(&totals), Some(value));
        }
        assert_eq!(Metric::Credited(currency("usd")).axis(0.02), "0.02");
        assert_eq!(Metric::Credited(currency("usd")).axis(1_000.0), "1,000");
    }
}
