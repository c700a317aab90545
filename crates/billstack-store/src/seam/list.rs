//! Lists: filters, order and pages, the same way for every resource.
//!
//! The text of a query depends only on which filters are given, never on their values, so each
//! engine prepares a handful of statements per list. Pages go by key (`after`), whatever the depth;
//! `offset` is kept for short lists.

use std::cell::Cell;
use std::sync::OnceLock;

use billstack_core::time::Micros;

use super::rows::EachRow;
use super::{Fault, Row, Tx, Val};

/// The most bytes of rows in one page, where the answer shall stay below 1 MiB: the row that reaches it is the
/// last one, and its text is at most [`LARGEST_ROW`].
const LARGEST_PAGE: usize = (1 << 20) - LARGEST_ROW;

/// More than the texts of any row, which are bounded where they come in.
const LARGEST_ROW: usize = 64 * 1024;

/// What a row takes besides its texts: the names of its members, numbers and times.
const ROW_OVERHEAD: usize = 512;

/// How rows of a list may be narrowed.
#[derive(Clone, Copy, Debug)]
pub enum Filter {
    /// The column equals a text.
    Equals(&'static str),
    /// The same, where few rows do: they are found by it and sorted. Their order is asked for in a form that no index
    /// has, or PostgreSQL might read the whole list in its order instead, in search of them.
    Few(&'static str),
    /// The column is among what a query finds whose last condition, a column, equals a text.
    Within(&'static str, &'static str),
    /// A condition without a value, such as `is_active`.
    Holds(&'static str),
}

/// Which way a list runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// By time and key, the newest first.
    NewestFirst,
    /// By time and key, the oldest first.
    OldestFirst,
}

/// The shape of a list. `select` ends in a condition that uses `$1` to `$scope`.
pub struct List {
    /// Its name, for the test that prepares every statement.
    pub name: &'static str,
    /// `SELECT … FROM … WHERE …` with the tenant's columns bound.
    pub select: &'static str,
    /// How many parameters `select` takes.
    pub scope: usize,
    /// What a caller may narrow it by.
    pub filters: &'static [Filter],
    /// The column of the time, then the column that makes the order total.
    pub keys: [&'static str; 2],
    /// Which way it runs.
    pub order: Order,
    /// The texts of its queries, once made.
    pub texts: Texts,
}

/// The texts of the queries of a list, made when the first is needed.
#[derive(Debug, Default)]
pub struct Texts(OnceLock<Vec<String>>);

impl Texts {
    /// None are made yet.
    pub const fn new() -> Texts {
        Texts(OnceLock::new())
    }
}

/// The value given for each filter of a list, in the list's order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Not asked for.
    Any,
    /// The column equals this.
    Is(String),
    /// The condition holds.
    Holds,
}

impl From<Option<String>> for Wanted {
    fn from(value: Option<String>) -> Self {
        value.map_or(Wanted::Any, Wanted::Is)
    }
}

/// The place of a row in a list; a page starts after it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor {
    /// The row's time, in microseconds.
    pub at: i64,
    /// The row's key.
    pub key: String,
}

impl Cursor {
    /// An opaque text for callers.
    pub fn encode(&self) -> String {
        format!("{:x}.{}", self.at, self.key)
    }

    /// Reads what [`Cursor::encode`] wrote.
    pub fn decode(text: &str) -> Option<Cursor> {
        let (at, key) = text.split_once('.')?;
        // So many digits always fit, which lets the API document state the form exactly.
        let hex = at.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) && at.len() <= 15;
        let at = i64::from_str_radix(at, 16).ok().filter(|_| hex)?;
        let length = key.chars().take(256).count();
        let plausible = (1..=255).contains(&length) && !key.contains('\0');
        plausible.then(|| Cursor {
            at,
            key: key.to_owned(),
        })
    }
}

/// The last row shown, for lists whose rows are not kept.
#[derive(Debug, Default)]
pub(crate) struct Last {
    at: i64,
    key: String,
}

impl Last {
    /// A row has been shown.
    pub(crate) fn set(&mut self, at: Micros, key: &str) {
        self.at = at.0;
        self.key.clear();
        self.key.push_str(key);
    }

