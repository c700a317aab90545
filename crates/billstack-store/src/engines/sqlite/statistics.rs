//! Statistics for SQLite's planner: the same in every database, whatever it holds.
//!
//! Without statistics the planner assumes ten rows of a team in any table, and rather reads all of a team's
//! rows in order than look up the few that are wanted. With `ANALYZE` a plan would depend on the day it ran. So
//! the numbers are derived once from the column names, and `plans.txt` beside the tests shows the resulting plans.

use rusqlite::Connection;

/// Rows of a large table.
const ROWS: u64 = 10_000_000;

/// Rows of a large team or project.
const ROWS_OF_TEAM: u64 = 1_000_000;

/// Rows that share a value in a column with many values.
const ROWS_OF_VALUE: u64 = 10;

/// Columns with a handful of values: each value keeps a quarter of the rows.
const COARSE: [&str; 8] = [
    "status",
    "source",
    "outcome",
    "type",
    "side",
    "delivery",
    "account",
    "is_active",
];

/// Writes the numbers for every index; connections read them when they open.
pub(crate) fn write(connection: &Connection) -> rusqlite::Result<()> {
    // Only ANALYZE can create the statistics table; `locks` is always empty on SQLite.
    connection.execute_batch("ANALYZE locks; DELETE FROM sqlite_stat1")?;
    let mut indexes = connection.prepare(
        "SELECT m.name, l.name, l.\"unique\", l.origin = 'pk' AND w.wr FROM sqlite_schema AS m, \
         pragma_table_list(m.name) AS w, pragma_index_list(m.name) AS l \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let mut found = indexes.query([])?;
    while let Some(row) = found.next()? {
        let (table, index): (String, String) = (row.get(0)?, row.get(1)?);
        let numbers = numbers(&columns(connection, &index)?, row.get(2)?);
        // The statistics name a clustered primary key after its table.
        let name = if row.get(3)? { &table } else { &index };
        let sql = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)";
        connection.execute(sql, [&table, name, &numbers])?;
    }
    Ok(())
}

fn columns(connection: &Connection, index: &str) -> rusqlite::Result<Vec<String>> {
    let mut names = connection
        .prepare("SELECT COALESCE(name, '') FROM pragma_index_info(?1) ORDER BY seqno")?;
    names.query_map([index], |row| row.get(0))?.collect()
}

/// The number of rows, then how many share the first column, the first two, and so on.
fn numbers(columns: &[String], unique: bool) -> String {
    let (mut rows, mut parts) = (ROWS, 1);
    let mut text = rows.to_string();
    for (place, column) in columns.iter().enumerate() {
        rows = match column.as_str() {
            "team_id" => rows.min(ROWS_OF_TEAM),
            "project_id" | "caller" => rows,
            // An expression, which joins two columns of a handful of values.
            "" => {
                parts *= 16;
                rows
            }
            coarse if COARSE.contains(&coarse) => {
                parts *= 4;
                rows
            }
            _ => {
                let left = (rows / parts).min(ROWS_OF_VALUE);
                parts = 1;
                left
            }
        };
        if unique && place + 1 == columns.len() {
            rows = 1;
        }
        text.push_str(&format!(" {}", (rows / parts).max(1)));
    }
    text
}
