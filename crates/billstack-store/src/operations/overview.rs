//! How a program does: figures of a stretch of days, beside those of as many days before.

use std::collections::BTreeMap;

use billstack_core::money::Currency;
use billstack_core::period::Days;
use billstack_core::time::Micros;

use super::counting;
use crate::seam::{Fault, Place, Tx};
use crate::tables::events::log;
use crate::tables::program_days::Figures;

/// The most changes of a program that are told; the newest.
const MOST_CHANGES: i64 = 100;

/// What happened in some time.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Clicks on share links.
    pub clicks: i64,
    /// Codes applied.
    pub applied: i64,
    /// Referrals that converted then, whenever their code was applied.
    pub converted: i64,
    /// Of the codes applied then, how many have converted by now.
    pub converted_of_applied: i64,
    /// How many credits were granted then, by currency.
    pub granted: BTreeMap<Currency, i64>,
    /// What they come to, in minor units.
    pub credited: BTreeMap<Currency, i64>,
}

/// A change of the program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// When.
    pub at: Micros,
    /// The event that tells of it.
    pub event_id: String,
}

/// How a program does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Overview {
    /// In these days.
    pub totals: Totals,
    /// In as many days before.
    pub before: Totals,
    /// On each of the days on which something happened.
    pub days: BTreeMap<i64, Totals>,
    /// The same of the days before.
    pub earlier: BTreeMap<i64, Totals>,
    /// When the program was changed in these days, the last one first.
    pub changes: Vec<Change>,
}

/// What happened in these days.
pub fn totals(tx: &mut dyn Tx, place: &Place, days: Days) -> Result<Totals, Fault> {
    let figures = counting::figures_of(tx, place, days.first, days.last)?;
    let mut totals = Totals::default();
    for (_, of_day) in of_days(&figures)?.range(days.first..=days.last) {
        totals.add(of_day);
    }
    Ok(totals)
}

/// The figures of these days.
pub fn overview(tx: &mut dyn Tx, place: &Place, days: Days) -> Result<Overview, Fault> {
    let earlier = days.before();
    let figures = counting::figures_of(tx, place, earlier.first, days.last)?;
    let mut overview = Overview {
        totals: Totals::default(),
        before: Totals::default(),
        days: BTreeMap::new(),
        earlier: BTreeMap::new(),
        changes: changes(tx, place, days)?,
    };
    for (day, totals) in of_days(&figures)? {
        if days.hold(day) {
            overview.totals.add(&totals);
            overview.days.insert(day, totals);
        } else if earlier.hold(day) {
            overview.before.add(&totals);
            overview.earlier.insert(day, totals);
        }
    }
    Ok(overview)
}

fn of_days(figures: &Figures) -> Result<BTreeMap<i64, Totals>, Fault> {
    let mut days: BTreeMap<i64, Totals> = BTreeMap::new();
    // What is of all days together is of none of them.
    for (figure, sum) in figures.0.iter().filter(|(figure, _)| figure.day >= 0) {
        let totals = days.entry(figure.day).or_default();
        match figure.name.as_str() {
            "clicks" => totals.clicks += sum.number,
            "referrals" => totals.applied += sum.number,
            "conversions" => totals.converted += sum.number,
            "converted_of_applied" => totals.converted_of_applied += sum.number,
            "credited" => {
                let unknown = || Fault::Defect(format!("a sum is in {:?}", figure.currency));
                let currency = Currency::read(&figure.currency).ok_or_else(unknown)?;
                *totals.credited.entry(currency).or_default() += sum.amount;
                *totals.granted.entry(currency).or_default() += sum.number;
            }
            _ => {}
        }
    }
    Ok(days)
}

fn changes(tx: &mut dyn Tx, place: &Place, days: Days) -> Result<Vec<Change>, Fault> {
    let changes = log::program_changes(tx, place, days.times(), MOST_CHANGES)?;
    let change = |(at, event_id)| Change { at, event_id };
    Ok(changes.into_iter().map(change).collect())
}

impl Totals {
    /// The share of those who applied then that has converted by now.
    pub fn rate(&self) -> Option<f64> {
        let share = self.converted_of_applied as f64 / self.applied as f64;
        (self.applied > 0).then_some(share)
    }

    /// Adds those of another time.
    pub fn add(&mut self, other: &Totals) {
        self.clicks += other.clicks;
        self.applied += other.applied;
        self.converted += other.converted;
        self.converted_of_applied += other.converted_of_applied;
        for (currency, amount) in &other.credited {
            *self.credited.entry(*currency).or_default() += amount;
        }
        for (currency, number) in &other.granted {
            *self.granted.entry(*currency).or_default() += number;
        }
    }
}
