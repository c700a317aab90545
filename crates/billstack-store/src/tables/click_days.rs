//! How often links were followed, by code, day of UTC and channel.

use billstack_core::time::DAY;

use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    ADD = "INSERT INTO click_days (team_id, project_id, code, day, channel, clicks) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (team_id, project_id, code, day, channel) \
        DO UPDATE SET clicks = click_days.clicks + excluded.clicks";
    OF_CODE = "SELECT day, channel, clicks FROM click_days \
        WHERE team_id = $1 AND project_id = $2 AND code = $3 AND day >= $4 AND day <= $5 ORDER BY day, channel";
}

/// What is counted together: the clicks on the links of a code on a day by a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counted {
    /// The code itself.
    pub code: String,
    /// The number of the day of UTC.
    pub day: i64,
    pub channel: String,
}

impl Counted {
    /// When the day begins, in microseconds.
    pub fn begins(&self) -> i64 {
        self.day.saturating_mul(DAY)
    }
}

/// Adds clicks.
pub(crate) fn add(
    tx: &mut dyn Tx,
    place: &Place,
    counted: &Counted,
    clicks: i64,
) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        &counted.code,
        counted.day,
        &counted.channel,
        clicks,
    ];
    tx.must(ADD, row)
}

/// The clicks on the links of a code on the days from the first to the last.
pub fn of_code(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
    first: i64,
    last: i64,
) -> Result<Vec<(Counted, i64)>, Fault> {
    let scope = params![&place.team_id, &place.project_id, code, first, last];
    tx.all(OF_CODE, scope, |row| {
        let counted = Counted {
            code: code.to_owned(),
            day: row.int(0)?,
            channel: row.string(1)?,
        };
        Ok((counted, row.int(2)?))
    })
}
