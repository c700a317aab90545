//! Copies a database into an empty one of the other engine, row by row, and compares the two.
//!
//! Rows are committed in batches, table by table in the order of [`TABLES`], which puts what is referred to first, and
//! in each table by key. So how far a copy has come is in the target itself: behind the last key of each table. From
//! before the first row until everything has been compared, a mark in its list of migrations keeps every server
//! and every other command from it.

mod digest;
mod side;
mod sink;
mod sql;

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use billstack_core::time::Micros;

use crate::dump::{TABLES, Table};
use crate::migrate;
use crate::seam::Fault;
use crate::tables::schema_migrations::{self as mark, Identity};
use crate::target::Target;
use crate::verify::{Breach, rules};
use digest::Digest;
use side::Side;
use sink::Sink;

pub(crate) use sql::statements;

/// How many connections ask the rules at most: beyond that, they would only wait for the disk together.
const MOST_READERS: usize = 8;

/// How much is committed together.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Rows at most.
    pub rows: usize,
}

impl Default for Batch {
    fn default() -> Batch {
        Batch { rows: 20_000 }
    }
}

/// What is being done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The rules of `verify` are asked in the source.
    Source,
    /// Rows are copied.
    Copy,
    /// The rows of both sides are compared.
    Compare,
    /// The rules of `verify` are asked in the target.
    Target,
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// In which stage.
    pub stage: Stage,
    /// At which table or rule.
    pub name: &'static str,
    /// Its number, from 1; 0 before the first.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Rows of it so far.
    pub rows: u64,
}

/// A copy that is whole.
#[derive(Clone, Copy, Debug)]
pub struct Copied {
    /// Tables that were compared.
    pub tables: usize,
    /// Rows of both sides.
    pub rows: u64,
    /// Rows that earlier runs had brought.
    pub rows_before: u64,
}

/// Copies `from` into `to`, or goes on with a copy of the two that was interrupted.
pub fn copy(
    from: &Target,
    to: &Target,
    at: Micros,
    batch: Batch,
    told: &mut dyn FnMut(Step),
) -> Result<Copied, Fault> {
    if from.engine() == to.engine() {
        return Err(Fault::Unavailable(of_one_engine(from)));
    }
    let mut source = Side::source(from).map_err(|why| from.named(why))?;
    let identity = source.read(mark::identity);
    let identity = identity.map_err(|why| from.named(why))?;
    let mut target = open_target(to, at, &identity).map_err(|why| to.named(why))?;
    let at_source = |why| from.named(why);
    let at_target = |why| to.named(why);
    must_hold(&mut source, from, Stage::Source, told).map_err(at_source)?;
    let rows_before = copy_tables(&mut source, &mut target, batch, told)?;
    let rows = compare(&mut source, &mut target, told)?;
    must_hold(&mut target, to, Stage::Target, told).map_err(at_target)?;
    target.write(mark::remove).map_err(at_target)?;
    Ok(Copied {
        tables: tables().count(),
        rows,
        rows_before,
    })
}

/// Every table whose rows are what is in the database. The list of migrations and what is kept of checks and backups
/// tell of the database itself, and each has its own.
fn tables() -> impl Iterator<Item = &'static Table> {
    const OF_EACH: [&str; 2] = ["schema_migrations", "upkeep"];
    TABLES.iter().filter(|table| !OF_EACH.contains(&table.name))
}

fn of_one_engine(target: &Target) -> String {
    match target.sqlite_file() {
        Some(_) => "both are SQLite; `billstack backup FILE` copies such a database".to_owned(),
        None => "both are PostgreSQL; pg_dump and pg_restore copy such a database".to_owned(),
    }
}

/// Opens the target and marks it, unless it is marked already: then the mark must be of this source.
fn open_target(to: &Target, at: Micros, identity: &Identity) -> Result<Side, Fault> {
    let held = Side::hold(to)?;
    match migrate::migrate(to, at) {
        Ok(_) => {}
        Err(why) if mark::is_half_made(&why) => {
            let mut target = Side::target(to, held)?;
            return match target.read(mark::find)? {
                Some(found) if found == *identity => Ok(target),
                Some(found) => Err(found.is_of_another()),
                None => Err(why),
            };
        }
        Err(why) => return Err(why),
    }
    let mut target = Side::target(to, held)?;
    target.must_be_empty()?;
    target.write(|tx| mark::put(tx, identity, at))?;
    Ok(target)
}

