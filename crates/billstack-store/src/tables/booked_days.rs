//! The ledger added up: what was booked on a day on each account, by the day on which the credits were granted.
//!
//! The rows are added to by one worker, as those of [`program_days`](super::program_days) are, up to a mark for each
//! project; whoever reads adds what was booked since. Nothing else is told by these rows: they could be made anew.

use std::collections::BTreeMap;

use billstack_core::money::Currency;
use billstack_core::time::{DAY, Micros};

use super::booked_marks;
use super::finance::Sums;
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

/// The columns of [`Booked`], from the sums of lines `l` of entries `e`.
macro_rules! sums_of_lines {
    () => {
        "CAST(SUM(CASE WHEN l.account = 'held' THEN l.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN l.account = 'customer' THEN l.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN l.account = 'stripe' THEN l.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN l.account = 'applied' THEN l.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN l.account = 'settled' THEN l.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN l.account = 'program' AND e.seq > 1 THEN l.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN l.account = 'shortfall' THEN l.amount ELSE 0 END) AS BIGINT), \
         CAST(SUM(CASE WHEN l.account = 'program' AND e.seq = 1 THEN -l.amount ELSE 0 END) AS BIGINT)"
    };
}

statements! {
    OF_DAYS = "SELECT currency, side, granted_day, CAST(SUM(held) AS BIGINT), CAST(SUM(available) AS BIGINT), \
        CAST(SUM(delivered) AS BIGINT), CAST(SUM(applied) AS BIGINT), CAST(SUM(settled) AS BIGINT), \
        CAST(SUM(reversed) AS BIGINT), CAST(SUM(shortfall) AS BIGINT), CAST(SUM(granted) AS BIGINT) \
        FROM booked_days WHERE team_id = $1 AND project_id = $2 AND day < $3 GROUP BY currency, side, granted_day";
    OF_EACH_DAY = "SELECT currency, '', day, CAST(SUM(held) AS BIGINT), CAST(SUM(available) AS BIGINT), \
        CAST(SUM(delivered) AS BIGINT), CAST(SUM(applied) AS BIGINT), CAST(SUM(settled) AS BIGINT), \
        CAST(SUM(reversed) AS BIGINT), CAST(SUM(shortfall) AS BIGINT), CAST(SUM(granted) AS BIGINT) \
        FROM booked_days WHERE team_id = $1 AND project_id = $2 AND day < $3 GROUP BY currency, day";
    /// What was booked in a time, by the day of booking too. Days are whole numbers: no time is before 1970.
    BOOKED = concat!("SELECT c.currency, COALESCE(c.side, 'manual'), c.created_at / 86400000000 AS granted_day, ",
        sums_of_lines!(), ", e.created_at / 86400000000 AS booked_day FROM entries e \
        JOIN entry_lines l ON l.team_id = e.team_id AND l.project_id = e.project_id \
        AND l.credit_id = e.credit_id AND l.seq = e.seq JOIN credits c ON c.team_id = e.team_id \
        AND c.project_id = e.project_id AND c.id = e.credit_id WHERE e.team_id = $1 AND e.project_id = $2 \
        AND e.created_at >= $3 AND e.created_at < $4 \
        GROUP BY c.currency, COALESCE(c.side, 'manual'), granted_day, booked_day");
    ADD = "INSERT INTO booked_days (team_id, project_id, day, granted_day, currency, side, held, available, \
        delivered, applied, settled, reversed, shortfall, granted) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
        ON CONFLICT (team_id, project_id, day, granted_day, currency, side) DO UPDATE SET \
        held = booked_days.held + excluded.held, available = booked_days.available + excluded.available, \
        delivered = booked_days.delivered + excluded.delivered, applied = booked_days.applied + excluded.applied, \
        settled = booked_days.settled + excluded.settled, reversed = booked_days.reversed + excluded.reversed, \
        shortfall = booked_days.shortfall + excluded.shortfall, granted = booked_days.granted + excluded.granted";
}

/// What was booked, by currency, side, and the day on which the credits were granted.
pub(crate) type Ledger = BTreeMap<(Currency, String, i64), Booked>;

