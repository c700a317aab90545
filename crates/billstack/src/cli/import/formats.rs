//! What the columns of each kind of file are called, and what a record says.
//!
//! The names are those of public documentation: of Rewardful the affiliate and the referral object
//! (<https://developers.rewardful.com>), of FirstPromoter promoters and leads of its API v1, and promoters and referrals of
//! v2 (<https://docs.firstpromoter.com>), of GrowSurf the participant (<https://docs.growsurf.com>), of Dub partners and customers (<https://dub.co/docs>).
//! Files are exports, or the answers of their APIs.

mod cells;
mod shapes;

use std::collections::{BTreeMap, HashSet};

use super::people::{folded, folded_code};
use super::source::{Column, Record, Wanted, plain};
use shapes::{CSV, DUB, FIRST_PROMOTER, GROW_SURF, NO_COLUMNS, REWARDFUL};

/// Where a file comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Format {
    /// Columns of our own names: email, name, external_id, stripe_customer_id, code, id, referred_by, status
    Csv,
    /// Affiliates, or referrals
    Rewardful,
    /// Promoters, or leads and referrals
    #[value(name = "firstpromoter")]
    FirstPromoter,
    /// Participants
    #[value(name = "growsurf")]
    GrowSurf,
    /// Partners, or customers
    Dub,
}

/// Somebody of whom a record tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Someone {
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) stripe_customer_id: Option<String>,
    /// The codes that they share.
    pub(super) codes: Vec<Given>,
    /// What others of the file call them by.
    pub(super) called: Option<String>,
}

/// A code, and the line that gives it to somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) line: u64,
}

/// Who brought somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum By {
    /// Whose address, code or id this is.
    Key(String),
    /// The record tells of them too.
    Told(Someone),
}

/// What a record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) person: Someone,
    /// Whether it tells of somebody who may have been brought.
    pub(super) is_of_referral: bool,
    pub(super) by: Option<By>,
    /// What became of the referral where the file comes from.
    pub(super) state: State,
}

/// What became of a referral where the file comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// It may still be rewarded.
    Waits,
    Rewarded,
    /// It never will be; what it is called there.
    Closed(String),
}

/// Columns that tell of a person; of each the first that is filled counts.
struct Columns {
    email: &'static [&'static str],
    name: &'static [&'static str],
    first: &'static [&'static str],
    last: &'static [&'static str],
    external_id: &'static [&'static str],
    stripe: &'static [&'static str],
    code: &'static [&'static str],
    /// Lists of codes: what their columns begin with before the number of the item, and end with.
    codes: &'static [(&'static str, &'static str)],
    called: &'static [&'static str],
}

/// How a record of a format is read.
struct Shape {
    /// A record where one of these is filled tells of a referral; any other of somebody who may share a code.
    /// None of them: each record is of that one kind.
    of_referral: &'static [&'static str],
    /// Whom a record of a referral is about.
    referee: Columns,
    /// Who brought them, where the record tells of them; else whom a record of another kind is about.
    referrer: Columns,
    /// By whom, where the record only names them.
    by: &'static [&'static str],
    /// Where a file has one of these columns, a record where all are empty is of somebody whom nobody brought.
    partner: &'static [&'static str],
    status: &'static [&'static str],
    /// What the status of a referral is that may still be rewarded, that was, and that will not be.
    waiting: &'static [&'static str],
    rewarded: &'static [&'static str],
    closed: &'static [&'static str],
    /// What the status of somebody is of whom nothing is known yet.
    strangers: &'static [&'static str],
    /// Columns that are only filled, with anything but zero, when it was rewarded.
    paid: &'static [&'static str],
}

