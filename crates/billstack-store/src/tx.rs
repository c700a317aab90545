//! The seam between operations and engines.
//!
//! An operation is a synchronous function over [`Tx`]. It runs inside one transaction, may be run
//! again from the start, and therefore takes time and ids from outside. Both engines implement
//! [`Tx`] in one file each; nothing else in the workspace names a database driver.

use std::fmt;

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::money::{Amount, Currency};
use billstack_core::time::Micros;

use crate::refusal::Refusal;

/// A value bound to a parameter. Times, money and the numbers of teams and projects are 64-bit
/// integers, other ids and JSON are text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Val<'a> {
    /// A 64-bit integer: microseconds, minor units, counts, numbers of teams and projects.
    Int(i64),
    /// UTF-8 text without NUL.
    Text(&'a str),
    /// A flag.
    Bool(bool),
    /// The absence of a value of any type.
    Null,
}

impl<'a> From<&'a str> for Val<'a> {
    fn from(text: &'a str) -> Self {
        Val::Text(text)
    }
}
impl<'a> From<&'a String> for Val<'a> {
    fn from(text: &'a String) -> Self {
        Val::Text(text)
    }
}
impl From<&TeamId> for Val<'_> {
    fn from(id: &TeamId) -> Self {
        Val::Int(id.number())
    }
}
impl From<&ProjectId> for Val<'_> {
    fn from(id: &ProjectId) -> Self {
        Val::Int(id.number())
    }
}
impl From<i64> for Val<'_> {
    fn from(number: i64) -> Self {
        Val::Int(number)
    }
}
impl From<bool> for Val<'_> {
    fn from(flag: bool) -> Self {
        Val::Bool(flag)
    }
}
impl From<Micros> for Val<'_> {
    fn from(at: Micros) -> Self {
        Val::Int(at.0)
    }
}
impl From<Amount> for Val<'_> {
    fn from(amount: Amount) -> Self {
        Val::Int(amount.get())
    }
}
impl<'a> From<&'a Currency> for Val<'a> {
    fn from(currency: &'a Currency) -> Self {
        Val::Text(currency.as_str())
    }
}
impl<'a, T> From<Option<T>> for Val<'a>
where
    Val<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Val::Null, Val::from)
    }
}

/// Builds a parameter list: `params![team, project, at]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::tx::Val::from($value)),*] };
}

/// One row of a result. Decoding is strict: a value of another type is a [`Fault`].
pub trait Row {
    /// The integer in this column, `None` for null.
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Fault>;
    /// The text in this column, `None` for null.
    fn opt_text(&self, column: usize) -> Result<Option<&str>, Fault>;
    /// The flag in this column, `None` for null.
    fn opt_flag(&self, column: usize) -> Result<Option<bool>, Fault>;
}

impl dyn Row + '_ {
    /// The integer in this column; null is a fault.
    pub fn int(&self, column: usize) -> Result<i64, Fault> {
        self.opt_int(column)?.ok_or_else(|| Fault::decode(column))
    }
    /// The flag in this column; null is a fault.
    pub fn flag(&self, column: usize) -> Result<bool, Fault> {
        self.opt_flag(column)?.ok_or_else(|| Fault::decode(column))
    }
    /// The text in this column; null is a fault.
    pub fn text(&self, column: usize) -> Result<&str, Fault> {
        self.opt_text(column)?.ok_or_else(|| Fault::decode(column))
    }
    /// The text in this column as an owned string; null is a fault.
    pub fn string(&self, column: usize) -> Result<String, Fault> {
        self.text(column).map(str::to_owned)
    }
    /// The text in this column as an owned string, `None` for null.
    pub fn opt_string(&self, column: usize) -> Result<Option<String>, Fault> {
        Ok(self.opt_text(column)?.map(str::to_owned))
    }
    /// The time in this column; null is a fault.
    pub fn time(&self, column: usize) -> Result<Micros, Fault> {
        self.int(column).map(Micros)
    }
    /// The time in this column, `None` for null.
    pub fn opt_time(&self, column: usize) -> Result<Option<Micros>, Fault> {
        Ok(self.opt_int(column)?.map(Micros))
    }
    /// The team whose id, the text, is in this column; null is a fault.
    pub fn team_id(&self, column: usize) -> Result<TeamId, Fault> {
        self.text(column).map(TeamId::from)
    }
    /// The project whose id, the text, is in this column; null is a fault.
    pub fn project_id(&self, column: usize) -> Result<ProjectId, Fault> {
        self.text(column).map(ProjectId::from)
    }
    /// The project whose id, the text, is in this column, `None` for null.
    pub fn opt_project_id(&self, column: usize) -> Result<Option<ProjectId>, Fault> {
        Ok(self.opt_text(column)?.map(ProjectId::from))
    }
    /// The amount of money in this column, in minor units.
    pub fn amount(&self, column: usize) -> Result<Amount, Fault> {
        Amount::new(self.int(column)?).ok_or_else(|| Fault::decode(column))
    }
    /// The currency code in this column.
    pub fn currency(&self, column: usize) -> Result<Currency, Fault> {
        Currency::parse(self.text(column)?).ok_or_else(|| Fault::decode(column))
    }
    /// The text in this column, read by `parse`; text it does not know is a fault.
    pub fn parsed<T>(&self, column: usize, parse: fn(&str) -> Option<T>) -> Result<T, Fault> {
        parse(self.text(column)?).ok_or_else(|| Fault::decode(column))
    }
}

/// Receives one row after the other.
pub type EachRow<'a> = dyn FnMut(&dyn Row) -> Result<(), Fault> + 'a;

/// A query and its parameters.
pub type Query<'a> = (&'a str, &'a [Val<'a>]);

