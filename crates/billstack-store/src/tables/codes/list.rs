//! Lists of codes: filters and orders, and what each code has brought.

use billstack_core::time::Micros;

use super::super::code_totals::CodeTotal;
use super::split;
use crate::params;
use crate::seam::list::{Cursor, Filter, Last, List, Order, Page, Texts, Wanted};
use crate::seam::{Fault, Place, Row, Tx};

/// A code with its totals, of which one that is new has none yet, by what follows the `WHERE`.
macro_rules! codes_where {
    ($condition:literal) => {
        concat!(
            "SELECT c.code, c.customer_id, c.is_active, c.created_at, c.names, COALESCE(t.clicks, 0), \
             COALESCE(t.applied, 0), COALESCE(t.converted, 0) FROM codes c \
             LEFT JOIN code_totals t ON t.team_id = c.team_id AND t.project_id = c.project_id AND t.code = c.code \
             WHERE c.team_id = $1 AND c.project_id = $2",
            $condition
        )
    };
}

/// Every list of codes.
pub(crate) const LISTS: &[&List] = &[&LIST, &OF_TIME, &BY_CLICKS, &BY_APPLIED, &BY_CONVERTED];

const FILTERS: &[Filter] = &[
    Filter::Equals("c.customer_id"),
    Filter::Holds("c.is_active"),
];

static LIST: List = List {
    name: "codes",
    select: codes_where!(""),
    scope: 2,
    filters: FILTERS,
    keys: ["c.created_at", "c.code"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

static OF_TIME: List = List {
    name: "codes of a time",
    select: codes_where!(" AND c.created_at >= $3 AND c.created_at < $4"),
    scope: 4,
    filters: FILTERS,
    keys: ["c.created_at", "c.code"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// A list in the order of a figure: only codes that have totals are in it.
macro_rules! by_figure {
    ($name:literal, $figure:literal) => {
        List {
            name: $name,
            select: "SELECT c.code, c.customer_id, c.is_active, c.created_at, c.names, t.clicks, t.applied, \
                t.converted FROM code_totals t JOIN codes c ON c.team_id = t.team_id \
                AND c.project_id = t.project_id AND c.code = t.code WHERE t.team_id = $1 AND t.project_id = $2",
            scope: 2,
            filters: &[
                // There are few to each customer, and none is looked for among all.
                Filter::Few("c.customer_id"),
                Filter::Holds("c.is_active"),
            ],
            keys: [$figure, "t.code"],
            order: Order::NewestFirst,
            texts: Texts::new(),
        }
    };
}

static BY_CLICKS: List = by_figure!("codes by clicks", "t.clicks");
static BY_APPLIED: List = by_figure!("codes by referrals", "t.applied");
static BY_CONVERTED: List = by_figure!("codes by conversions", "t.converted");

/// A code as a list shows it, borrowed from its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<'r> {
    /// Eight upper-case letters and digits.
    pub code: &'r str,
    /// The referrer it belongs to.
    pub customer_id: &'r str,
    /// Whether it can be applied.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Micros,
    /// Its other names, the present one first.
    pub names: Vec<&'r str>,
}

/// By what codes are in order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CodeSort {
    /// The newest first.
    #[default]
    Newest,
    /// By clicks on their links, as they are kept.
    Clicks,
    /// By referrals, as they are kept.
    Applied,
    /// By conversions, as they are kept.
    Converted,
}

impl CodeSort {
    /// The figure by which a code with this total stands; of time there is none.
    pub(crate) const fn of(self, total: CodeTotal) -> i64 {
        match self {
            CodeSort::Newest => 0,
            CodeSort::Clicks => total.clicks,
            CodeSort::Applied => total.applied,
            CodeSort::Converted => total.converted,
        }
    }
}

/// What a list of codes may be narrowed by, and its order.
#[derive(Clone, Debug, Default)]
pub struct CodeFilter {
    /// Whose they are.
    pub customer_id: Option<String>,
    /// Only those that can be applied.
    pub active_only: bool,
    /// Made at this time or later. In the order of time alone.
    pub from: Option<Micros>,
    /// Made before this time. In the order of time alone.
    pub to: Option<Micros>,
    /// The order.
    pub sort: CodeSort,
}

/// A code of a list, and what is kept of what it has brought.
pub type WithTotal<'r> = (Listed<'r>, CodeTotal);

fn decode(row: &dyn Row) -> Result<WithTotal<'_>, Fault> {
    let listed = Listed {
        code: row.text(0)?,
        customer_id: row.text(1)?,
        is_active: row.flag(2)?,
        created_at: row.time(3)?,
        names: split(row.opt_text(4)?),
    };
    Ok((listed, CodeTotal::decode(row, 5)?))
}

/// Shows codes, and tells where the next page begins.
pub(crate) fn list(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &CodeFilter,
    page: &Page,
    mut each: impl FnMut(WithTotal<'_>),
) -> Result<Option<Cursor>, Fault> {
    let wanted = [
        Wanted::from(filter.customer_id.clone()),
        match filter.active_only {
            true => Wanted::Holds,
            false => Wanted::Any,
        },
    ];
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let mut last = Last::default();
    let mut show = |row: &dyn Row| {
        let (listed, total) = decode(row)?;
        let at = match filter.sort {
            CodeSort::Newest => listed.created_at,
            by_figure => Micros(by_figure.of(total)),
        };
        last.set(at, listed.code);
        each((listed, total));
        Ok(())
    };
    let of_project = params![team_id, project_id];
    let is_of_time = filter.from.is_some() || filter.to.is_some();
    let more = match filter.sort {
        CodeSort::Newest if is_of_time => {
            // A page begins where the one before ended, not at the newest row of the range.
            let after = page.after.as_ref().map_or(i64::MAX, |after| after.at);
            let from = filter.from.unwrap_or(Micros(i64::MIN));
            let to = filter.to.unwrap_or(Micros(i64::MAX));
            let to = to.min(Micros(after.saturating_add(1)));
            let scope = params![team_id, project_id, from, to];
            OF_TIME.visit(tx, scope, &wanted, page, &mut show)?
        }
        CodeSort::Newest => LIST.visit(tx, of_project, &wanted, page, &mut show)?,
        CodeSort::Clicks => BY_CLICKS.visit(tx, of_project, &wanted, page, &mut show)?,
        CodeSort::Applied => BY_APPLIED.visit(tx, of_project, &wanted, page, &mut show)?,
        CodeSort::Converted => BY_CONVERTED.visit(tx, of_project, &wanted, page, &mut show)?,
    };
    Ok(last.cursor(more))
}
