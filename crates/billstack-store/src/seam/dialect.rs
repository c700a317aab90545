//! The few places where the engines differ, in one file.
//!
//! | What | SQLite | PostgreSQL |
//! |---|---|---|
//! | `{int}` `{text}` `{bool}` in migrations | `INTEGER` `TEXT` `INTEGER` | `BIGINT` `TEXT COLLATE "C"` `BOOLEAN` |
//! | `{rows}` after a table: strict types | `STRICT` | nothing to say |
//! | `{clustered}` after a table: stored in key order | `WITHOUT ROWID, STRICT` | nothing to say |
//! | `/* FOR SHARE */`, `/* FOR SHARE OF codes */` at the end of a query | a comment | what it says |
//! | [`Tx::lock`](crate::seam::tx::Tx::lock) | nothing, there is one writer | advisory locks |
//! | [`Tx::must_later`](crate::seam::tx::Tx::must_later) | at once | sent with the next statement |
//!
//! # When a lock is due
//!
//! PostgreSQL runs operations side by side at READ COMMITTED. Two that each decide on the *absence*
//! of what the other is writing would both commit: an apply that finds no event, and an event that
//! finds no referral, would lose the conversion for ever. So an operation takes the names that it
//! shares with the other before it looks, in the sorted order that `lock` imposes:
//!
//! - `customer:<id>`: apply (the referee), create code, link, erase, an event that names it;
//! - `stripe:<id>`: apply, link and erase (the customer's Stripe id), an event (its `customer`);
//! - `owners`: whatever takes an owner away from a team;
//! - `first user`, of no team: whatever makes the first user of the server.
//!
//! A name is an advisory lock of the transaction, numbered by a hash of team and name. Rows of a table
//! would do the same for anything that speaks PostgreSQL's protocol, but each would be written anew
//! every time it is taken, and there would be one for each customer for ever. What a database must
//! have for it is `pg_advisory_xact_lock` across all nodes that write; whatever spreads one
//! database over several servers without it (Citus written to by way of its workers, CockroachDB, where
//! the function does nothing) does not fit.
//!
//! After its names, apply reads the code and then the program `FOR SHARE`, so once their
//! switch-off has been answered no further referral can appear.

use billstack_core::ids::{TeamId, number_of};

/// Begins the comment that ends a query whose rows must stay as they are until the transaction ends.
const SHARE: &str = "/* FOR SHARE";

/// The engine a text of SQL is meant for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// Embedded SQLite.
    Sqlite,
    /// PostgreSQL and what speaks its protocol.
    Postgres,
}

impl Dialect {
    /// Replaces the type macros of a migration.
    pub fn migration(self, sql: &str) -> String {
        let words = match self {
            Dialect::Sqlite => [
                ("{int}", "INTEGER"),
                ("{text}", "TEXT"),
                ("{bool}", "INTEGER"),
                ("{rows}", "STRICT"),
                ("{clustered}", "WITHOUT ROWID, STRICT"),
            ],
            Dialect::Postgres => [
                ("{int}", "BIGINT"),
                ("{text}", "TEXT COLLATE \"C\""),
                ("{bool}", "BOOLEAN"),
                ("{rows}", ""),
                ("{clustered}", ""),
            ],
        };
        words.iter().fold(sql.to_owned(), |sql, (word, meaning)| {
            sql.replace(word, meaning)
        })
    }

    /// Gives a statement the form that the engine prepares.
    pub fn statement(self, sql: &str) -> String {
        match self {
            Dialect::Sqlite => sql.to_owned(),
            Dialect::Postgres => match sql.split_once(SHARE) {
                Some((query, of)) => format!("{query}FOR SHARE{}", of.trim_end_matches("*/")),
                None => sql.to_owned(),
            },
        }
    }
}

/// The numbers by which PostgreSQL knows the names of a team, in the order in which they are taken:
/// the same order everywhere, so that no two operations wait for each other.
///
/// Two names with the same number would only wait for each other without need.
pub(crate) fn lock_keys(team_id: &TeamId, names: &[&str]) -> Vec<i64> {
    let key = |name: &&str| number_of(&format!("{team_id} {name}"));
    let mut keys: Vec<i64> = names.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
