//! A month for finance: what moved in it, and what is owed at its end.

use std::collections::BTreeMap;

use billstack_core::money::Currency;
use billstack_core::period::Days;
use billstack_core::time::Micros;

use super::{RollForward, tally};
use crate::operations::counting;
use crate::seam::{Fault, Place, Tx};
use crate::tables::booked_days;

/// A month in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// How what is owed changed, of all sides together.
    pub moved: RollForward,
    /// How many credits were granted.
    pub credits: i64,
}

/// The month between two times, as it is booked now: each currency in which anything was ever booked, also where
/// nothing was in the month.
pub fn month(
    tx: &mut dyn Tx,
    place: &Place,
    from: Micros,
    to: Micros,
    now: Micros,
) -> Result<BTreeMap<Currency, Month>, Fault> {
    let mut months: BTreeMap<Currency, Month> = BTreeMap::new();
    let mut report = BTreeMap::new();
    let ever = booked_days::before(tx, place, now.max(to))?;
    for (currency, _, _) in ever.keys() {
        months.entry(*currency).or_default();
    }
    let opening = booked_days::before(tx, place, from)?;
    tally(&mut report, opening, -1, |part| &mut part.opening);
    let closing = booked_days::before(tx, place, to)?;
    tally(&mut report, closing, 1, |part| &mut part.closing);
    for ((currency, _), part) in &report {
        months.entry(*currency).or_default().moved.add(part);
    }
    let days = Days::holding(from, to);
    let figures = counting::figures_of(tx, place, days.first, days.last)?;
    for (figure, sum) in &figures.0 {
        if figure.name == "credited" && days.hold(figure.day) {
            let unknown = || Fault::Defect(format!("a sum is in {:?}", figure.currency));
            let currency = Currency::read(&figure.currency).ok_or_else(unknown)?;
            months.entry(currency).or_default().credits += sum.number;
        }
    }
    Ok(months)
}
