//! Counts and sums of a project's program.

use std::collections::BTreeMap;

use billstack_core::credit::Side;
use billstack_core::money::Currency;
use billstack_core::time::{DAY, Micros};

use super::counting;
use crate::seam::{Fault, Place, Tx};
use crate::tables::program_days::{ALL_DAYS, Figure, Sum};

/// How a program is doing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Codes ever made.
    pub codes: i64,
    /// Codes that can be applied.
    pub active_codes: i64,
    /// Referrals that may still convert.
    pub pending: i64,
    /// Referrals that converted.
    pub converted: i64,
    /// Referrals that were closed.
    pub expired: i64,
    /// Credits granted, by side and currency.
    pub credits: Vec<CreditSum>,
    /// The days on which anything happened, the oldest first.
    pub days: Vec<Day>,
}

/// The currencies in which credits were ever granted.
pub fn currencies(tx: &mut dyn Tx, place: &Place) -> Result<Vec<Currency>, Fault> {
    let known = counting::currencies(tx, place)?.into_iter();
    let unknown = |text: &str| Fault::Defect(format!("a sum is in {text:?}"));
    known
        .map(|text| Currency::read(&text).ok_or_else(|| unknown(&text)))
        .collect()
}

/// The credits of one side in one currency.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreditSum {
    /// The side.
    pub side: Side,
    /// The currency.
    pub currency: Currency,
    /// How many.
    pub count: i64,
    /// Their sum in minor units.
    pub amount: i64,
}

/// What happened on one UTC day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Day {
    /// The day, counted from 1970-01-01.
    pub day: i64,
    /// Referrals made.
    pub referrals: i64,
    /// Referrals that converted, by the time of conversion.
    pub conversions: i64,
    /// Credits granted.
    pub credits: i64,
}

/// The figures of a whole project, and of each day from the day of `since` on.
pub fn stats(tx: &mut dyn Tx, place: &Place, since: Micros) -> Result<Stats, Fault> {
    // A whole day is counted or none of it. Nothing here is older than 1970.
    let first = since.0.max(0) / DAY;
    let figures = counting::figures(tx, place, first)?;
    let mut stats = Stats {
        codes: figures.of_all_days("codes"),
        active_codes: figures.of_all_days("active_codes"),
        pending: figures.of_all_days("pending"),
        converted: figures.of_all_days("converted"),
        expired: figures.of_all_days("expired"),
        ..Stats::default()
    };
    let mut days: BTreeMap<i64, Day> = BTreeMap::new();
    for (figure, sum) in &figures.0 {
        if figure.day >= first && Day::tells(&figure.name) {
            let day = days.entry(figure.day).or_default();
            day.day = figure.day;
            day.add(&figure.name, sum.number);
        } else if figure.day == ALL_DAYS && !figure.currency.is_empty() {
            stats.credits.push(credit_sum(figure, *sum)?);
        }
    }
    stats.days = days.into_values().collect();
    Ok(stats)
}

fn credit_sum(figure: &Figure, sum: Sum) -> Result<CreditSum, Fault> {
    let unknown = |text: &str| Fault::Defect(format!("a sum of credits has {text:?}"));
    let side = Side::read(&figure.side).ok_or_else(|| unknown(&figure.side))?;
    let currency = Currency::read(&figure.currency).ok_or_else(|| unknown(&figure.currency))?;
    Ok(CreditSum {
        side,
        currency,
        count: sum.number,
        amount: sum.amount,
    })
}

impl Day {
    fn tells(figure: &str) -> bool {
        matches!(figure, "referrals" | "conversions" | "credits")
    }

    fn add(&mut self, figure: &str, number: i64) {
        match figure {
            "referrals" => self.referrals += number,
            "conversions" => self.conversions += number,
            "credits" => self.credits += number,
            _ => {}
        }
    }
}
