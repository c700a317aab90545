//! What finance asks of the ledger: what is owed at a time, how it came to that, and every movement of a customer.
//!
//! All of it goes by the time of booking, so that a month that is closed never changes: what Stripe tells of late
//! is booked in the month in which it was told.

mod bookings;
mod month;
mod months;
mod statement;

pub use bookings::{Booking, BookingFilter, bookings};
pub use month::{Month, month};
pub use months::{Months, months};
pub use statement::{Movement, Statement, statement};

use std::collections::BTreeMap;

use billstack_core::money::Currency;
use billstack_core::time::{DAY, Micros};

use crate::seam::{Fault, Place, Tx};
use crate::tables::booked_days::{self, Ledger};

pub use crate::tables::finance::{
    ExportedCredit, ExportedPosting, Moved, Sums, exported_credits, exported_postings,
    with_contacts,
};

/// The age of the oldest credits of each group but the last, in days of UTC.
pub const AGES: [i64; 3] = [30, 90, 365];

/// What is owed of one side's credits in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// What became of them.
    pub sums: Sums,
    /// What is still owed by the age of the credits: up to each of [`AGES`], and more.
    pub open_by_age: [i64; AGES.len() + 1],
}

/// The parts of a report: by currency, then by side.
pub type Report<T> = BTreeMap<(Currency, String), T>;

/// What is owed after everything that was booked before a time.
pub fn liability(
    tx: &mut dyn Tx,
    place: &Place,
    before: Micros,
) -> Result<Report<Position>, Fault> {
    let today = before.plus(-1).0.div_euclid(DAY);
    let mut report: Report<Position> = BTreeMap::new();
    for ((currency, side, granted_day), booked) in booked_days::before(tx, place, before)? {
        let position = report.entry((currency, side)).or_default();
        position.sums = position.sums.plus(&booked.sums);
        let age = today - granted_day;
        let group = AGES.iter().filter(|oldest| age > **oldest).count();
        position.open_by_age[group] += booked.sums.open();
    }
    report.retain(|_, position| position.sums != Sums::default());
    Ok(report)
}

/// How what is owed came from an opening to a closing figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RollForward {
    /// Owed at the beginning.
    pub opening: i64,
    /// Granted meanwhile.
    pub granted: i64,
    /// Used for invoices, less what came back from them.
    pub applied: i64,
    /// Taken back, less what was given back.
    pub reversed: i64,
    /// Paid by other ways.
    pub settled: i64,
    /// Owed at the end.
    pub closing: i64,
    /// What should have been taken back meanwhile and could not be, less what that was no longer true of.
    pub shortfall: i64,
}

impl RollForward {
    fn add(&mut self, other: &RollForward) {
        self.opening += other.opening;
        self.granted += other.granted;
        self.applied += other.applied;
        self.reversed += other.reversed;
        self.settled += other.settled;
        self.closing += other.closing;
        self.shortfall += other.shortfall;
    }

    /// What no movement explains. It is zero, or the ledger is broken.
    pub const fn unexplained(&self) -> i64 {
        let moved = self.granted - self.applied - self.reversed - self.settled;
        self.closing - self.opening - moved
    }
}

/// What of all that is owed no movement explains, in each currency in which that is anything: then the ledger is broken.
pub fn unexplained(tx: &mut dyn Tx, place: &Place) -> Result<Vec<(Currency, i64)>, Fault> {
    let mut report: Report<RollForward> = BTreeMap::new();
    let all = booked_days::before(tx, place, Micros(i64::MAX))?;
    tally(&mut report, all, 1, |part| &mut part.closing);
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for ((currency, _), part) in report {
        *sums.entry(currency).or_default() += part.unexplained();
    }
    sums.retain(|_, amount| *amount != 0);
    Ok(sums.into_iter().collect())
}

/// How what is owed changed from one time up to, and without, another.
pub fn roll_forward(
    tx: &mut dyn Tx,
    place: &Place,
    from: Micros,
    to: Micros,
) -> Result<Report<RollForward>, Fault> {
    let mut report: Report<RollForward> = BTreeMap::new();
    tally(
        &mut report,
        booked_days::before(tx, place, from)?,
        -1,
        |part| &mut part.opening,
    );
    tally(
        &mut report,
        booked_days::before(tx, place, to)?,
        1,
        |part| &mut part.closing,
    );
    report.retain(|_, part| *part != RollForward::default());
    Ok(report)
}

/// Adds what was booked before one end of a range: with its sign to what moved, and as what was owed then.
fn tally(
    report: &mut Report<RollForward>,
    ledger: Ledger,
    sign: i64,
    owed: fn(&mut RollForward) -> &mut i64,
) {
    for ((currency, side, _), booked) in ledger {
        let part = report.entry((currency, side)).or_default();
        *owed(part) += booked.sums.open();
        part.granted += sign * booked.granted;
        part.applied += sign * booked.sums.applied;
        part.reversed += sign * booked.sums.reversed;
        part.settled += sign * booked.sums.settled;
        part.shortfall += sign * booked.sums.shortfall;
    }
}
