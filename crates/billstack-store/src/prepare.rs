//! Every statement of the store in one list, and how each engine understands it. The test that
//! prepares them all stands on this.

use crate::dialect::Dialect;
use crate::list::List;
use crate::postgres::PostgresTx;
use crate::sqlite::{fault, open_reader};
use crate::store::{Kind, Target};
use crate::tx::Fault;

macro_rules! subjects {
    (statements: $($module:ident),*; lists: $($listed:ident),*) => {
        const STATEMENTS: &[(&str, &[(&str, &str)])] =
            &[$((stringify!($module), crate::$module::STATEMENTS)),*];
        const LISTS: &[&[&List]] = &[$(crate::$listed::LISTS),*];
    };
}

subjects! {
    statements: act, api_keys, apply, callers, codes, conversion, credits, customer_reservations, customers,
        erase, grants, idempotency, invitations, members, probe, programs, projects, reconsider,
        referrals, retention, sessions, stats, stripe_connections, stripe_events,
        subscription_starts, teams, users;
    lists: api_keys, codes, credits, customers, events, invitations, members, projects, referrals,
        stripe_events, teams
}

/// Every statement, as `module::NAME` and its text.
pub fn statements() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (module, statements) in STATEMENTS {
        all.extend(
            statements
                .iter()
                .map(|(name, sql)| (format!("{module}::{name}"), (*sql).to_owned())),
        );
    }
    let rules = crate::verify::statements().map(|(name, sql)| (format!("rule {name}"), sql));
    let tables = crate::dump::statements().map(|(name, sql)| (format!("dump {name}"), sql));
    all.extend(rules.chain(tables));
    for list in LISTS.iter().copied().flatten() {
        let variants = list.variants().into_iter().enumerate();
        all.extend(variants.map(|(n, sql)| (format!("list {} #{n}", list.name), sql)));
    }
    all
}

/// How an engine understands a statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// How many parameters it takes.
    pub parameters: usize,
    /// How many columns it returns.
    pub columns: usize,
    /// Types of parameters and columns, where the engine tells.
    pub types: Vec<String>,
}

/// A statement's name, and how it was understood or why not.
pub type Report = (String, Result<Prepared, Fault>);

/// Prepares every statement on the database.
pub fn prepare_all(target: &Target) -> Result<Vec<Report>, Fault> {
    match &target.0 {
        Kind::Sqlite(path) => {
            let connection = open_reader(path)?;
            let prepare = |sql: &str| {
                let statement = connection.prepare(&Dialect::Sqlite.statement(sql));
                let statement = statement.map_err(|e| fault(&e))?;
                let parameters = statement.parameter_count();
                Ok(Prepared {
                    parameters,
                    columns: statement.column_count(),
                    types: Vec::new(),
                })
            };
            Ok(statements()
                .into_iter()
                .map(|(name, sql)| (name, prepare(&sql)))
                .collect())
        }
        Kind::Postgres(settings) => {
            let mut tx = PostgresTx::open(settings)?;
            let mut prepare = |sql: &str| {
                let statement = tx.prepare(sql)?;
                let parameters = statement.params().iter().map(ToString::to_string);
                let columns = statement.columns().iter().map(|c| c.type_().to_string());
                Ok(Prepared {
                    parameters: statement.params().len(),
                    columns: statement.columns().len(),
                    types: parameters.chain(columns).collect(),
                })
            };
            Ok(statements()
                .into_iter()
                .map(|(name, sql)| (name, prepare(&sql)))
                .collect())
        }
    }
}

/// How SQLite will find the rows of every statement of the service, in a database that has never
/// been analysed, one line per step. Empty for a database that is not SQLite.
pub fn plans(target: &Target) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let Kind::Sqlite(path) = &target.0 else {
        return Ok(Vec::new());
    };
    let connection = open_reader(path)?;
    let plan = |sql: &str| {
        let sql = format!("EXPLAIN QUERY PLAN {}", Dialect::Sqlite.statement(sql));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get("detail")?);
        }
        Ok(steps)
    };
    let of_service = |name: &str| !name.starts_with("rule ") && !name.starts_with("dump ");
    statements()
        .into_iter()
        .filter(|(name, _)| of_service(name))
        .map(|(name, sql)| Ok((name, plan(&sql).map_err(|e: rusqlite::Error| fault(&e))?)))
        .collect()
}
