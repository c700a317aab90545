//! Every statement of the store in one list, and how each engine understands it. The test that
//! prepares them all stands on this.

use crate::engines::postgres::PostgresTx;
use crate::engines::sqlite::{fault, open_reader};
use crate::seam::Fault;
use crate::seam::dialect::Dialect;
use crate::seam::list::List;
use crate::target::{Kind, Target};

macro_rules! subjects {
    (statements: $($($module:ident)::+),*; lists: $($listed:ident),*) => {
        const STATEMENTS: &[(&str, &[(&str, &str)])] =
            &[$((concat!($(stringify!($module), "::"),+), crate::tables::$($module)::+::STATEMENTS)),*];
        const LISTS: &[&[&List]] = &[$(crate::tables::$listed::LISTS),*];
    };
}

subjects! {
    statements: api_keys, attention_dismissals, booked_days, booked_marks, click_days, code_aliases, code_totals, codes, compared, conversions, credits, customers, entries, events,
        events::activity, events::log, events::why, finance, found, idempotency_keys, invitations, link_keys, link_settings, link_slugs, locks, members, money_facts, payment_links,
        portal_settings, portal_tickets, program_budgets, program_days, program_marks, programs, projects, reconcile_lines, reconcile_notes,
        reconcile_runs, referrals, referrals::friends, referrals::list, referrals::told, schema_migrations, sessions, setup_tokens, stripe_balance_lines, stripe_balances,
        stripe_connections, stripe_events, stripe_events::signed, stripe_operations, stripe_operations::waiting, subscription_starts, teams, terms, unlinked, upkeep, users,
        webhook_attempts, webhook_deliveries, webhook_deliveries::trouble, webhook_endpoints,
        webhook_outbox, work, work::due;
    lists: api_keys, click_days, codes, credits, customers, entries, events, invitations, members, projects, referrals,
        stripe_events, teams, webhook_deliveries
}

/// Every statement, as `module::NAME` and its text.
pub fn statements() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (module, statements) in STATEMENTS {
        all.extend(
            statements
                .iter()
                .map(|(name, sql)| (format!("{module}{name}"), (*sql).to_owned())),
        );
    }
    let rules = crate::verify::statements().map(|(name, sql)| (format!("rule {name}"), sql));
    let tables = crate::dump::statements().map(|(name, sql)| (format!("dump {name}"), sql));
    let copies = crate::copy::statements().map(|(name, sql)| (format!("copy {name}"), sql));
    all.extend(rules.chain(tables).chain(copies));
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

/// How the database will find the rows of every statement of the service when it knows nothing of the sizes
/// of tables, one line per step.
pub fn plans(target: &Target) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let of_service = |name: &str| !name.starts_with("rule ") && !name.starts_with("dump ");
    let statements = statements().into_iter();
    let statements = statements.filter(|(name, _)| of_service(name));
    match &target.0 {
        Kind::Sqlite(path) => {
            let connection = open_reader(path)?;
            let plan = |sql: &str| sqlite_plan(&connection, sql).map_err(|e| fault(&e));
            let named = |(name, sql): (String, String)| Ok((name, plan(&sql)?));
            statements.map(named).collect()
        }
        Kind::Postgres(settings) => {
            let mut tx = PostgresTx::open(&settings.for_look_ups())?;
            // A plan for any values, as it is kept for a statement that runs often.
            tx.simple("SET plan_cache_mode = force_generic_plan")?;
            let mut plan =
                |(name, sql): (String, String)| Ok((name, postgres_plan(&mut tx, &sql)?));
            statements.map(&mut plan).collect()
        }
    }
}

fn sqlite_plan(connection: &rusqlite::Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let sql = format!("EXPLAIN QUERY PLAN {}", Dialect::Sqlite.statement(sql));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(row.get("detail")?);
    }
    Ok(steps)
}

fn postgres_plan(tx: &mut PostgresTx, sql: &str) -> Result<Vec<String>, Fault> {
    let parameters = tx.prepare(sql)?.params().len();
    let text = Dialect::Postgres.statement(sql);
    tx.simple(&format!("PREPARE looked_at AS {text}"))?;
    let values = vec!["NULL"; parameters].join(", ");
    let values = if parameters == 0 {
        String::new()
    } else {
        format!("({values})")
    };
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE looked_at{values}");
    let steps = (tx as &mut dyn crate::seam::Tx).all(&explain, &[], |row| row.string(0))?;
    tx.simple("DEALLOCATE looked_at")?;
    Ok(steps)
}