/// Refuses a side that breaks a rule. Nobody changes it meanwhile, so several connections see the same.
fn must_hold(
    side: &mut Side,
    of: &Target,
    stage: Stage,
    told: &mut dyn FnMut(Step),
) -> Result<(), Fault> {
    let mut tell = |number, name| {
        told(Step {
            stage,
            name,
            number,
            of: rules().count(),
            rows: 0,
        });
    };
    tell(0, "what the database itself finds damaged");
    side.must_be_sound()?;
    let mut breaches = asked_together(of, &mut tell)?;
    if breaches.is_empty() {
        return Ok(());
    }
    breaches.sort_by_key(|(number, _)| *number);
    let all = breaches
        .iter()
        .take(20)
        .map(|(_, breach)| breach.to_string());
    Err(Fault::Unavailable(format!(
        "rules are broken, so that nothing is to be built on it; `billstack verify` tells more: {}",
        all.collect::<Vec<_>>().join("; ")
    )))
}

/// Asks every rule, as many at once as there are processors. One breach of each is enough: `verify` tells the others.
fn asked_together(
    of: &Target,
    tell: &mut dyn FnMut(usize, &'static str),
) -> Result<Vec<(usize, Breach)>, Fault> {
    let waiting = Mutex::new(rules().enumerate());
    let take = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    let (begun, all_begun) = mpsc::channel();
    let ask = |begun: mpsc::Sender<_>| {
        Side::reader(of)?.read(|tx| {
            let mut breaches = Vec::new();
            while let Some((index, rule)) = take() {
                // Nobody listens any more when another has failed.
                let _ = begun.send((index + 1, rule.name));
                let first = rule.check(tx)?.into_iter().next();
                breaches.extend(first.map(|breach| (index, breach)));
            }
            Ok(breaches)
        })
    };
    let readers = thread::available_parallelism().map_or(1, |count| count.get().min(MOST_READERS));
    thread::scope(|scope| {
        let readers: Vec<_> = (0..readers)
            .map(|_| {
                let begun = begun.clone();
                scope.spawn(|| ask(begun))
            })
            .collect();
        drop(begun);
        for (number, name) in all_begun {
            tell(number, name);
        }
        let answers = readers.into_iter().map(|reader| match reader.join() {
            Ok(answer) => answer,
            Err(panic) => resume_unwind(panic),
        });
        Ok(answers.collect::<Result<Vec<_>, _>>()?.concat())
    })
}

/// Copies what the target lacks, and tells how many rows it had.
fn copy_tables(
    source: &mut Side,
    target: &mut Side,
    batch: Batch,
    told: &mut dyn FnMut(Step),
) -> Result<u64, Fault> {
    let of = tables().count();
    let mut before = 0;
    for (index, table) in tables().enumerate() {
        let (last, count) =
            target.read(|tx| Ok((sql::last(tx, table)?, sql::count(tx, table)?)))?;
        before += count;
        let mut rows = count;
        let mut sink = Sink::new(target, table, batch)?;
        source.rows(table, last.as_deref(), &mut |row| {
            rows += 1;
            if sink.put(row)? {
                told(Step {
                    stage: Stage::Copy,
                    name: table.name,
                    number: index + 1,
                    of,
                    rows,
                });
            }
            Ok(())
        })?;
        sink.end()?;
        // What refers to it is checked row by row, by a plan that needs to know how large it is.
        target.analyze(table)?;
    }
    Ok(before)
}

/// Compares all rows of all tables, and tells how many there are.
fn compare(source: &mut Side, target: &mut Side, told: &mut dyn FnMut(Step)) -> Result<u64, Fault> {
    let of = tables().count();
    let (mut rows, mut different) = (0, Vec::new());
    for (index, table) in tables().enumerate() {
        let [here, there] = Digest::of_both(source, target, table)?;
        told(Step {
            stage: Stage::Compare,
            name: table.name,
            number: index + 1,
            of,
            rows: here.rows,
        });
        if here != there {
            different.push(format!(
                "{} ({} rows in the source, {} in the copy)",
                table.name, here.rows, there.rows
            ));
        }
        rows += here.rows;
    }
    if different.is_empty() {
        return Ok(rows);
    }
    Err(Fault::Unavailable(format!(
        "the copy is not what the source is, in {}; if a server has used the source since the copy began, make the \
         target empty and begin again",
        different.join(", ")
    )))
}
