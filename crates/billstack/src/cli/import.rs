//! `billstack import`.

mod doubles;
mod formats;
mod people;
mod report;
mod source;
mod steps;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use billstack_core::ids::ProjectId;
use billstack_store::{Abort, NotNamed, Place, Refusal, projects};

use self::formats::{Format, Row};
use self::people::{People, Task, Whole};
use self::report::{Report, Told};
use self::source::Unread;
use self::steps::{Made, Stop};
use super::output::{Failure, Progress, say_json};
use super::team::{self, Team, TeamArgs};
use crate::error::ApiError;
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

/// Imports a file, and says what came of each line that was not simply taken.
pub(super) fn run(settings: &Settings, args: &ImportArgs) -> Result<(), Failure> {
    let mut report = Report::new(args.dry_run);
    let rows = rows(args, &mut report)?;
    let team = team::open(settings, &args.team, "import")?;
    let place = place(&team, args.project.as_deref())?;
    let taken = take_all(&team, &place, rows, &mut report);
    report.sort();
    match args.team.json {
        true => say_json(&report)?,
        false => report.say()?,
    }
    taken.map_err(|why| {
        Failure::refused(format_args!(
            "{why}; run it again, and it goes on where it was"
        ))
    })?;
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
    let reader = args.format.reader(&table.columns);
    report.look_at(args.format, &table.columns);
    let mut rows = Vec::new();
    for record in table.records {
        report.lines += 1;
        let row = record.and_then(|record| {
            let line = record.line;
            reader.row(&record).map_err(|why| Unread { line, why })
        });
        match row {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => report.anonymous += 1,
            Err(Unread { line, why }) => report.refused.push(Told { line, why }),
        }
    }
    if rows.iter().any(|row| row.is_of_referral) {
        let named = reader.tells_of_referrers();
        named.map_err(|why| Failure::usage(format_args!("{}: {why}", args.file.display())))?;
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
fn take_all(
    team: &Team,
    place: &Place,
    rows: Vec<Row>,
    report: &mut Report,
) -> Result<(), Failure> {
    let (progress, mut shown) = (Progress::new(), Instant::now());
    let (people, all) = (People::of(&rows), rows.len());
    let mut whole = Whole::new(&people);
    let (alone, brought): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.by.is_none());
    for (number, row) in alone.into_iter().chain(brought).enumerate() {
        let task = whole.task(row);
        let taken = take(team, place, &task, report.dry_run);
        if taken.is_err() {
            report.not_looked_at = Some(all - number);
            progress.done();
        }
        let taken = taken?;
        if taken.is_ok() {
            whole.done(&task);
        }
        report.add(task.row.line, taken);
        if progress.in_place() || shown.elapsed() >= SHOW_EVERY {
            shown = Instant::now();
            progress.step(format_args!("{} of {all} lines", number + 1));
        }
    }
    progress.done();
    Ok(())
}

/// How often a line is looked at anew whose customer, code or referral somebody else has made meanwhile.
const LOOKS: usize = 5;

/// Takes one row. What was in the way is there now, if others have made it, and is found by the next look.
fn take(
    team: &Team,
    place: &Place,
    task: &Task,
    is_only_tried: bool,
) -> Result<Result<Made, String>, Failure> {
    for _ in 1..LOOKS {
        match take_once(team, place, task, is_only_tried)? {
            Err(Refused::InTheWay(_)) => {}
            Err(Refused::AsItIs(why)) => return Ok(Err(why)),
            Ok(made) => return Ok(Ok(made)),
        }
    }
    Ok(take_once(team, place, task, is_only_tried)?.map_err(Refused::why))
}

/// Why a row is not taken.
enum Refused {
    /// Something is there that was not there when the row was looked at.
    InTheWay(String),
    AsItIs(String),
}

impl Refused {
    fn by_store(refusal: Refusal) -> Refused {
        let is_in_the_way = matches!(
            refusal,
            Refusal::CustomerExists(..)
                | Refusal::ExternalIdTaken
                | Refusal::ActiveCodeExists(..)
                | Refusal::NotNamed(NotNamed::Taken)
                | Refusal::AlreadyReferred(_)
        );
        let why = ApiError::from(refusal).to_string();
        match is_in_the_way {
            true => Refused::InTheWay(why),
            false => Refused::AsItIs(why),
        }
    }

    fn why(self) -> String {
        match self {
            Refused::InTheWay(why) | Refused::AsItIs(why) => why,
        }
    }
}

/// Takes one row in one transaction, which is undone where it is only tried.
fn take_once(
    team: &Team,
    place: &Place,
    task: &Task,
    is_only_tried: bool,
) -> Result<Result<Made, Refused>, Failure> {
    let outcome: Arc<Mutex<Option<Result<Made, String>>>> = Arc::default();
    let (place, task, told) = (place.clone(), task.clone(), Arc::clone(&outcome));
    let written = team.write(move |tx, act| {
        let made = match steps::take(tx, act, &place, &task) {
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
            let told = told.ok_or_else(|| Failure::refused("a line was neither taken nor refused"));
            Ok(told?.map_err(Refused::AsItIs))
        }
        Err(Abort::Refused(refusal)) => Ok(Err(Refused::by_store(refusal))),
        Err(other) => Err(other.into()),
    }
}
