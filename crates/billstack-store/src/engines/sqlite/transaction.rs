//! The seam over a SQLite connection, with its prepared statements.

use std::collections::HashMap;

use billstack_core::ids::TeamId;
use bstr::ByteSlice;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row as SqliteRow, Statement, ToSql};

use super::connection::fault;
use crate::seam::rows::EachRow;
use crate::seam::{Fault, Row, Tx, Val};

/// More than the service has statements, so that none is prepared twice.
const MOST_PREPARED: usize = 512;

/// A connection inside a transaction, and the statements prepared so far.
///
/// They are not in rusqlite's cache, which hashes a text twice and copies it at each use.
pub(crate) struct SqliteTx<'c> {
    connection: &'c Connection,
    prepared: HashMap<Box<str>, Prepared<'c>, foldhash::fast::FixedState>,
}

struct Prepared<'c> {
    statement: Statement<'c>,
    /// Which of the caller's parameters each of SQLite's is: SQLite takes `$2` for a name and numbers names by
    /// their first appearance.
    order: Vec<usize>,
}

impl<'c> SqliteTx<'c> {
    /// A transaction without prepared statements.
    pub(crate) fn new(connection: &'c Connection) -> SqliteTx<'c> {
        SqliteTx {
            connection,
            prepared: HashMap::default(),
        }
    }

    /// The connection.
    pub(crate) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Runs a statement without parameters or result, such as `BEGIN`.
    pub(crate) fn step(&mut self, sql: &str) -> Result<(), Fault> {
        self.execute(sql, &[]).map(|_| ())
    }

    /// The prepared statement with the values bound.
    fn bound(&mut self, sql: &str, params: &[Val<'_>]) -> Result<&mut Statement<'c>, Fault> {
        if !self.prepared.contains_key(sql) {
            if self.prepared.len() >= MOST_PREPARED {
                self.prepared.clear();
            }
            self.prepared.insert(sql.into(), self.prepare(sql)?);
        }
        let Some(Prepared { statement, order }) = self.prepared.get_mut(sql) else {
            return Err(Fault::Defect(format!("not prepared: {sql}")));
        };
        let (given, taken) = (params.len(), order.len());
        if given != taken {
            let why = format!("{given} parameters given where {taken} are taken: {sql}");
            return Err(Fault::Defect(why));
        }
        for (index, &number) in order.iter().enumerate() {
            statement
                .raw_bind_parameter(index + 1, params[number])
                .map_err(|e| fault(&e))?;
        }
        Ok(statement)
    }

    fn prepare(&self, sql: &str) -> Result<Prepared<'c>, Fault> {
        let statement = self.connection.prepare(sql).map_err(|e| fault(&e))?;
        let count = statement.parameter_count();
        let number = |index| {
            let name = statement.parameter_name(index);
            let number = name.and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
            number
                .filter(|number| (1..=count).contains(number))
                .map(|number| number - 1)
                .ok_or_else(|| Fault::Defect(format!("odd parameters: {sql}")))
        };
        let order = (1..=count).map(number).collect::<Result<_, _>>()?;
        Ok(Prepared { statement, order })
    }
}

impl Tx for SqliteTx<'_> {
    fn execute(&mut self, sql: &str, params: &[Val<'_>]) -> Result<u64, Fault> {
        let changed = self.bound(sql, params)?.raw_execute();
        Ok(changed.map_err(|e| fault(&e))? as u64)
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Val<'_>],
        each: &mut EachRow<'_>,
    ) -> Result<(), Fault> {
        let mut rows = self.bound(sql, params)?.raw_query();
        while let Some(row) = rows.next().map_err(|e| fault(&e))? {
            each(row)?;
        }
        Ok(())
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn ask_ahead(&mut self, _sql: &str, _params: &[Val<'_>]) -> Result<bool, Fault> {
        Ok(false)
    }

    fn lock(&mut self, _team_id: &TeamId, _names: &[&str]) -> Result<(), Fault> {
        Ok(())
    }
}

impl ToSql for Val<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Val::Int(number) => ValueRef::Integer(*number),
            Val::Text(text) => ValueRef::Text(text.as_bytes()),
            Val::Bool(flag) => ValueRef::Integer(i64::from(*flag)),
            Val::Null => ValueRef::Null,
        }))
    }
}

impl Row for SqliteRow<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Fault> {
        match self.get_ref(column).map_err(|e| fault(&e))? {
            ValueRef::Integer(number) => Ok(Some(number)),
            ValueRef::Null => Ok(None),
            _ => Err(Fault::decode(column)),
        }
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, Fault> {
        match self.get_ref(column).map_err(|e| fault(&e))? {
            // Faster than the standard library on texts as short as ids.
            ValueRef::Text(text) => text.to_str().map(Some).map_err(|_| Fault::decode(column)),
            ValueRef::Null => Ok(None),
            _ => Err(Fault::decode(column)),
        }
    }

    fn opt_flag(&self, column: usize) -> Result<Option<bool>, Fault> {
        match self.opt_int(column)? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(Fault::decode(column)),
        }
    }
}
