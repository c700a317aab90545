//! What an import came to, line by line and all in all.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::formats::Format;
use super::source::{Column, Wanted as _};
use super::steps::{BROUGHT_BEFORE, Made};
use crate::cli::output::{Failure, say};
use crate::error::{ApiError, Reason};

/// What an import came to.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) dry_run: bool,
    pub(super) lines: u64,
    customers: u64,
    codes: u64,
    referrals: u64,
    /// Lines of referrals that were rewarded where the file comes from.
    rewarded_before: u64,
    /// Lines of referrals that never will be, there.
    closed_before: u64,
    /// Lines of visitors who have not said who they are.
    pub(super) anonymous: u64,
    /// Lines of which everything was there already.
    known: u64,
    /// Lines that nobody came to, because the database was lost before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_looked_at: Option<usize>,
    /// The columns of which something is read, as they are written, and the others.
    read: Vec<String>,
    passed_over: Vec<String>,
    /// What columns of codes are called, where the file has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_codes: Option<String>,
    pub(super) refused: Vec<Told>,
    notes: Vec<Told>,
    /// What was counted: where nothing is kept, each row makes again what it stands on.
    #[serde(skip)]
    counted: HashSet<(Kind, String)>,
    /// By whom each friend was brought so far, by their addresses.
    #[serde(skip)]
    brought: HashMap<String, String>,
}

/// What is counted once.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Kind {
    Customer,
    Code,
    Name,
}

/// What is to be said of a line.
#[derive(Eq, PartialEq, Serialize)]
pub(super) struct Told {
    pub(super) line: u64,
    pub(super) why: String,
}

impl Report {
    pub(super) fn new(dry_run: bool) -> Report {
        Report {
            dry_run,
            ..Report::default()
        }
    }

    pub(super) fn add(&mut self, line: u64, taken: Result<Made, String>) {
        let made = match taken.and_then(|made| self.possible(made)) {
            Ok(made) => made,
            Err(why) => return self.refused.push(Told { line, why }),
        };
        let customers = self.count(Kind::Customer, made.customers);
        let codes = self.count(Kind::Code, made.codes);
        let names = self.count(Kind::Name, made.names);
        self.customers += customers;
        self.codes += codes;
        self.referrals += made.referrals;
        self.rewarded_before += u64::from(made.rewarded);
        self.closed_before += u64::from(made.closed);
        let is_new = customers + codes + names + made.referrals > 0;
        self.known += u64::from(!is_new && !made.rewarded && !made.closed);
        let notes = made.notes.into_iter();
        let notes = notes.map(|(at, why)| Told {
            line: at.unwrap_or(line),
            why,
        });
        self.notes.extend(notes);
    }

    /// Where nothing is kept, nobody else would know what two lines of the file say of the same people.
    fn possible(&mut self, mut made: Made) -> Result<Made, String> {
        let Some((by, friend)) = made.brought.clone().filter(|_| self.dry_run) else {
            return Ok(made);
        };
        match self.brought.get(&friend) {
            None => {}
            Some(before) if *before == by => made.referrals = 0,
            Some(_) => return Err(BROUGHT_BEFORE.to_owned()),
        }
        if self.brought.get(&by) == Some(&friend) {
            return Err(ApiError::new(Reason::ReciprocalReferral).to_string());
        }
        self.brought.insert(friend, by);
        Ok(made)
    }

    /// Notes which columns are read.
    pub(super) fn look_at(&mut self, format: Format, columns: &[Column]) {
        for column in columns {
            let named = match format.reads(&column.plain) {
                true => &mut self.read,
                false => &mut self.passed_over,
            };
            named.push(column.written.clone());
        }
        self.no_codes = format.has_codes(columns).err();
    }

    /// How many of these were not counted before.
    fn count(&mut self, kind: Kind, whose: Vec<String>) -> u64 {
        let new = whose.into_iter();
        new.map(|one| u64::from(self.counted.insert((kind, one))))
            .sum()
    }

    /// Puts what is to be said in the order of the lines.
    pub(super) fn sort(&mut self) {
        for told in [&mut self.refused, &mut self.notes] {
            told.sort_by_key(|told| told.line);
            told.dedup();
        }
    }

    pub(super) fn say(&self) -> Result<(), Failure> {
        for Told { line, why } in &self.refused {
            say(format_args!("line {line}: refused: {why}"))?;
        }
        for Told { line, why } in &self.notes {
            say(format_args!("line {line}: {why}"))?;
        }
        say(format_args!("Read: {}.", listed(&self.read)))?;
        say(format_args!("Passed over: {}.", listed(&self.passed_over)))?;
        if let Some(names) = &self.no_codes {
            say(format_args!(
                "No column holds codes, so none that people have shared is kept: there is none of {names}."
            ))?;
        }
        if let Some(left) = self.not_looked_at {
            let lines = if left == 1 { "line was" } else { "lines were" };
            say(format_args!("{left} {lines} not looked at."))?;
        }
        self.say_sums()
    }

    fn say_sums(&self) -> Result<(), Failure> {
        let would = if self.dry_run {
            "would be made"
        } else {
            "made"
        };
        say(format_args!(
            "{} lines: {} customers, {} codes and {} referrals {would}; {} rewarded before, {} closed before, \
             {} anonymous, {} known, {} refused",
            self.lines,
            self.customers,
            self.codes,
            self.referrals,
            self.rewarded_before,
            self.closed_before,
            self.anonymous,
            self.known,
            self.refused.len()
        ))
    }
}

/// The first of these names, and how many there are besides.
fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let shown = names.iter().take(MOST).map(|name| format!("{name:.40}"));
    let mut shown: Vec<_> = shown.collect();
    if let Some(more) = names.len().checked_sub(MOST + 1) {
        shown.push(format!("and {} more", more + 1));
    }
    match shown.is_empty() {
        true => "nothing".to_owned(),
        false => shown.join(", "),
    }
}
