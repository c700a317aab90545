//! Every invariant of the data, as queries that return whoever breaks one.
//!
//! Most of these hold by constraint or by construction. They are asked for all the same, because
//! a database outlives the program that filled it: a restored backup, a hand-made repair or a
//! defect of ours shows up here, with ids, before it shows up as money.
//!
//! Every rule reads in the caller's transaction, so one snapshot answers for all of them and the
//! check is safe beside a live server.

/// Declares the rules of a module as `RULES`. It stands before the modules that use it.
macro_rules! declare_rules {
    ($($name:ident, $holds:literal = $sql:expr;)*) => {
        pub(super) const RULES: &[$crate::verify::Rule] = &[$($crate::verify::Rule {
            name: stringify!($name),
            holds: $holds,
            sql: $sql,
            reads: $crate::verify::Reads::Once,
            breaks: |_| Ok(true),
        }),*];
    };
}

/// SQL for the team and the project that a row is in.
macro_rules! place_of {
    ($row:literal) => {
        concat!(
            $crate::tables::teams::team_of!($row),
            " || '/' || ",
            $crate::tables::projects::project_of!($row)
        )
    };
}

mod catalog;
mod conversions;
mod deliveries;
mod figures;
mod ledger;
mod limits;
mod members;
mod numbers;
mod payments;
mod people;
mod reconcile;
mod referrals;
mod relations;
mod scope;
mod starts;
mod story;
mod values;
mod webhooks;
mod words;

use std::fmt;

use self::scope::Scope;
use self::starts::{MustBeKept, are_kept};
use self::words::known;
use crate::seam::{Fault, Place, Row, Tx};

/// The most offenders that one rule reports; each query ends in this limit, if it returns no others.
pub const MOST_PER_RULE: usize = 100;

/// How many rows of a large table are read at once: the driver holds the whole result of a PostgreSQL query
/// in memory.
const PAGE: i64 = 1_000;

/// How many look-ups of a page travel together.
const AT_ONCE: usize = 100;

/// Something that must always be true.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, such as `entries_balance`.
    pub name: &'static str,
    /// What must hold, as a sentence without its full stop.
    pub holds: &'static str,
    /// Returns the id of each offender and where it is. It may name what is [`known`].
    sql: &'static str,
    reads: Reads,
    /// Whether a row is an offender after all, for what SQL cannot tell.
    breaks: fn(&dyn Row) -> Result<bool, Fault>,
}

/// How the rows of a rule are read.
#[derive(Clone, Copy, Debug)]
enum Reads {
    /// By one query.
    Once,
    /// By one query for each page of a large table, where SQL alone cannot find the offenders. It returns
    /// what belongs to the next `$3` rows after team number `$1` and id `$2`, which are its third and fourth
    /// column.
    InPages,
    /// The same, and each suspect that the query returns is asked about on its own: whoever has this id in
    /// the team and the project whose ids are its fifth and sixth column.
    OneByOne(fn(&mut dyn Tx, &Place, &str) -> Result<bool, Fault>),
    /// The same as in pages, and each row says what must be kept of the subscription that it tells of.
    Together(fn(&dyn Row) -> Result<Vec<MustBeKept>, Fault>),
    /// By a query in the words of the engine, if there is one for it, whose texts tell the offenders.
    PerEngine {
        sqlite: &'static str,
        postgres: Option<&'static str>,
        offenders: fn(Vec<String>) -> Vec<String>,
    },
}

/// Somebody who breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Breach {
    /// The rule's name.
    pub rule: &'static str,
    /// The id of the offender.
    pub subject: String,
    /// What should hold, and where the offender is.
    pub detail: String,
}

impl Breach {
    /// Whether the offender is in a project.
    pub fn is_in(&self, place: &Place) -> bool {
        let of = format!("in {}/{},", place.team_id, place.project_id);
        self.detail.starts_with(&of)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.rule, self.subject, self.detail)
    }
}

/// Every rule, by subject, in the order in which [`verify`] asks them.
pub const RULES: &[&[Rule]] = &[
    ledger::RULES,
    limits::RULES,
    limits::AS_TOLD,
    referrals::RULES,
    conversions::RULES,
    payments::RULES,
    payments::AS_TOLD,
    starts::RULES,
    story::RULES,
    story::AS_TOLD,
    figures::RULES,
    people::RULES,
    members::RULES,
    relations::RULES,
    deliveries::RULES,
    deliveries::READ_ROWS,
    deliveries::AS_LISTED,
    values::RULES,
    values::READ_ROWS,
    numbers::RULES,
    reconcile::RULES,
    webhooks::RULES,
    webhooks::READ_ROWS,
    catalog::RULES,
];

/// Every rule one by one, for a caller that shows how far it has come.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().flatten()
}

/// Asks every rule about one project.
pub fn verify_in(tx: &mut dyn Tx, place: &Place) -> Result<Vec<Breach>, Fault> {
    let mut breaches = Vec::new();
    for rule in rules() {
        breaches.extend(rule.check_in(tx, place)?);
    }
    Ok(breaches)
}

/// Asks every rule. An empty answer means that all of them hold.
pub fn verify(tx: &mut dyn Tx) -> Result<Vec<Breach>, Fault> {
    let mut breaches = Vec::new();
    for rule in rules() {
        breaches.extend(rule.check(tx)?);
    }
    Ok(breaches)
}

impl Rule {
    /// Who breaks this rule, [`MOST_PER_RULE`] at most.
    pub fn check(&self, tx: &mut dyn Tx) -> Result<Vec<Breach>, Fault> {
        self.ask(tx, Scope::Everything)
    }

