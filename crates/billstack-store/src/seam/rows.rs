//! What goes into a statement, and what comes out of a query.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::money::{Amount, Currency};
use billstack_core::time::Micros;

use super::fault::Fault;

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
    ($($value:expr),* $(,)?) => { &[$($crate::seam::rows::Val::from($value)),*] };
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
        self.read(column, Currency::read)
    }
    /// The text in this column, read by `read`; text that it cannot read is a fault.
    pub fn read<T>(&self, column: usize, read: fn(&str) -> Option<T>) -> Result<T, Fault> {
        read(self.text(column)?).ok_or_else(|| Fault::decode(column))
    }
    /// The same, where the column may hold nothing.
    pub fn opt_read<T>(
        &self,
        column: usize,
        read: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.opt_text(column)? {
            Some(text) => read(text).map(Some).ok_or_else(|| Fault::decode(column)),
            None => Ok(None),
        }
    }
}

/// Receives one row after the other.
pub type EachRow<'a> = dyn FnMut(&dyn Row) -> Result<(), Fault> + 'a;
