//! Every month since the first booking.

use std::collections::BTreeMap;

use billstack_core::money::Currency;
use billstack_core::period::Step;
use billstack_core::time::{DAY, Micros};

use super::{Month, RollForward};
use crate::operations::counting;
use crate::seam::{Fault, Place, Tx};
use crate::tables::booked_days;

/// A month in each currency in which anything was ever booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Months {
    /// When it begins.
    pub from: Micros,
    /// Its figures, zeros where nothing was booked.
    pub currencies: BTreeMap<Currency, Month>,
}

/// Each month from that of the first booking to that of a time, the last one first: none is left out. Each foots with
/// [`month`](super::month).
pub fn months(tx: &mut dyn Tx, place: &Place, now: Micros) -> Result<Vec<Months>, Fault> {
    let booked = booked_days::by_day(tx, place, now)?;
    let Some(first) = booked.keys().map(|(day, _)| Step::Month.start(*day)).min() else {
        return Ok(Vec::new());
    };
    let last = now.plus(-1).0.div_euclid(DAY).max(first);
    let mut owed: BTreeMap<Currency, i64> = BTreeMap::new();
    owed.extend(booked.keys().map(|(_, currency)| (*currency, 0)));
    let mut months = BTreeMap::new();
    for ((day, currency), day_of) in &booked {
        let month: &mut BTreeMap<Currency, RollForward> =
            months.entry(Step::Month.start(*day)).or_default();
        let part = month.entry(*currency).or_default();
        part.granted += day_of.granted;
        part.applied += day_of.sums.applied;
        part.reversed += day_of.sums.reversed;
        part.settled += day_of.sums.settled;
        part.shortfall += day_of.sums.shortfall;
        part.closing += day_of.sums.open();
    }
    let credits = credits(tx, place, first, last)?;
    let mut all = Vec::new();
    let mut start = first;
    while start <= last {
        let moved = months.remove(&start).unwrap_or_default();
        let mut currencies = BTreeMap::new();
        for (currency, owed) in &mut owed {
            let mut part = moved.get(currency).copied().unwrap_or_default();
            part.opening = *owed;
            // What the month itself left open, beside what was before.
            part.closing += *owed;
            *owed = part.closing;
            let credits = credits.get(&(start, *currency)).copied().unwrap_or(0);
            let month = Month {
                moved: part,
                credits,
            };
            currencies.insert(*currency, month);
        }
        let from = Micros(start.saturating_mul(DAY));
        all.push(Months { from, currencies });
        start = from.month().1.0.div_euclid(DAY);
    }
    all.reverse();
    Ok(all)
}

/// How many credits were granted, by month and currency.
fn credits(
    tx: &mut dyn Tx,
    place: &Place,
    first: i64,
    last: i64,
) -> Result<BTreeMap<(i64, Currency), i64>, Fault> {
    let mut credits: BTreeMap<(i64, Currency), i64> = BTreeMap::new();
    let figures = counting::figures_of(tx, place, first, last)?;
    for (figure, sum) in &figures.0 {
        if figure.name == "credited" && (first..=last).contains(&figure.day) {
            let unknown = || Fault::Defect(format!("a sum is in {:?}", figure.currency));
            let currency = Currency::read(&figure.currency).ok_or_else(unknown)?;
            let month = Step::Month.start(figure.day);
            *credits.entry((month, currency)).or_default() += sum.number;
        }
    }
    Ok(credits)
}
