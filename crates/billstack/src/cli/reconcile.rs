//! `billstack reconcile`.

use std::time::{Duration, Instant};

use billstack_core::ids::TeamId;
use billstack_core::reconcile::{Remedy, RunStatus};
use billstack_core::time::Micros;
use billstack_store::reconcile::{self, Line, Run, Wish};
use billstack_store::{Abort, Act, Actor, Tx, teams};

use super::output::{Failure, Progress, say};
use super::{database, quiet, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::server;
use crate::settings::SettingsArgs;
use crate::workers;

pub(super) const EXAMPLES: &str = "\
It asks Stripe which events there were since they were looked through last, and finds those that never came in. Then it
compares the lines of balances with the credits that were put into them: of customers where something has changed, and
of a sample of the others. It works beside a live server and without one; of a team one such run is under way at a
time. A server does the same once a day, and takes in what was missed.
Exit code 0: nothing differs. 1: something does, and each line says what; with --apply, what was repaired too.
2: it could not look.

Examples:
  billstack reconcile
  billstack reconcile --apply
  billstack reconcile --all --apply
  billstack reconcile --team team_… --since 2030-01-31T00:00:00Z";

/// How often it looks how far a run has come that somebody else carries on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// From when on it shows how far it has come, and how often where that is a line each.
const SHOW_AFTER: Duration = Duration::from_secs(1);
const SHOW_EVERY: Duration = Duration::from_secs(5);

/// The most lines that are printed of a run.
const MOST_LINES: i64 = 10_000;

#[derive(clap::Args)]
pub(super) struct ReconcileArgs {
    /// Repair what can be repaired, and take note of the rest
    #[arg(long)]
    apply: bool,
    /// The team, by its id [default: each that is connected with a secret key]
    #[arg(long, value_name = "TEAM_ID")]
    team: Option<String>,
    /// Look at the balance of every customer, not only where something has changed and at a sample of the others
    #[arg(long)]
    all: bool,
    /// From when on to look for events [default: since they were looked through last]; Stripe lists those of 30 days
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

/// What the runs came to.
#[derive(Default)]
struct Verdict {
    differ: i64,
    failed: usize,
}

/// Runs it for each team, and says what differs.
pub(super) fn run(given: &SettingsArgs, args: &ReconcileArgs) -> Result<(), Failure> {
    let verdict = compare(given, args).map_err(Failure::in_the_way)?;
    match verdict {
        Verdict { failed: 1.., .. } => {
            let why = "could not look at everything; the reasons are above";
            Err(Failure::refused(why).in_the_way())
        }
        Verdict { differ: 1.., .. } => Err(Failure::refused("the books and Stripe differed")),
        Verdict { .. } => Ok(()),
    }
}

fn compare(given: &SettingsArgs, args: &ReconcileArgs) -> Result<Verdict, Failure> {
    let settings = quiet(given)?;
    let wish = Wish {
        project_id: None,
        remedy: match args.apply {
            true => Remedy::Repair,
            false => Remedy::Tell,
        },
        is_whole: args.all,
        since: args.since.as_deref().map(past).transpose()?,
    };
    let target = database::target(&settings)?;
    database::must_exist(&target)?;
    let app = server::beside(settings, Clock::System, &database::little())?;
    let runtime = serve::runtime()?;
    let mut verdict = Verdict::default();
    for team_id in chosen(&app, args.team.as_deref())? {
        let run = runtime.block_on(of_team(&app, &team_id, &wish))?;
        let lines = {
            let (team_id, run_id) = (team_id.clone(), run.id.clone());
            app.store
                .scan_blocking(move |tx| Ok(reconcile::lines(tx, &team_id, &run_id, MOST_LINES)?))
        };
        report(&team_id, &run, &lines?)?;
        verdict.differ += run.found;
        verdict.failed += usize::from(run.status != RunStatus::Done);
    }
    serve::finish(runtime, app);
    Ok(verdict)
}

fn past(text: &str) -> Result<Micros, Failure> {
    let now = Clock::System.now_micros();
    let at = Micros::from_rfc3339(text).filter(|at| at.0 <= now);
    at.ok_or_else(|| {
        Failure::usage("--since must be a time in the past, such as 2030-01-31T09:30:00Z")
    })
}

/// The team that is named, or all that can be compared.
fn chosen(app: &App, named: Option<&str>) -> Result<Vec<TeamId>, Failure> {
    let Some(named) = named else {
        return match app.store.scan_blocking(|tx| Ok(reconcile::teams(tx)?))? {
            none if none.is_empty() => {
                let none = "no team is connected to Stripe with a secret key";
                Err(Failure::refused(none))
            }
            teams => Ok(teams),
        };
    };
    let wanted = TeamId::from(named);
    let found = app
        .store
        .scan_blocking(move |tx| Ok(teams::get(tx, &wanted)?))?;
    match found {
        Some(team) => Ok(vec![team.id]),
        None => Err(Failure::refused(format_args!("there is no team {named}"))),
    }
}

/// Asks for a run and carries it on to its end, or waits while a server does.
async fn of_team(app: &App, team_id: &TeamId, wish: &Wish) -> Result<Run, Failure> {
    let asked = {
        let (team_id, wish) = (team_id.clone(), wish.clone());
        write(app, move |tx, act| reconcile::ask(tx, act, &team_id, &wish)).await
    };
    let mut run = asked?;
    let (progress, begin, mut shown) = (Progress::new(), Instant::now(), None);
    while !run.status.is_over() {
        if !workers::carry_on(app, team_id, &run.id).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let (team, id) = (team_id.clone(), run.id.clone());
        run = app
            .store
            .scan(move |tx| reconcile::get(tx, &team, &id))
            .await?;
        let is_due = shown.is_none_or(|at: Instant| at.elapsed() >= SHOW_EVERY);
        if begin.elapsed() >= SHOW_AFTER && (is_due || progress.in_place()) {
            shown = Some(Instant::now());
            progress.step(format_args!(
                "{team_id}: {} of {} parts, {} differ",
                run.done, run.total, run.found
            ));
        }
    }
    progress.done();
    Ok(run)
}

async fn write<T: Send + 'static>(
    app: &App,
    op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
) -> Result<T, Abort> {
    let origin = app.origin(Actor::CommandLine, "billstack reconcile");
    app.store.write(origin, op).await
}

fn report(team_id: &TeamId, run: &Run, lines: &[Line]) -> Result<(), Failure> {
    for line in lines {
        let repaired = if line.is_repaired { "  (repaired)" } else { "" };
        say(format_args!(
            "{}  {}  {}{repaired}",
            line.kind, line.subject, line.detail
        ))?;
    }
    let (id, found, repaired) = (&run.id, run.found, run.repaired);
    match &run.reason {
        Some(why) => say(format_args!("{team_id}: could not look ({id}): {why}")),
        None if found == 0 => say(format_args!("{team_id}: nothing differs ({id})")),
        None => say(format_args!(
            "{team_id}: {found} differ, {repaired} repaired ({id})"
        )),
    }
}
