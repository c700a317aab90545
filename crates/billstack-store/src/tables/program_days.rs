//! What the log says of a project, added up by day and in all.
//!
//! The rows are added to by one worker, never by the operation that is counted: all applies of a project would wait
//! for one row. So they lag behind the log, up to the [mark](super::program_marks), and whoever reads adds what
//! comes after it. An event that takes back an earlier one counts against it; nothing is ever counted again.

use std::collections::BTreeMap;

use billstack_core::time::DAY;

use super::events::{Counted, CountedCredit};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    OF_DAYS = "SELECT day, figure, side, currency, number, amount FROM program_days \
        WHERE team_id = $1 AND project_id = $2 AND day BETWEEN $3 AND $4";
    CURRENCIES = "SELECT DISTINCT currency FROM program_days \
        WHERE team_id = $1 AND project_id = $2 AND day >= 0 AND figure = 'credited'";
    ADD = "INSERT INTO program_days \
        (team_id, project_id, day, figure, side, currency, number, amount) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (team_id, project_id, day, figure, side, currency) DO UPDATE SET \
        number = program_days.number + excluded.number, \
        amount = program_days.amount + excluded.amount";
}

/// The day of the figures that are of all days together.
pub(crate) const ALL_DAYS: i64 = -1;

/// What is counted.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Figure {
    /// The day, counted from 1970-01-01, or [`ALL_DAYS`].
    pub(crate) day: i64,
    /// Its name.
    pub(crate) name: String,
    /// The side of credits, where they are told apart by it.
    pub(crate) side: String,
    /// The currency of an amount.
    pub(crate) currency: String,
}

/// How many, and how much in all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sum {
    pub(crate) number: i64,
    pub(crate) amount: i64,
}

/// The figures of a project.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Figures(pub(crate) BTreeMap<Figure, Sum>);

impl Figures {
    /// Counts an event of the log.
    pub(crate) fn count(&mut self, event: &Counted) {
        let day = |at: Option<i64>| at.unwrap_or(event.at).div_euclid(DAY);
        match event.kind.as_str() {
            "code.created" => self.shift(&[("codes", 1), ("active_codes", 1)]),
            "code.deactivated" => self.shift(&[("active_codes", -1)]),
            "referral.applied" => {
                self.shift(&[("pending", 1)]);
                self.happened("referrals", day(None));
            }
            "referral.converted" => {
                self.shift(&[("pending", -1), ("converted", 1)]);
                self.happened("conversions", day(event.converted_at));
                // Of those who applied on a day, how many have converted since.
                self.happened("converted_of_applied", day(event.applied_at));
            }
            "referral.expired" => self.shift(&[("pending", -1), ("expired", 1)]),
            "credit.granted" => {
                let credit = event.credit.as_ref();
                self.happened("credits", day(credit.map(|credit| credit.at)));
                let Some(credit) = credit else { return };
                self.credited(credit);
                let Some(side) = &credit.granted.side else {
                    return;
                };
                let figure = Figure {
                    day: ALL_DAYS,
                    name: "credits".to_owned(),
                    side: side.clone(),
                    currency: credit.granted.currency.clone(),
                };
                let amount = credit.granted.amount;
                self.add(figure, Sum { number: 1, amount });
            }
            _ => {}
        }
    }

    /// What a credit comes to, on the day on which it was granted.
    fn credited(&mut self, credit: &CountedCredit) {
        let figure = Figure {
            day: credit.at.div_euclid(DAY),
            name: "credited".to_owned(),
            side: String::new(),
            currency: credit.granted.currency.clone(),
        };
        let amount = credit.granted.amount;
        self.add(figure, Sum { number: 1, amount });
    }

    /// How many there are by now changes.
    fn shift(&mut self, changes: &[(&str, i64)]) {
        for (name, by) in changes {
            self.tally(name, ALL_DAYS, *by);
        }
    }

    fn happened(&mut self, name: &str, day: i64) {
        self.tally(name, day, 1);
    }

    fn tally(&mut self, name: &str, day: i64, number: i64) {
        let figure = Figure {
            day,
            name: name.to_owned(),
            side: String::new(),
            currency: String::new(),
        };
        self.add(figure, Sum { number, amount: 0 });
    }

    fn add(&mut self, figure: Figure, sum: Sum) {
        let all = self.0.entry(figure).or_default();
        all.number += sum.number;
        all.amount += sum.amount;
    }

    /// A figure of all days that has neither side nor currency.
    pub(crate) fn of_all_days(&self, name: &str) -> i64 {
        let figure = Figure {
            day: ALL_DAYS,
            name: name.to_owned(),
            side: String::new(),
            currency: String::new(),
        };
        self.0.get(&figure).map_or(0, |sum| sum.number)
    }

    /// Adds what is kept of a project: of each day from the first to the last.
    pub(crate) fn add_kept(
        &mut self,
        tx: &mut dyn Tx,
        place: &Place,
        (first, last): (i64, i64),
    ) -> Result<(), Fault> {
        let days = params![&place.team_id, &place.project_id, first, last];
        tx.query(OF_DAYS, days, &mut |row| {
            self.add(figure(row)?, sum(row)?);
            Ok(())
        })
    }

    /// Adds these to what is kept of the project with these numbers.
    pub(crate) fn keep(&self, tx: &mut dyn Tx, team: i64, project: i64) -> Result<(), Fault> {
        for (figure, sum) in &self.0 {
            let row = params![
                team,
                project,
                figure.day,
                &figure.name,
                &figure.side,
                &figure.currency,
                sum.number,
                sum.amount,
            ];
            tx.must_later(ADD, row)?;
        }
        Ok(())
    }
}

/// The currencies in which credits were ever granted, as they are kept.
pub(crate) fn currencies(tx: &mut dyn Tx, place: &Place) -> Result<Vec<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    tx.all(CURRENCIES, scope, |row| row.string(0))
}

/// Adds clicks on share links of a project on a day. They are in no log; whoever writes them writes this.
pub(crate) fn add_clicks(
    tx: &mut dyn Tx,
    (team, project): (i64, i64),
    day: i64,
    clicks: i64,
) -> Result<(), Fault> {
    tx.must(
        ADD,
        params![team, project, day, "clicks", "", "", clicks, 0_i64],
    )
}

fn figure(row: &dyn Row) -> Result<Figure, Fault> {
    Ok(Figure {
        day: row.int(0)?,
        name: row.string(1)?,
        side: row.string(2)?,
        currency: row.string(3)?,
    })
}

fn sum(row: &dyn Row) -> Result<Sum, Fault> {
    Ok(Sum {
        number: row.int(4)?,
        amount: row.int(5)?,
    })
}
