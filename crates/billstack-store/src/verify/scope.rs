//! The rows that a rule sees.
//!
//! A rule is written once, and reads every project. Asked about one, each table that it names is hidden behind a query
//! of the same name: the rows of that project, or those of its team where a table knows of teams only.

use super::{PAGE, Rule};
use crate::params;
use crate::seam::rows::EachRow;
use crate::seam::{Fault, Place, Tx, Val};

/// Tables whose rows are of a project.
const OF_PROJECT: [&str; 25] = [
    "attention_dismissals",
    "booked_days",
    "booked_marks",
    "click_days",
    "code_aliases",
    "code_totals",
    "codes",
    "credits",
    "customers",
    "entries",
    "entry_lines",
    "events",
    "link_keys",
    "link_settings",
    "link_slugs",
    "portal_settings",
    "portal_tickets",
    "program_days",
    "programs",
    "projects",
    "referrals",
    "stripe_operations",
    "webhook_deliveries",
    "webhook_endpoints",
    "webhook_outbox",
];

/// Tables whose rows are of a team, or of a project or its team.
const OF_TEAM: [&str; 12] = [
    "idempotency_keys",
    "money_facts",
    "payment_links",
    "program_budgets",
    "program_marks",
    "stripe_balance_lines",
    "stripe_balances",
    "stripe_events",
    "subscription_starts",
    "terms",
    "webhook_attempts",
    "work",
];

/// In which order the rows of a table can be read in a project.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    ByTime,
    ById,
}

/// The tables that are read in pages of a project. The other tables that such a rule names are looked up.
const IN_PAGES: [(&str, Order); 5] = [
    ("referrals", Order::ByTime),
    ("credits", Order::ByTime),
    ("customers", Order::ByTime),
    ("stripe_operations", Order::ById),
    ("webhook_deliveries", Order::ById),
];

/// Where a page begins or ends: the time of a row and its id.
type Edge = (i64, String);

impl Order {
    /// What holds for the rows of a page, whose edges are the four parameters from this one on.
    fn of_page(self, first: usize) -> String {
        let [after, id, to, last] = [0, 1, 2, 3].map(|n| first + n);
        match self {
            Order::ByTime => format!(
                "(created_at, id) > (${after}, ${id}) AND (created_at, id) <= (${to}, ${last})"
            ),
            Order::ById => format!(
                "CAST(${after} AS BIGINT) <= CAST(${to} AS BIGINT) AND id > ${id} AND id <= ${last}"
            ),
        }
    }

    /// The last row of the page that begins after the third and fourth parameter.
    fn end_of_page(self, table: &str) -> String {
        let (time, after, order) = match self {
            Order::ByTime => (
                "created_at",
                "(created_at, id) > ($3, $4)",
                "created_at, id",
            ),
            Order::ById => ("CAST($3 AS BIGINT)", "id > $4", "id"),
        };
        format!(
            "SELECT {time}, id FROM {table} WHERE team_id = $1 AND project_id = $2 AND {after} \
             ORDER BY {order} LIMIT 1 OFFSET $5"
        )
    }
}

fn first() -> Edge {
    (i64::MIN, String::new())
}

fn last() -> Edge {
    (i64::MAX, "\u{10ffff}".to_owned())
}

/// Whether a text of SQL names a table.
fn names(sql: &str, table: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    sql.split(|c| !is_part(c)).any(|word| word == table)
}

/// The table that a rule reads in pages: the one before the row that a page begins after.
fn in_pages(sql: &str) -> Option<(&'static str, Order)> {
    let (before, _) = sql.split_once(") > ($")?;
    let (_, from) = before.rsplit_once("FROM ")?;
    let table = from.split(' ').next()?;
    IN_PAGES.into_iter().find(|(name, _)| *name == table)
}

/// A rule that sees one project, whose numbers are the first of these parameters. With a page, that table is seen
/// between the rows that the next four tell.
fn within(tx: &dyn Tx, sql: &str, first: usize, page: Option<(&str, Order)>) -> String {
    // SQLite takes the name of a query within itself for the query, PostgreSQL for the table.
    let own = if tx.is_alone() { "main." } else { "" };
    let mut hidden = Vec::new();
    for table in OF_PROJECT.iter().chain(&OF_TEAM) {
        if !names(sql, table) {
            continue;
        }
        let mut rows = format!("SELECT * FROM {own}{table} WHERE team_id = ${first}");
        if OF_PROJECT.contains(table) {
            rows += &format!(" AND project_id = ${}", first + 1);
        }
        if let Some((_, order)) = page.filter(|(name, _)| name == table) {
            rows += &format!(" AND {}", order.of_page(first + 2));
        }
        hidden.push(format!("{table} AS NOT MATERIALIZED ({rows})"));
    }
    format!("WITH {} {sql}", hidden.join(", "))
}

/// What a rule is asked about.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Every row there is.
    Everything,
    /// The rows of a project.
    Project(&'a Place),
}

