//! The database beneath the data: what its own catalog and checks say. Each engine is asked in its own words.

use std::collections::BTreeSet;

use super::{Reads, Rule};
use crate::migrate;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "indexes",
        holds: "every index of the schema is there",
        sql: "",
        reads: Reads::PerEngine {
            sqlite: "SELECT name FROM sqlite_master WHERE type = 'index'",
            postgres: Some(
                "SELECT CAST(indexname AS TEXT) FROM pg_indexes \
                 WHERE schemaname = ANY (current_schemas(FALSE))",
            ),
            offenders: missing_indexes,
        },
        breaks: |_| Ok(true),
    },
    Rule {
        name: "file_integrity",
        holds: "the pages of the file are whole, and its indexes lead to all rows (SQLite's own check)",
        sql: "",
        reads: Reads::PerEngine {
            // https://www.sqlite.org/pragma.html#pragma_integrity_check: it says `ok`, or what is wrong.
            sqlite: "PRAGMA integrity_check(100)",
            postgres: None,
            offenders: |said| said.into_iter().filter(|line| line != "ok").collect(),
        },
        breaks: |_| Ok(true),
    },
];

fn missing_indexes(found: Vec<String>) -> Vec<String> {
    let found: BTreeSet<String> = found.into_iter().collect();
    let wanted = migrate::indexes().into_iter();
    let missing = wanted.filter(|name| !found.contains(*name));
    missing.map(str::to_owned).collect()
}
