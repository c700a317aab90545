//! Puts rows into a table of the target, some at a time.

use std::io::Write as _;

use rusqlite::Connection;

use super::Batch;
use super::side::{Session, Side};
use super::sql;
use crate::dump::{Kind, Table};
use crate::engines::sqlite::{SqliteTx, checkpoint, fault};
use crate::seam::{Fault, Row, Tx, Val};

/// So many bytes are sent together at most, or one row.
const MOST_BYTES: usize = 4 << 20;

/// Rows on their way into a table.
pub(super) struct Sink<'s> {
    table: &'static Table,
    into: Into<'s>,
    statement: String,
    rows: usize,
    most: usize,
}

enum Into<'s> {
    Sqlite(&'s Connection, SqliteTx<'s>),
    Postgres(&'s mut Session, Vec<u8>),
}

impl<'s> Sink<'s> {
    /// Puts nothing yet.
    pub(super) fn new(
        target: &'s mut Side,
        table: &'static Table,
        batch: Batch,
    ) -> Result<Sink<'s>, Fault> {
        let (into, statement) = match target {
            Side::Sqlite { connection, .. } => {
                let connection: &'s Connection = connection;
                let into = Into::Sqlite(connection, SqliteTx::new(connection));
                (into, sql::insert(table))
            }
            Side::Postgres(session) => (Into::Postgres(session, Vec::new()), sql::copy_in(table)),
        };
        Ok(Sink {
            table,
            into,
            statement,
            rows: 0,
            most: batch.rows.max(1),
        })
    }

    /// Puts a row, and tells whether it and those before it have been committed.
    pub(super) fn put(&mut self, row: &dyn Row) -> Result<bool, Fault> {
        let is_full = match &mut self.into {
            Into::Sqlite(_, tx) => {
                if self.rows == 0 {
                    tx.step("BEGIN IMMEDIATE")?;
                }
                let columns = self.table.columns.iter().enumerate();
                let values = columns.map(|(index, (_, kind))| value(row, index, *kind));
                let values: Vec<Val<'_>> = values.collect::<Result<_, _>>()?;
                (tx as &mut dyn Tx).must(&self.statement, &values)?;
                false
            }
            Into::Postgres(_, bytes) => {
                encode(self.table, row, bytes)?;
                bytes.len() >= MOST_BYTES
            }
        };
        self.rows += 1;
        if is_full || self.rows >= self.most {
            self.commit()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Commits the rest.
    pub(super) fn end(mut self) -> Result<(), Fault> {
        if self.rows == 0 {
            return Ok(());
        }
        self.commit()
    }

    fn commit(&mut self) -> Result<(), Fault> {
        let rows = std::mem::take(&mut self.rows) as u64;
        match &mut self.into {
            Into::Sqlite(connection, tx) => {
                tx.step("COMMIT")?;
                checkpoint(connection).map(drop).map_err(|e| fault(&e))
            }
            Into::Postgres(session, bytes) => {
                let bytes = std::mem::take(bytes);
                session.run(|tx| match tx.copy_in(&self.statement, bytes)? {
                    taken if taken == rows => Ok(()),
                    taken => Err(Fault::Defect(format!(
                        "{taken} rows of {rows} were taken: {}",
                        self.statement
                    ))),
                })
            }
        }
    }
}

fn value(row: &dyn Row, index: usize, kind: Kind) -> Result<Val<'_>, Fault> {
    Ok(match kind {
        Kind::Int => Val::from(row.opt_int(index)?),
        Kind::Text => Val::from(row.opt_text(index)?),
        Kind::Bool => Val::from(row.opt_flag(index)?),
    })
}

/// A row in the text format of `COPY`.
fn encode(table: &Table, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), Fault> {
    for (index, (_, kind)) in table.columns.iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        match value(row, index, *kind)? {
            Val::Null => out.extend(b"\\N"),
            Val::Bool(true) => out.push(b't'),
            Val::Bool(false) => out.push(b'f'),
            // Nothing fails that is written to memory.
            Val::Int(number) => drop(write!(out, "{number}")),
            Val::Text(text) => escape(text, out),
        }
    }
    out.push(b'\n');
    Ok(())
}

fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_copy_would_read_as_something_else_is_escaped() {
        let escaped = |text: &str| {
            let mut out = Vec::new();
            escape(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(escaped("a\tb\nc\rd\\N"), "a\\tb\\nc\\rd\\\\N");
        assert_eq!(escaped("\\."), "\\\\.");
        assert_eq!(escaped("grüße, 'x'"), "grüße, 'x'");
    }
}
