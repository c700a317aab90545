//! A transaction, as operations see it.
//!
//! An operation is a synchronous function over [`Tx`]. It runs inside one transaction, may be run
//! again from the start, and therefore takes time and ids from outside. Each engine implements
//! [`Tx`] in one file; nothing else in the workspace names a database driver.

use billstack_core::ids::TeamId;

pub use super::fault::Fault;
pub use super::rows::{EachRow, Row, Val};

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
    /// Asks a question whose answer [`Tx::query`] with the same text and values gives later in the transaction, and
    /// tells whether it did. For transactions that only read: they see one snapshot, so the answer stays true.
    ///
    /// Only PostgreSQL does: the question travels with the next statement, which saves waiting for its answer, and
    /// is asked once for all reads that share the transaction.
    fn ask_ahead(&mut self, sql: &str, params: &[Val<'_>]) -> Result<bool, Fault>;
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

    /// Asks questions none of which needs the answer to another, in one flight where the engine has
    /// such: see [`Tx::query_together`].
    pub fn ask_together(&mut self, questions: &mut [Question<'_>]) -> Result<(), Fault> {
        let queries: Vec<Query<'_>> = questions.iter().map(|q| (q.sql, q.params)).collect();
        self.query_together(&queries, &mut |number, row| (questions[number].each)(row))
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

/// A query whose rows have a decoder of their own; `ask_together` of `dyn Tx` asks several.
pub struct Question<'q> {
    sql: &'q str,
    params: &'q [Val<'q>],
    each: Box<EachRow<'q>>,
}

impl<'q> Question<'q> {
    /// Hands each row of the query to `each`.
    pub fn new(
        sql: &'q str,
        params: &'q [Val<'q>],
        each: impl FnMut(&dyn Row) -> Result<(), Fault> + 'q,
    ) -> Question<'q> {
        let each = Box::new(each);
        Question { sql, params, each }
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