/// Receives one row after the other, each with the number of the query that found it.
pub type EachOf<'a> = dyn FnMut(usize, &dyn Row) -> Result<(), Fault> + 'a;

/// A transaction on either engine.
pub trait Tx {
    /// Runs a statement and tells how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[Val<'_>]) -> Result<u64, Fault>;
    /// Runs a query and hands every row to `each`.
    fn query(&mut self, sql: &str, params: &[Val<'_>], each: &mut EachRow<'_>)
    -> Result<(), Fault>;
    /// Whether nobody else writes until the transaction ends: then nothing that was read can change,
    /// and no name needs to be held.
    fn is_alone(&self) -> bool;
    /// Runs queries none of which needs what another finds, in their order, and hands every row to
    /// `each`.
    ///
    /// On PostgreSQL they share one way there and back; each sees what was committed when it begins.
    fn query_together(
        &mut self,
        queries: &[Query<'_>],
        each: &mut EachOf<'_>,
    ) -> Result<(), Fault> {
        for (number, (sql, params)) in queries.iter().enumerate() {
            self.query(sql, params, &mut |row| each(number, row))?;
        }
        Ok(())
    }
    /// Runs a write that must change exactly one row, and whose failure may be told later: by a
    /// later call, or when the operation has ended, which is then not kept.
    ///
    /// On PostgreSQL it is sent together with the next statement, which saves waiting for it.
    fn must_later(&mut self, sql: &str, params: &[Val<'_>]) -> Result<(), Fault> {
        exactly_one(self.execute(sql, params)?, sql)
    }
    /// Holds the named things of a team until the transaction ends, waiting for whoever holds them.
    ///
    /// SQLite has one writer, so there it does nothing. See the `dialect` module for when it is due.
    fn lock(&mut self, team_id: &TeamId, names: &[&str]) -> Result<(), Fault>;
}

impl dyn Tx + '_ {
    /// The first row of a query, decoded.
    pub fn one<T>(
        &mut self,
        sql: &str,
        params: &[Val<'_>],
        mut decode: impl FnMut(&dyn Row) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut found = None;
        self.query(sql, params, &mut |row| {
            if found.is_none() {
                found = Some(decode(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Every row of a query, decoded.
    pub fn all<T>(
        &mut self,
        sql: &str,
        params: &[Val<'_>],
        mut decode: impl FnMut(&dyn Row) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut rows = Vec::new();
        self.query(sql, params, &mut |row| {
            rows.push(decode(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Whether a query finds any row.
    pub fn exists(&mut self, sql: &str, params: &[Val<'_>]) -> Result<bool, Fault> {
        Ok(self.one(sql, params, |_| Ok(()))?.is_some())
    }

    /// Runs a conditional write that hits one row or none, and tells whether it hit.
    pub fn hit(&mut self, sql: &str, params: &[Val<'_>]) -> Result<bool, Fault> {
        match self.execute(sql, params)? {
            0 => Ok(false),
            changed => exactly_one(changed, sql).map(|()| true),
        }
    }

    /// Runs a write that must change exactly one row.
    pub fn must(&mut self, sql: &str, params: &[Val<'_>]) -> Result<(), Fault> {
        exactly_one(self.execute(sql, params)?, sql)
    }
}

/// Refuses any other number of changed rows than one.
pub(crate) fn exactly_one(changed: u64, sql: &str) -> Result<(), Fault> {
    match changed {
        0 => Err(Fault::Defect(format!(
            "no row changed where one must be: {sql}"
        ))),
        1 => Ok(()),
        more => Err(Fault::Defect(format!(
            "{more} rows changed where one may be: {sql}"
        ))),
    }
}

/// Why the store could not do its work. None of these says anything about the caller's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The queue is full; nothing was tried.
    Overloaded,
    /// The store is closing; nothing was tried.
    Closed,
    /// The database cannot be reached or refuses to work (disk full, read-only); nothing changed.
    Unavailable(String),
    /// The connection was lost while committing: the change may or may not be there.
    Unknown(String),
    /// Another transaction was in the way; the engine runs the operation again.
    Conflict(String),
    /// A defect of ours: a statement that fails, a value of the wrong type, a broken invariant.
    Defect(String),
    /// The operation panicked and was rolled back.
    Panicked(String),
}

impl Fault {
    /// A value that is not of the type its column promises.
    pub fn decode(column: usize) -> Fault {
        Fault::Defect(format!("column {column} holds a value of another type"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Overloaded => f.write_str("the write queue is full"),
            Fault::Closed => f.write_str("the store is closing"),
            Fault::Unavailable(why) => write!(f, "database unavailable: {why}"),
            Fault::Unknown(why) => write!(f, "connection lost while committing: {why}"),
            Fault::Conflict(why) => write!(f, "conflict with another transaction: {why}"),
            Fault::Defect(why) => write!(f, "defect: {why}"),
            Fault::Panicked(why) => write!(f, "operation panicked: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// Why an operation ended without a result: the state refuses it, or the store failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Abort {
    /// The rules refuse the change. Whatever the operation wrote is rolled back.
    Refused(Refusal),
    /// The store failed.
    Fault(Fault),
}

impl From<Fault> for Abort {
    fn from(fault: Fault) -> Self {
        Abort::Fault(fault)
    }
}

impl From<Refusal> for Abort {
    fn from(refusal: Refusal) -> Self {
        Abort::Refused(refusal)
    }
}

/// Declares the SQL of a module as constants and lists them in `STATEMENTS`, so that a test can
/// prepare every one of them on both engines.
#[macro_export]
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$meta])* pub(crate) const $name: &str = $sql;)*
        /// Every statement of this module, by name.
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