/// Sums of what was booked on each account, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Booked {
    /// What became of credits.
    pub(crate) sums: Sums,
    /// What was granted by first entries.
    pub(crate) granted: i64,
}

impl Booked {
    pub(crate) fn add(&mut self, other: &Booked) {
        self.sums = self.sums.plus(&other.sums);
        self.granted += other.granted;
    }
}

/// Reads the first three columns, and sums from the fourth on.
fn decode(row: &dyn Row) -> Result<((Currency, String, i64), Booked), Fault> {
    let of = (row.currency(0)?, row.string(1)?, row.int(2)?);
    let booked = Booked {
        sums: Sums {
            held: row.int(3)?,
            available: row.int(4)?,
            delivered: row.int(5)?,
            applied: row.int(6)?,
            settled: row.int(7)?,
            reversed: row.int(8)?,
            shortfall: row.int(9)?,
        },
        granted: row.int(10)?,
    };
    Ok((of, booked))
}

/// All that was booked in a project before a time.
pub(crate) fn before(tx: &mut dyn Tx, place: &Place, time: Micros) -> Result<Ledger, Fault> {
    let (team, project) = (place.team_id.number(), place.project_id.number());
    // The last day may not be over, or not be added up to its end.
    let day = booked_marks::get(tx, team, project)?
        .min(time)
        .0
        .div_euclid(DAY);
    let mut ledger = Ledger::new();
    tx.query(OF_DAYS, params![team, project, day], &mut |row| {
        let (of, booked) = decode(row)?;
        ledger.entry(of).or_default().add(&booked);
        Ok(())
    })?;
    let since = params![team, project, day.saturating_mul(DAY), time];
    tx.query(BOOKED, since, &mut |row| {
        let (of, booked) = decode(row)?;
        ledger.entry(of).or_default().add(&booked);
        Ok(())
    })?;
    Ok(ledger)
}

/// All that was booked in a project before a time, by the day of booking and by currency.
pub(crate) fn by_day(
    tx: &mut dyn Tx,
    place: &Place,
    time: Micros,
) -> Result<BTreeMap<(i64, Currency), Booked>, Fault> {
    let (team, project) = (place.team_id.number(), place.project_id.number());
    let mark = booked_marks::get(tx, team, project)?.min(time);
    let until = mark.0.div_euclid(DAY);
    let mut days: BTreeMap<(i64, Currency), Booked> = BTreeMap::new();
    tx.query(OF_EACH_DAY, params![team, project, until], &mut |row| {
        let ((currency, _, day), booked) = decode(row)?;
        days.entry((day, currency)).or_default().add(&booked);
        Ok(())
    })?;
    let since = params![team, project, until.saturating_mul(DAY), time];
    tx.query(BOOKED, since, &mut |row| {
        let ((currency, _, _), booked) = decode(row)?;
        days.entry((row.int(11)?, currency))
            .or_default()
            .add(&booked);
        Ok(())
    })?;
    Ok(days)
}

/// Adds up what was booked in a project before a time. Nothing may be booked there any more, and nobody else may do
/// the same.
pub(crate) fn add_up(
    tx: &mut dyn Tx,
    team: i64,
    project: i64,
    before: Micros,
) -> Result<(), Fault> {
    let from = booked_marks::get(tx, team, project)?;
    if before <= from {
        return Ok(());
    }
    let booked = tx.all(BOOKED, params![team, project, from, before], |row| {
        Ok((decode(row)?, row.int(11)?))
    })?;
    for (((currency, side, granted_day), booked), day) in &booked {
        let sums = booked.sums;
        let row = params![
            team,
            project,
            *day,
            *granted_day,
            currency,
            side,
            sums.held,
            sums.available,
            sums.delivered,
            sums.applied,
            sums.settled,
            sums.reversed,
            sums.shortfall,
            booked.granted,
        ];
        tx.must_later(ADD, row)?;
    }
    if booked.is_empty() {
        return Ok(());
    }
    booked_marks::set(tx, team, project, before)
}