    /// The place of the last row, when there are more after it.
    pub(crate) fn cursor(self, more: bool) -> Option<Cursor> {
        more.then_some(Cursor {
            at: self.at,
            key: self.key,
        })
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct Page {
    /// The most rows to return, 1..=1000. A page of large rows ends before.
    pub limit: i64,
    /// Rows to skip.
    pub offset: i64,
    /// Start after this row.
    pub after: Option<Cursor>,
}

impl Page {
    /// The first so many rows.
    pub const fn first(limit: i64) -> Page {
        Page {
            limit,
            offset: 0,
            after: None,
        }
    }
}

/// A part of a list, and where the next part begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Present when there is more.
    pub next: Option<Cursor>,
}

impl List {
    /// The text of the query for a choice of filters.
    pub(crate) fn sql(&self, chosen: &[bool], after: bool) -> String {
        let mut sql = self.select.to_owned();
        let mut parameter = self.scope;
        let mut next = || {
            parameter += 1;
            parameter
        };
        for (filter, _) in self
            .filters
            .iter()
            .zip(chosen)
            .filter(|(_, chosen)| **chosen)
        {
            match filter {
                Filter::Equals(column) | Filter::Few(column) => {
                    sql.push_str(&format!(" AND {column} = ${}", next()))
                }
                Filter::Within(column, query) => {
                    sql.push_str(&format!(" AND {column} IN ({query} = ${})", next()));
                }
                Filter::Holds(condition) => sql.push_str(&format!(" AND {condition}")),
            }
        }
        let [time, key] = self.keys;
        let is_few =
            |(filter, chosen): (&Filter, &bool)| *chosen && matches!(filter, Filter::Few(_));
        let time = match self.filters.iter().zip(chosen).any(is_few) {
            true => format!("{time} + 0"),
            false => time.to_owned(),
        };
        let (sign, way) = match self.order {
            Order::NewestFirst => ("<", "DESC"),
            Order::OldestFirst => (">", "ASC"),
        };
        if after {
            sql.push_str(&format!(
                " AND ({time}, {key}) {sign} (${}, ${})",
                next(),
                next()
            ));
        }
        sql.push_str(&format!(
            " ORDER BY {time} {way}, {key} {way} LIMIT ${} OFFSET ${}",
            next(),
            next()
        ));
        sql
    }

    /// The text of [`List::sql`] as [`List::variants`] made it.
    fn text(&self, wanted: &[Wanted], after: bool) -> &str {
        let texts = self.texts.0.get_or_init(|| self.variants());
        let chosen = wanted.iter().rev();
        let mask = chosen.fold(0, |mask, wanted| {
            mask << 1 | usize::from(*wanted != Wanted::Any)
        });
        &texts[mask << 1 | usize::from(after)]
    }

    /// Every text that [`List::sql`] can make, by the filters chosen and whether a cursor is given.
    pub(crate) fn variants(&self) -> Vec<String> {
        let mut variants = Vec::new();
        for mask in 0..1_u32 << self.filters.len() {
            let chosen: Vec<bool> = (0..self.filters.len())
                .map(|i| mask >> i & 1 == 1)
                .collect();
            variants.extend([self.sql(&chosen, false), self.sql(&chosen, true)]);
        }
        variants
    }

    /// Reads a page. `place` finds a decoded row in the order.
    pub fn read<T>(
        &self,
        tx: &mut dyn Tx,
        scope: &[Val<'_>],
        wanted: &[Wanted],
        page: &Page,
        mut decode: impl FnMut(&dyn Row) -> Result<T, Fault>,
        place: impl Fn(&T) -> Cursor,
    ) -> Result<Part<T>, Fault> {
        let mut rows = Vec::new();
        let more = self.visit(tx, scope, wanted, page, &mut |row| {
            rows.push(decode(row)?);
            Ok(())
        })?;
        let next = rows.last().filter(|_| more).map(place);
        Ok(Part { rows, next })
    }

    /// Shows each row of a page to `each`, and tells whether there are more after it.
    ///
    /// A page is full by its bytes too, or a thousand large rows would make one huge answer.
    pub fn visit(
        &self,
        tx: &mut dyn Tx,
        scope: &[Val<'_>],
        wanted: &[Wanted],
        page: &Page,
        each: &mut EachRow<'_>,
    ) -> Result<bool, Fault> {
        if scope.len() != self.scope || wanted.len() != self.filters.len() {
            return Err(Fault::Defect(format!(
                "list {} is read with other filters",
                self.name
            )));
        }
        let mut params = scope.to_vec();
        params.extend(wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Is(value) => Some(Val::Text(value)),
            Wanted::Holds | Wanted::Any => None,
        }));
        if let Some(after) = &page.after {
            params.extend([Val::Int(after.at), Val::Text(&after.key)]);
        }
        // One row more than asked for tells whether there is a next page.
        params.extend([Val::Int(page.limit + 1), Val::Int(page.offset)]);
        let (mut seen, mut bytes, mut more) = (0, 0, false);
        tx.query(
            self.text(wanted, page.after.is_some()),
            &params,
            &mut |row| {
                if seen == page.limit || bytes >= LARGEST_PAGE {
                    more = true;
                    return Ok(());
                }
                seen += 1;
                let row = Weighed::new(row);
                each(&row)?;
                bytes += row.bytes.get();
                Ok(())
            },
        )?;
        Ok(more)
    }
}

/// A row that counts the bytes that are read of it.
struct Weighed<'r> {
    row: &'r dyn Row,
    bytes: Cell<usize>,
}

impl<'r> Weighed<'r> {
    fn new(row: &'r dyn Row) -> Weighed<'r> {
        let bytes = Cell::new(ROW_OVERHEAD);
        Weighed { row, bytes }
    }
}

impl Row for Weighed<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Fault> {
        self.row.opt_int(column)
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, Fault> {
        let text = self.row.opt_text(column)?;
        self.bytes.set(self.bytes.get() + text.map_or(0, str::len));
        Ok(text)
    }

    fn opt_flag(&self, column: usize) -> Result<Option<bool>, Fault> {
        self.row.opt_flag(column)
    }
}
