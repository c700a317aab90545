//! `billstack copy --to URL`.

use std::time::{Duration, Instant};

use billstack_core::time::Micros;
use billstack_store::copy::{Batch, Stage, Step, copy};
use billstack_store::store::Target;

use super::database;
use super::output::{Failure, Progress, say};
use crate::clock::Clock;
use crate::secrets::key_path;
use crate::settings::Settings;

pub(super) const EXAMPLES: &str = "\
One of the two is SQLite and the other PostgreSQL; the one that is not named is the database of the
settings. Stop the server first: the command refuses to run beside one. The target must be empty. All rows
of both are compared at the end, and every rule of `billstack verify` is asked of both; until then
no server starts on the target. A copy that was interrupted, however it was, goes on when it is run again.
Stripe secrets stay sealed: the server on the copy needs the same secret key.

Examples:
  billstack copy --to postgres://billstack@db.example.com/billstack
  billstack copy --from postgres://billstack@db.example.com/billstack --to sqlite://billstack.db";

/// Settings that it uses.
pub(super) const SETTINGS: &[&str] = &[
    "database_url",
    "wait_for_database",
    "secret_key",
    "log",
    "log_format",
];

/// How often a line is printed where each stays, and how often one that changes in place does.
const SAY_EVERY: Duration = Duration::from_secs(5);
const SHOW_EVERY: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
#[group(skip)]
pub(super) struct CopyArgs {
    /// The new database
    #[arg(
        long,
        env = "BILLSTACK_COPY_TO",
        hide_env_values = true,
        value_name = "URL",
        required_unless_present = "from"
    )]
    to: Option<String>,

    /// The database to copy
    #[arg(
        long,
        env = "BILLSTACK_COPY_FROM",
        hide_env_values = true,
        value_name = "URL"
    )]
    from: Option<String>,

    /// Rows that are committed together at most
    #[arg(long, hide = true, value_name = "NUMBER", default_value_t = Batch::default().rows)]
    batch_rows: usize,
}

/// Copies the database and shows how far it has come.
pub(super) fn run(settings: &Settings, args: &CopyArgs) -> Result<(), Failure> {
    let given = settings.database_url.expose();
    let from = named("--from", args.from.as_deref().unwrap_or(given))?;
    let to = named("--to", args.to.as_deref().unwrap_or(given))?;
    database::wait(settings, &from)?;
    match args.from {
        Some(_) => database::must_exist_as(&from, "--from or BILLSTACK_COPY_FROM")?,
        None => database::must_exist(&from)?,
    }
    let begin = Instant::now();
    let progress = Progress::new();
    let mut shown = Shown::default();
    let batch = Batch {
        rows: args.batch_rows,
    };
    let now = Micros(Clock::System.now_micros());
    let copied = copy(&from, &to, now, batch, &mut |step| {
        shown.show(&progress, step);
    });
    progress.done();
    let copied = copied?;
    if copied.rows_before > 0 {
        say(format_args!(
            "Went on after {} rows that an earlier run had copied.",
            copied.rows_before
        ))?;
    }
    say(format_args!(
        "Copied {} rows in {} s. All {} tables are equal, row by row, and every rule holds on both sides.",
        copied.rows,
        begin.elapsed().as_secs(),
        copied.tables
    ))?;
    say(key_is_needed(settings, &from, &to))
}

fn named(flag: &str, url: &str) -> Result<Target, Failure> {
    Target::from_url(url).map_err(|fault| {
        let why = Failure::from(fault);
        Failure::usage(format_args!("the address of {flag} is no use: {why}"))
    })
}

/// What the server on the copy needs besides.
fn key_is_needed(settings: &Settings, from: &Target, to: &Target) -> String {
    if settings.secret_key.is_some() {
        return "The server on it needs the same BILLSTACK_SECRET_KEY.".to_owned();
    }
    match (from.sqlite_file(), to.sqlite_file()) {
        (Some(file), _) if !key_path(file).exists() => format!(
            "There is no key at {}: if Stripe secrets were sealed, set BILLSTACK_SECRET_KEY for the server on it to the key \
             that sealed them.",
            key_path(file).display()
        ),
        (Some(file), _) => format!(
            "The server on it needs the key to the Stripe secrets: set BILLSTACK_SECRET_KEY to what is in {}.",
            key_path(file).display()
        ),
        (_, Some(file)) => format!(
            "The server on it needs the key to the Stripe secrets: go on setting BILLSTACK_SECRET_KEY, or put it into {}.",
            key_path(file).display()
        ),
        _ => String::new(),
    }
}

/// What has been shown last, and when.
#[derive(Default)]
struct Shown {
    last: Option<(Stage, Instant)>,
}

impl Shown {
    fn show(&mut self, progress: &Progress, step: Step) {
        let every = if progress.in_place() {
            SHOW_EVERY
        } else {
            SAY_EVERY
        };
        let is_due = self
            .last
            .is_none_or(|(stage, at)| stage != step.stage || at.elapsed() >= every);
        if is_due {
            self.last = Some((step.stage, Instant::now()));
            progress.step(sentence(step));
        }
    }
}

fn sentence(step: Step) -> String {
    let Step {
        name,
        number,
        of,
        rows,
        ..
    } = step;
    match step.stage {
        Stage::Source if number == 0 => format!("source: {name}"),
        Stage::Target if number == 0 => format!("copy: {name}"),
        Stage::Source => format!("source, rule {number} of {of}: {name}"),
        Stage::Copy => format!("copying, table {number} of {of}: {rows} rows of {name}"),
        Stage::Compare => format!("comparing, table {number} of {of}: {rows} rows of {name}"),
        Stage::Target => format!("copy, rule {number} of {of}: {name}"),
    }
}