impl Format {
    fn shape(self) -> &'static Shape {
        match self {
            Format::Csv => &CSV,
            Format::Rewardful => &REWARDFUL,
            Format::FirstPromoter => &FIRST_PROMOTER,
            Format::GrowSurf => &GROW_SURF,
            Format::Dub => &DUB,
        }
    }

    /// Reads the records of a file with these columns.
    pub(super) fn reader(self, columns: &[Column]) -> Reader<'_> {
        let shape = self.shape();
        let names_partners = has(columns, shape.partner);
        Reader {
            shape,
            columns,
            names_partners,
        }
    }

    /// Whether any of these columns holds codes that people share; else what such columns are called.
    pub(super) fn has_codes(self, columns: &[Column]) -> Result<(), String> {
        let shape = self.shape();
        let sides = [&shape.referee, &shape.referrer];
        if columns
            .iter()
            .any(|column| sides.iter().any(|side| side.has_code(&column.plain)))
        {
            return Ok(());
        }
        let single = sides.iter().flat_map(|side| side.code);
        let mut names: Vec<_> = single.map(|name| format!("`{name}`")).collect();
        let lists = sides.iter().flat_map(|side| side.codes);
        names.extend(lists.map(|(begin, end)| format!("`{begin}.0.{end}`")));
        Err(names.join(", "))
    }
}

/// Reads the records of a file.
pub(super) struct Reader<'c> {
    shape: &'static Shape,
    columns: &'c [Column],
    names_partners: bool,
}

impl Reader<'_> {
    /// What a record says; nothing where it is of somebody who has not said who they are.
    pub(super) fn row(&self, record: &Record) -> Result<Option<Row>, String> {
        let shape = self.shape;
        let line = record.line;
        if record.first(shape.of_referral).is_none() {
            let person = person(record, &shape.referrer, &NO_COLUMNS);
            return Ok(Some(Row {
                line,
                person: person.ok_or("it has no e-mail address")?,
                is_of_referral: false,
                by: None,
                state: State::Waits,
            }));
        }
        let Some(referee) = person(record, &shape.referee, &NO_COLUMNS) else {
            let status = record.first(shape.status).map(plain).unwrap_or_default();
            return match shape.strangers.contains(&status.as_str()) {
                true => Ok(None),
                false => Err("it has no e-mail address of whoever was brought".to_owned()),
            };
        };
        Ok(Some(Row {
            line,
            state: shape.state(record)?,
            by: self.by(record, &referee),
            person: referee,
            is_of_referral: true,
        }))
    }

    /// Who brought somebody.
    fn by(&self, record: &Record, referee: &Someone) -> Option<By> {
        let shape = self.shape;
        if self.names_partners && record.first(shape.partner).is_none() {
            return None;
        }
        // What is theirs is not of whoever brought them.
        let told = person(record, &shape.referrer, &shape.referee);
        let told = told.filter(|told| folded(&told.email) != folded(&referee.email));
        let key = record
            .first(shape.by)
            .map(|key| By::Key(cells::key_of(key)));
        told.map(By::Told).or(key)
    }

    /// Whether any column can tell who brought somebody; else what such columns are called. A format with records of one
    /// kind may be a list of people.
    pub(super) fn tells_of_referrers(&self) -> Result<(), String> {
        let shape = self.shape;
        let theirs = shape.referrer.email.iter();
        let theirs = theirs.filter(|name| !shape.referee.email.contains(name));
        let named: Vec<_> = theirs.chain(shape.by).copied().collect();
        if shape.referrer.email.is_empty() || has(self.columns, &named) {
            return Ok(());
        }
        let named: Vec<_> = named.iter().map(|name| format!("`{name}`")).collect();
        Err(format!(
            "no column tells who brought somebody, so that no referral would be made: there is none of {};              `--format csv` imports the people alone",
            named.join(", ")
        ))
    }
}

/// Whether one of these names is that of a column.
fn has(columns: &[Column], names: &[&str]) -> bool {
    columns
        .iter()
        .any(|column| names.contains(&column.plain.as_str()))
}

impl Wanted for Format {
    fn reads(&self, plain: &str) -> bool {
        let shape = self.shape();
        let single = [
            shape.of_referral,
            shape.by,
            shape.partner,
            shape.status,
            shape.paid,
        ];
        let sides = [&shape.referee, &shape.referrer];
        single.iter().any(|names| names.contains(&plain))
            || sides.iter().any(|side| side.reads(plain))
    }

