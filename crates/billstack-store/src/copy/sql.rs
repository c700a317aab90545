//! The statements of a copy, made from the list of tables.

use crate::dump::{Kind, TABLES, Table};
use crate::seam::{Fault, Row, Tx, Val};

/// A value of a row that outlives it.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Int(i64),
    Text(String),
}

impl<'a> From<&'a Value> for Val<'a> {
    fn from(value: &'a Value) -> Val<'a> {
        match value {
            Value::Int(number) => Val::Int(*number),
            Value::Text(text) => Val::Text(text),
        }
    }
}

/// The columns of the key, with what they hold.
fn key(table: &Table) -> impl Iterator<Item = (&'static str, Kind)> {
    let columns = table.columns;
    table.key.split(", ").filter_map(move |name| {
        let mut found = columns.iter().copied();
        found.find(|(column, _)| *column == name)
    })
}

fn columns(table: &Table) -> String {
    let names: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

fn parameters(count: usize) -> String {
    let all: Vec<_> = (1..=count).map(|number| format!("${number}")).collect();
    all.join(", ")
}

/// All rows by key.
pub(super) fn all(table: &Table) -> String {
    let (name, columns, key) = (table.name, columns(table), table.key);
    format!("SELECT {columns} FROM {name} ORDER BY {key}")
}

/// The rows behind a key.
pub(super) fn behind(table: &Table) -> String {
    let (name, columns, keys) = (table.name, columns(table), table.key);
    let parameters = parameters(key(table).count());
    format!("SELECT {columns} FROM {name} WHERE ({keys}) > ({parameters}) ORDER BY {keys}")
}

fn newest(table: &Table) -> String {
    let order: Vec<_> = key(table).map(|(name, _)| format!("{name} DESC")).collect();
    let (name, keys) = (table.name, table.key);
    format!(
        "SELECT {keys} FROM {name} ORDER BY {} LIMIT 1",
        order.join(", ")
    )
}

fn number(table: &Table) -> String {
    format!("SELECT COUNT(*) FROM {}", table.name)
}

/// A row for SQLite.
pub(super) fn insert(table: &Table) -> String {
    let (name, columns) = (table.name, columns(table));
    let parameters = parameters(table.columns.len());
    format!("INSERT INTO {name} ({columns}) VALUES ({parameters})")
}

/// Rows for PostgreSQL.
pub(super) fn copy_in(table: &Table) -> String {
    format!("COPY {} ({}) FROM STDIN", table.name, columns(table))
}

/// The last key.
pub(super) fn last(tx: &mut dyn Tx, table: &Table) -> Result<Option<Vec<Value>>, Fault> {
    tx.one(&newest(table), &[], |row| {
        key(table)
            .enumerate()
            .map(|(index, (_, kind))| value(row, index, kind))
            .collect()
    })
}

fn value(row: &dyn Row, index: usize, kind: Kind) -> Result<Value, Fault> {
    match kind {
        Kind::Int => row.int(index).map(Value::Int),
        Kind::Text => row.string(index).map(Value::Text),
        Kind::Bool => Err(Fault::Defect("a flag is part of no key".to_owned())),
    }
}

/// How many rows there are.
pub(super) fn count(tx: &mut dyn Tx, table: &Table) -> Result<u64, Fault> {
    let found = tx.one(&number(table), &[], |row| row.int(0))?;
    Ok(found.unwrap_or_default().unsigned_abs())
}

/// Every statement that both engines take, by name.
pub(crate) fn statements() -> impl Iterator<Item = (String, String)> {
    TABLES.iter().flat_map(|table| {
        let name = |what: &str| format!("{what} {}", table.name);
        [
            (name("behind"), behind(table)),
            (name("newest"), newest(table)),
            (name("number"), number(table)),
            (name("insert"), insert(table)),
        ]
    })
}
