//! How often links were followed, by code, day of UTC and channel.

use billstack_core::period::Days;
use billstack_core::time::DAY;

use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    ADD = "INSERT INTO click_days (team_id, project_id, code, day, channel, clicks) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (team_id, project_id, code, day, channel) \
        DO UPDATE SET clicks = click_days.clicks + excluded.clicks";
    OF_CODE = "SELECT day, channel, clicks FROM click_days \
        WHERE team_id = $1 AND project_id = $2 AND code = $3 AND day >= $4 AND day <= $5 ORDER BY day, channel";
}

/// Every list of clicks.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "clicks",
    select: "SELECT day, channel, clicks, code FROM click_days \
        WHERE team_id = $1 AND project_id = $2 AND day >= $3 AND day <= $4",
    scope: 4,
    filters: &[],
    keys: ["day", "(code || ' ' || channel)"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

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

/// The clicks on all links of a project on these days, the last day first.
pub(crate) fn list(
    tx: &mut dyn Tx,
    place: &Place,
    days: Days,
    page: &Page,
) -> Result<Part<(Counted, i64)>, Fault> {
    // A page begins where the one before ended, not at the last of the days.
    let after = page.after.as_ref().map_or(i64::MAX, |after| after.at);
    let last = days.last.min(after);
    let scope = params![&place.team_id, &place.project_id, days.first, last];
    let decode = |row: &dyn Row| {
        let counted = Counted {
            code: row.string(3)?,
            day: row.int(0)?,
            channel: row.string(1)?,
        };
        Ok((counted, row.int(2)?))
    };
    LIST.read(tx, scope, &[], page, decode, |(counted, _)| Cursor {
        at: counted.day,
        key: format!("{} {}", counted.code, counted.channel),
    })
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