    fn fits(&self, columns: &[Column]) -> Result<(), String> {
        let shape = self.shape();
        let wanted = [shape.referee.email, shape.referrer.email].concat();
        if has(columns, &wanted) {
            return Ok(());
        }
        let named = columns.iter().filter(|column| !column.plain.is_empty());
        let named = named.map(|column| format!("`{:.40}`", column.written));
        let named = named.take(8).collect::<Vec<_>>().join(", ");
        Err(format!(
            "none of its columns is an e-mail address; the first line names {named}"
        ))
    }
}

impl Shape {
    /// Whether a column is filled that only is when the referral was rewarded. What cannot be read is not guessed at.
    fn was_paid(&self, record: &Record) -> Result<bool, String> {
        let mut is_paid = false;
        for column in self.paid {
            let cell = record.first(&[column]).unwrap_or_default();
            is_paid |= cells::is_something(cell).ok_or_else(|| {
                format!("its `{column}` is `{cell:.40}`, which is neither a number nor a time")
            })?;
        }
        Ok(is_paid)
    }

    /// What became of the referral of a record.
    fn state(&self, record: &Record) -> Result<State, String> {
        if self.was_paid(record)? {
            return Ok(State::Rewarded);
        }
        let Some(status) = record.first(self.status) else {
            return Ok(State::Waits);
        };
        let (known, said) = (plain(status), status.to_owned());
        let is_of = |words: &[&str]| words.contains(&known.as_str());
        match () {
            () if is_of(self.waiting) => Ok(State::Waits),
            () if is_of(self.rewarded) => Ok(State::Rewarded),
            () if is_of(self.closed) => Ok(State::Closed(said)),
            // To take it for waiting could pay what was paid, or denied.
            () => Err(format!(
                "its status `{said:.40}` is not known; those that are: {}",
                [self.waiting, self.rewarded, self.closed]
                    .concat()
                    .join(", ")
            )),
        }
    }
}

impl Columns {
    fn has_code(&self, plain: &str) -> bool {
        let mut lists = self.codes.iter();
        self.code.contains(&plain) || lists.any(|list| item(plain, *list).is_some())
    }

    fn reads(&self, plain: &str) -> bool {
        let single = [
            self.email,
            self.name,
            self.first,
            self.last,
            self.external_id,
            self.stripe,
            self.called,
        ];
        single.iter().any(|names| names.contains(&plain)) || self.has_code(plain)
    }

    /// Every code that somebody shares, each once.
    fn all_codes(&self, record: &Record) -> Vec<String> {
        let listed = self.codes.iter().flat_map(|list| {
            let items = record.cells();
            let items = items.filter_map(|(name, code)| Some((item(name, *list)?, code)));
            items.collect::<BTreeMap<_, _>>().into_values()
        });
        let mut seen = HashSet::new();
        let all = record.first(self.code).into_iter().chain(listed);
        all.map(cells::key_of)
            .filter(|code| seen.insert(folded_code(code)))
            .collect()
    }
}

/// How many items of a list of codes are looked at.
const MOST_CODES: u16 = 100;

/// Which item of a list a column is.
fn item(plain: &str, (begin, end): (&str, &str)) -> Option<u16> {
    let number = plain.strip_prefix(begin)?.strip_suffix(end)?;
    number.parse().ok().filter(|number| *number < MOST_CODES)
}

/// What a record says of somebody, without the columns that are somebody else's.
fn person(record: &Record, columns: &Columns, others: &Columns) -> Option<Someone> {
    let first = |columns: &[&str]| {
        let mut own = columns.iter().filter(|column| !others.reads(column));
        own.find_map(|column| record.first(&[column]))
    };
    let owned = |columns: &[&str]| first(columns).map(str::to_owned);
    let parts = [first(columns.first), first(columns.last)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let name = owned(columns.name).or_else(|| (!parts.is_empty()).then(|| parts.join(" ")));
    let line = record.line;
    let codes = columns.all_codes(record).into_iter();
    Some(Someone {
        email: owned(columns.email)?,
        name,
        external_id: owned(columns.external_id),
        stripe_customer_id: owned(columns.stripe),
        codes: codes.map(|text| Given { text, line }).collect(),
        called: owned(columns.called),
    })
}
