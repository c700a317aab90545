//! Counts and sums of a project's program.

use std::collections::BTreeMap;

use billstack_core::credit::Side;
use billstack_core::money::Currency;
use billstack_core::referral::Status;
use billstack_core::time::{DAY, Micros};

use crate::seam::{Fault, Place, Row, Tx, Val};
use crate::{params, statements};

statements! {
    CODES = "SELECT COUNT(*) FROM codes WHERE team_id = $1 AND project_id = $2";
    ACTIVE_CODES = "SELECT COUNT(*) FROM codes WHERE team_id = $1 AND project_id = $2 \
        AND is_active";
    REFERRALS = "SELECT status, COUNT(*) FROM referrals WHERE team_id = $1 AND project_id = $2 \
        GROUP BY status";
    CREDITS = "SELECT side, currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM credits \
        WHERE team_id = $1 AND project_id = $2 AND side IS NOT NULL \
        GROUP BY side, currency ORDER BY side, currency";
    CREATED_BY_DAY = "SELECT created_at / $4, COUNT(*) FROM referrals \
        WHERE team_id = $1 AND project_id = $2 AND created_at >= $3 GROUP BY 1";
    CONVERTED_BY_DAY = "SELECT converted_at / $4, COUNT(*) FROM referrals \
        WHERE team_id = $1 AND project_id = $2 AND converted_at >= $3 GROUP BY 1";
    CREDITS_BY_DAY = "SELECT created_at / $4, COUNT(*) FROM credits \
        WHERE team_id = $1 AND project_id = $2 AND created_at >= $3 GROUP BY 1";
}

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

/// Counts a whole project, and day by day from the day of `since` on.
pub fn stats(tx: &mut dyn Tx, place: &Place, since: Micros) -> Result<Stats, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    let mut stats = Stats {
        codes: count(tx, CODES, scope)?,
        active_codes: count(tx, ACTIVE_CODES, scope)?,
        ..Stats::default()
    };
    let by_status = tx.all(REFERRALS, scope, |row| {
        Ok((row.read(0, Status::read)?, row.int(1)?))
    })?;
    for (status, count) in by_status {
        match status {
            Status::Pending => stats.pending = count,
            Status::Converted => stats.converted = count,
            Status::Expired => stats.expired = count,
            // Of a newer version, which has a figure for it.
            Status::Other(_) => {}
        }
    }
    stats.credits = tx.all(CREDITS, scope, |row| {
        Ok(CreditSum {
            side: row.read(0, Side::read)?,
            currency: row.currency(1)?,
            count: row.int(2)?,
            amount: row.int(3)?,
        })
    })?;
    stats.days = days(tx, place, since)?;
    Ok(stats)
}

/// The number of a day that a query fills in.
type Member = fn(&mut Day) -> &mut i64;

fn count(tx: &mut dyn Tx, sql: &str, params: &[Val<'_>]) -> Result<i64, Fault> {
    Ok(tx.one(sql, params, |row| row.int(0))?.unwrap_or(0))
}

fn days(tx: &mut dyn Tx, place: &Place, since: Micros) -> Result<Vec<Day>, Fault> {
    // A whole day is counted or none of it. Both engines divide towards zero, which is down from
    // 1970 on; nothing here is older.
    let first = Micros((since.0.max(0) / DAY) * DAY);
    let scope = params![&place.team_id, &place.project_id, first, DAY];
    let mut days: BTreeMap<i64, Day> = BTreeMap::new();
    let counts: [(&str, Member); 3] = [
        (CREATED_BY_DAY, |day| &mut day.referrals),
        (CONVERTED_BY_DAY, |day| &mut day.conversions),
        (CREDITS_BY_DAY, |day| &mut day.credits),
    ];
    for (sql, member) in counts {
        let pair = |row: &dyn Row| Ok((row.int(0)?, row.int(1)?));
        for (number, count) in tx.all(sql, scope, pair)? {
            let day = days.entry(number).or_default();
            day.day = number;
            *member(day) = count;
        }
    }
    Ok(days.into_values().collect())
}