impl Rule {
    /// Whether it tells of what it finds in which project that is. Others tell of none.
    pub(super) fn names_projects(&self) -> bool {
        self.sql.contains("|| '/' ||")
    }

    /// Hands each row to `each` where all are read at once.
    pub(super) fn read_once(
        &self,
        tx: &mut dyn Tx,
        scope: Scope<'_>,
        each: &mut EachRow<'_>,
    ) -> Result<(), Fault> {
        match scope {
            Scope::Everything => tx.query(&self.sql(), &[], each),
            Scope::Project(place) => {
                let sql = within(tx, &self.sql(), 1, None);
                tx.query(&sql, params![&place.team_id, &place.project_id], each)
            }
        }
    }

    /// The pages of its table.
    pub(super) fn pages<'a>(&self, tx: &dyn Tx, scope: Scope<'a>) -> Result<Pages<'a>, Fault> {
        let sql = self.sql();
        let (sql, page) = match scope {
            Scope::Everything => (sql, None),
            Scope::Project(_) => {
                let page = in_pages(&sql).ok_or_else(|| {
                    Fault::Defect(format!("rule {} has no pages of a project", self.name))
                })?;
                (within(tx, &sql, 4, Some(page)), Some(page))
            }
        };
        Ok(Pages {
            sql,
            scope,
            page,
            last: first(),
        })
    }
}

/// Goes through the pages of a table.
pub(super) struct Pages<'a> {
    sql: String,
    scope: Scope<'a>,
    page: Option<(&'static str, Order)>,
    /// The row that the next page begins after.
    last: Edge,
}

impl Pages<'_> {
    /// Reads the next page, and tells whether there may be another.
    pub(super) fn next(&mut self, tx: &mut dyn Tx, each: &mut EachRow<'_>) -> Result<bool, Fault> {
        let (Scope::Project(place), Some((table, order))) = (self.scope, self.page) else {
            return self.next_of_all(tx, each);
        };
        let end = order.end_of_page(table);
        let (team, project) = (Val::from(&place.team_id), Val::from(&place.project_id));
        let (at, id) = self.last.clone();
        let from = [
            team,
            project,
            Val::from(at),
            Val::from(&id),
            Val::from(PAGE - 1),
        ];
        let found = tx.one(&end, &from, |row| Ok((row.int(0)?, row.string(1)?)))?;
        let is_last = found.is_none();
        let (to, to_id) = found.unwrap_or_else(last);
        let row = [
            Val::from(i64::MIN),
            Val::from(""),
            Val::from(PAGE),
            team,
            project,
            Val::from(at),
            Val::from(&id),
            Val::from(to),
            Val::from(&to_id),
        ];
        tx.query(&self.sql, &row, each)?;
        self.last = (to, to_id);
        Ok(!is_last)
    }

    fn next_of_all(&mut self, tx: &mut dyn Tx, each: &mut EachRow<'_>) -> Result<bool, Fault> {
        let (team, id) = self.last.clone();
        let mut is_over = true;
        tx.query(&self.sql, params![team, &id, PAGE], &mut |row| {
            is_over = false;
            self.last = (row.int(2)?, row.string(3)?);
            each(row)
        })?;
        Ok(!is_over)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reads, rules};
    use super::*;
    use crate::testing::Bench;

    /// The rows of a project are found by an index; only what was found so is scanned.
    #[test]
    fn no_table_is_read_as_a_whole_for_a_project() {
        let bench = Bench::new();
        for rule in rules().filter(|rule| rule.names_projects()) {
            let (first, page) = match rule.reads {
                Reads::Once => (1, None),
                _ => (4, in_pages(rule.sql)),
            };
            let steps = bench.read(|tx| {
                let sql = within(tx, &rule.sql(), first, page);
                let plan = format!("EXPLAIN QUERY PLAN {sql}");
                let values = vec![Val::from(0_i64); if first == 1 { 2 } else { 9 }];
                tx.all(&plan, &values, |row| row.string(3))
            });
            let is_found = |name: &str| {
                let made = ["CO-ROUTINE", "MATERIALIZE"].map(|how| format!("{how} {name}"));
                steps.iter().any(|step| made.contains(step))
            };
            for step in &steps {
                let scanned = step.strip_prefix("SCAN ").unwrap_or("CONSTANT ROW");
                let is_made = scanned == "CONSTANT ROW" || scanned.starts_with("(subquery");
                assert!(is_made || is_found(scanned), "{}: {steps:#?}", rule.name);
            }
        }
    }

    #[test]
    fn every_rule_that_names_projects_can_be_asked_about_one() {
        let mut read_in_pages = 0;
        for rule in rules().filter(|rule| rule.names_projects()) {
            let is_in_pages = !matches!(rule.reads, Reads::Once | Reads::PerEngine { .. });
            assert_eq!(in_pages(rule.sql).is_some(), is_in_pages, "{}", rule.name);
            read_in_pages += usize::from(is_in_pages);
        }
        assert!(read_in_pages >= 8, "{read_in_pages}");
    }
}