    /// Who breaks this rule in a project: the cost is that of the project, and for what is kept of its team alone, of
    /// the team.
    pub fn check_in(&self, tx: &mut dyn Tx, place: &Place) -> Result<Vec<Breach>, Fault> {
        if !self.names_projects() {
            return Ok(Vec::new());
        }
        self.ask(tx, Scope::Project(place))
    }

    fn ask(&self, tx: &mut dyn Tx, scope: Scope<'_>) -> Result<Vec<Breach>, Fault> {
        let mut breaches = Vec::new();
        match self.reads {
            Reads::Once => {
                self.read_once(tx, scope, &mut |row| self.judge(row, &mut breaches))?;
            }
            Reads::InPages => self.check_pages(tx, scope, &mut breaches)?,
            Reads::OneByOne(breaks) => self.check_suspects(tx, scope, breaks, &mut breaches)?,
            Reads::Together(told_of) => self.check_together(tx, scope, told_of, &mut breaches)?,
            Reads::PerEngine {
                sqlite,
                postgres,
                offenders,
            } => {
                // Only SQLite has one writer for all.
                let asked = if tx.is_alone() {
                    Some(sqlite)
                } else {
                    postgres
                };
                if let Some(sql) = asked {
                    let told = tx.all(sql, &[], |row| row.string(0))?;
                    breaches.extend(offenders(told).into_iter().map(|who| self.offence(who)));
                }
            }
        }
        Ok(breaches)
    }

    fn check_pages(
        &self,
        tx: &mut dyn Tx,
        scope: Scope<'_>,
        breaches: &mut Vec<Breach>,
    ) -> Result<(), Fault> {
        let mut pages = self.pages(tx, scope)?;
        while breaches.len() < MOST_PER_RULE
            && pages.next(tx, &mut |row| self.judge(row, breaches))?
        {}
        Ok(())
    }

    fn check_suspects(
        &self,
        tx: &mut dyn Tx,
        scope: Scope<'_>,
        breaks: fn(&mut dyn Tx, &Place, &str) -> Result<bool, Fault>,
        breaches: &mut Vec<Breach>,
    ) -> Result<(), Fault> {
        let mut pages = self.pages(tx, scope)?;
        while breaches.len() < MOST_PER_RULE {
            let mut suspects = Vec::new();
            let more = pages.next(tx, &mut |row| {
                if (self.breaks)(row)? {
                    let place = Place::new(row.team_id(4)?, row.project_id(5)?);
                    suspects.push((self.breach(row)?, place, row.string(3)?));
                }
                Ok(())
            })?;
            for (breach, place, id) in suspects {
                if breaches.len() < MOST_PER_RULE && is_breach(breaks(tx, &place, &id))? {
                    breaches.push(breach);
                }
            }
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn check_together(
        &self,
        tx: &mut dyn Tx,
        scope: Scope<'_>,
        told_of: fn(&dyn Row) -> Result<Vec<MustBeKept>, Fault>,
        breaches: &mut Vec<Breach>,
    ) -> Result<(), Fault> {
        let mut pages = self.pages(tx, scope)?;
        while breaches.len() < MOST_PER_RULE {
            let (mut told, mut tellers) = (Vec::new(), Vec::new());
            let more = pages.next(tx, &mut |row| {
                for one in told_of(row)? {
                    told.push((row.int(2)?, one));
                    tellers.push(self.breach(row)?);
                }
                Ok(())
            })?;
            let mut kept = Vec::with_capacity(told.len());
            for some in told.chunks(AT_ONCE) {
                kept.extend(are_kept(tx, some)?);
            }
            let lost = tellers
                .into_iter()
                .zip(kept)
                .filter(|(_, is_kept)| !is_kept);
            breaches.extend(lost.map(|(breach, _)| breach));
            breaches.dedup();
            if !more {
                break;
            }
        }
        breaches.truncate(MOST_PER_RULE);
        Ok(())
    }

    fn judge(&self, row: &dyn Row, breaches: &mut Vec<Breach>) -> Result<(), Fault> {
        if breaches.len() < MOST_PER_RULE && (self.breaks)(row)? {
            breaches.push(self.breach(row)?);
        }
        Ok(())
    }

    /// The breach of a rule of the database as a whole.
    fn offence(&self, subject: String) -> Breach {
        Breach {
            rule: self.name,
            subject,
            detail: format!("not so: {}", self.holds),
        }
    }

    fn breach(&self, row: &dyn Row) -> Result<Breach, Fault> {
        Ok(Breach {
            rule: self.name,
            subject: row.string(0)?,
            detail: format!("in {}, not so: {}", row.text(1)?, self.holds),
        })
    }

    fn sql(&self) -> String {
        let sql = self.sql.to_owned();
        known()
            .iter()
            .fold(sql, |sql, (name, what)| sql.replace(name, what))
    }
}

/// Whether a suspect is an offender. One whose rows cannot be read is: there is a value among them that was
/// never written.
fn is_breach(breaks: Result<bool, Fault>) -> Result<bool, Fault> {
    match breaks {
        Err(Fault::Defect(_)) => Ok(true),
        asked => asked,
    }
}

/// Every statement of this module, by name.
pub(crate) fn statements() -> impl Iterator<Item = (String, String)> {
    let portable = rules().filter(|rule| !rule.sql.is_empty());
    let of_rules = portable.map(|rule| (rule.name.to_owned(), rule.sql()));
    let others = starts::STATEMENTS.iter();
    of_rules.chain(others.map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned())))
}
