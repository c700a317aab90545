//! `billstack import`.

mod doubles;
mod formats;
mod source;
mod steps;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use billstack_core::ids::ProjectId;
use billstack_core::{email, vanity};
use billstack_store::{Abort, Place, Refusal, projects};
use serde::Serialize;

use self::formats::{By, Format, Row, Someone};
use self::source::{Column, Unread, Wanted as _};
use self::steps::{Made, Stop};
use super::output::{Failure, Progress, say, say_json};
use super::team::{self, Team, TeamArgs};
use crate::error::{ApiError, Reason};
use crate::settings::Settings;

pub(super) const EXAMPLES: &str = "\
It makes customers, their codes and the referrals that still wait, from an export of whatever was used before, or from the
answers of its API. Codes keep their text. A referral that was rewarded there is not made again. What is there already
stays, so the same file may be imported again, also after it was cut off in the middle. It works beside a live server.
Exit code 0: every line was taken. 1: some were not, and each says why; the others were taken.

Examples:
  billstack import customers.csv --format csv --dry-run
  billstack import affiliates.csv --format rewardful
  billstack import participants.json --format growsurf --project proj_…";

/// How often it shows how far it has come where that is a line each.
const SHOW_EVERY: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct ImportArgs {
    /// The file: CSV with a head, or JSON
    file: PathBuf,
    /// Where it comes from
    #[arg(long)]
    format: Format,
    /// Say what would come of each line, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The project, by its id [default: the only one of the team]
    #[arg(long, value_name = "PROJECT_ID")]
    project: Option<String>,
    #[command(flatten)]
    team: TeamArgs,
}

/// What an import came to.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    dry_run: bool,
    lines: u64,
    customers: u64,
    codes: u64,
    referrals: u64,
    /// Lines of referrals that were rewarded where the file comes from.
    rewarded_before: u64,
    /// Lines of referrals that never will be, there.
    closed_before: u64,
    /// Lines of visitors who have not said who they are.
    anonymous: u64,
    /// Lines of which everything was there already.
    known: u64,
    /// The columns of which something is read, as they are written, and the others.
    read: Vec<String>,
    passed_over: Vec<String>,
    /// What columns of codes are called, where the file has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_codes: Option<String>,
    refused: Vec<Told>,
    notes: Vec<Told>,
    /// Who was counted: where nothing is kept, each row makes again what it stands on.
    #[serde(skip)]
    counted: HashSet<(Kind, String)>,
    /// Who was brought by whom so far, by their addresses.
    #[serde(skip)]
    brought: HashSet<(String, String)>,
}

/// What is counted once.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Kind {
    Customer,
    Code,
}

/// What is to be said of a line.
#[derive(Serialize)]
struct Told {
    line: u64,
    why: String,
}

/// Imports a file, and says what came of each line that was not simply taken.
pub(super) fn run(settings: &Settings, args: &ImportArgs) -> Result<(), Failure> {
    let mut report = Report {
        dry_run: args.dry_run,
        ..Report::default()
    };
    let rows = rows(args, &mut report)?;
    let team = team::open(settings, &args.team, "import")?;
    let place = place(&team, args.project.as_deref())?;
    take_all(&team, &place, &rows, &mut report)?;
    for told in [&mut report.refused, &mut report.notes] {
        told.sort_by_key(|told| told.line);
    }
    match args.team.json {
        true => say_json(&report)?,
        false => report.say()?,
    }
    match report.refused.len() {
        0 => Ok(()),
        refused => Err(Failure::refused(format_args!(
            "{refused} of {} lines were refused",
            report.lines
        ))),
    }
}

/// The rows of the file that can be read, without those that contradict one before.
fn rows(args: &ImportArgs, report: &mut Report) -> Result<Vec<Row>, Failure> {
    let table = source::read(&args.file, &args.format)?;
    report.look_at(args.format, &table.columns);
    let mut rows = Vec::new();
    for record in table.records {
        report.lines += 1;
        let row = record.and_then(|record| {
            let line = record.line;
            args.format.row(&record).map_err(|why| Unread { line, why })
        });
        match row {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => report.anonymous += 1,
            Err(Unread { line, why }) => report.refused.push(Told { line, why }),
        }
    }
    let (kept, refused) = doubles::part(rows);
    let refused = refused.into_iter().map(|(line, why)| Told { line, why });
    report.refused.extend(refused);
    Ok(kept)
}

fn place(team: &Team, project: Option<&str>) -> Result<Place, Failure> {
    let all = team.list(|tx, team_id, page| Ok(projects::list(tx, team_id, page)?))?;
    let wanted = project.map(ProjectId::from);
    let mut fitting = all
        .iter()
        .filter(|one| wanted.as_ref().is_none_or(|id| one.id == *id));
    match (fitting.next(), fitting.next(), project) {
        (Some(one), None, _) => Ok(Place::new(team.id.clone(), one.id.clone())),
        (None, _, Some(project)) => Err(Failure::refused(format_args!(
            "the team has no project {project}"
        ))),
        (None, ..) => Err(Failure::refused("the team has no project")),
        (Some(_), Some(_), _) => {
            let named = all.iter().map(|one| format!("{} ({})", one.id, one.name));
            let named: Vec<_> = named.collect();
            Err(Failure::usage(format_args!(
                "--project must say which: {}",
                named.join(", ")
            )))
        }
    }
}

/// First those who may have brought others, then the others: a line may name somebody of a later one.
fn take_all(team: &Team, place: &Place, rows: &[Row], report: &mut Report) -> Result<(), Failure> {
    let (progress, mut shown) = (Progress::new(), Instant::now());
    let called = Called::by(rows);
    let (alone, brought): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.by.is_none());
    for (number, row) in alone.into_iter().chain(brought).enumerate() {
        let beside = match &row.by {
            Some(By::Key(key)) => called.whom(key),
            _ => None,
        };
        let taken = take(team, place, row, beside, report.dry_run)?;
        report.add(row.line, taken);
        if progress.in_place() || shown.elapsed() >= SHOW_EVERY {
            shown = Instant::now();
            progress.step(format_args!("{} of {} lines", number + 1, rows.len()));
        }
    }
    progress.done();
    Ok(())
}

/// Whom the rows call by an address, a code or an id.
#[derive(Default)]
struct Called<'r> {
    by_key: HashMap<String, &'r Someone>,
    by_code: HashMap<String, &'r Someone>,
}

impl<'r> Called<'r> {
    fn by(rows: &'r [Row]) -> Called<'r> {
        let mut called = Called::default();
        for Row { person, .. } in rows {
            let codes = || person.code.iter().chain(&person.more_codes);
            let keys = [&person.email].into_iter().chain(codes());
            for key in keys.chain(&person.called) {
                called.by_key.entry(folded(key)).or_insert(person);
            }
            for code in codes() {
                called.by_code.entry(folded_code(code)).or_insert(person);
            }
        }
        called
    }

    /// Ids may differ in what is no letter, so a code in another spelling comes last.
    fn whom(&self, key: &str) -> Option<&'r Someone> {
        let by_key = self.by_key.get(&folded(key));
        let found = by_key.or_else(|| self.by_code.get(&folded_code(key)));
        found.copied()
    }
}

/// The form in which addresses are compared, and ids.
fn folded(key: &str) -> String {
    email::normalize(key).unwrap_or_else(|| key.trim().to_lowercase())
}

/// The form in which codes are compared, however they are spelled.
fn folded_code(code: &str) -> String {
    vanity::read_any(code).unwrap_or_else(|| folded(code))
}

/// Takes one row in one transaction, which is undone where it is only tried.
fn take(
    team: &Team,
    place: &Place,
    row: &Row,
    beside: Option<&Someone>,
    is_only_tried: bool,
) -> Result<Result<Made, String>, Failure> {
    let outcome: Arc<Mutex<Option<Result<Made, String>>>> = Arc::default();
    let (place, row, beside, told) = (
        place.clone(),
        row.clone(),
        beside.cloned(),
        Arc::clone(&outcome),
    );
    let written = team.write(move |tx, act| {
        let made = match steps::take(tx, act, &place, &row, beside.as_ref()) {
            Ok(made) => made,
            Err(Stop::Abort(abort)) => return Err(abort),
            Err(Stop::Refused(why)) => {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Err(why));
                return Err(Refusal::Rehearsal.into());
            }
        };
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Ok(made));
        match is_only_tried {
            true => Err(Refusal::Rehearsal.into()),
            false => Ok(()),
        }
    });
    match written {
        Ok(()) | Err(Abort::Refused(Refusal::Rehearsal)) => {
            let told = outcome
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            told.ok_or_else(|| Failure::refused("a line was neither taken nor refused"))
        }
        Err(Abort::Refused(refusal)) => Ok(Err(ApiError::from(refusal).to_string())),
        Err(other) => Err(other.into()),
    }
}

impl Report {
    fn add(&mut self, line: u64, taken: Result<Made, String>) {
        let made = match taken.and_then(|made| self.possible(made)) {
            Ok(made) => made,
            Err(why) => return self.refused.push(Told { line, why }),
        };
        let customers = self.count(Kind::Customer, made.customers);
        let codes = self.count(Kind::Code, made.codes);
        self.customers += customers;
        self.codes += codes;
        self.referrals += made.referrals;
        self.rewarded_before += u64::from(made.rewarded);
        self.closed_before += u64::from(made.closed);
        let is_new = customers + codes + made.names + made.referrals > 0;
        self.known += u64::from(!is_new && !made.rewarded && !made.closed);
        let notes = made.notes.into_iter();
        self.notes.extend(notes.map(|why| Told { line, why }));
    }

    /// Where nothing is kept, nobody else would know that two of the file would have brought each other.
    fn possible(&mut self, made: Made) -> Result<Made, String> {
        let Some((by, friend)) = made.brought.clone().filter(|_| self.dry_run) else {
            return Ok(made);
        };
        if self.brought.contains(&(friend.clone(), by.clone())) {
            return Err(ApiError::new(Reason::ReciprocalReferral).to_string());
        }
        self.brought.insert((by, friend));
        Ok(made)
    }

    /// Notes which columns are read.
    fn look_at(&mut self, format: Format, columns: &[Column]) {
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

    fn say(&self) -> Result<(), Failure> {
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
