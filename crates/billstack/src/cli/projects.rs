//! `billstack projects …`.

use billstack_core::project::ProjectMode;
use billstack_store::projects;

use super::init::display_name;
use super::output::{Failure, say, say_json, table};
use super::team::{self, TeamArgs};
use crate::api::teams::projects::ProjectJson;
use crate::clock::rfc3339;
use crate::settings::Settings;

const LIST_EXAMPLES: &str = "\
Examples:
  billstack projects list
  billstack projects list --json | jq -r '.[].id'";

const CREATE_EXAMPLES: &str = "\
A project has its own customers and referral program. It works beside a live server.

Example:
  billstack projects create --name Rockets
  billstack projects create --name 'Rockets, tried out' --mode test";

#[derive(clap::Subcommand)]
pub(super) enum ProjectsCommand {
    /// List the projects of a team
    #[command(after_help = LIST_EXAMPLES)]
    List(TeamArgs),
    /// Create a project
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
}

#[derive(clap::Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    team: TeamArgs,
    /// Display name
    #[arg(long)]
    name: String,
    /// What it is for: live, or test for one whose clock can be moved forward
    #[arg(long, default_value = "live", value_parser = mode)]
    mode: ProjectMode,
}

fn mode(text: &str) -> Result<ProjectMode, &'static str> {
    ProjectMode::parse(text).ok_or("must be live or test")
}

/// Runs one of them.
pub(super) fn run(settings: &Settings, command: ProjectsCommand) -> Result<(), Failure> {
    match command {
        ProjectsCommand::List(args) => list(settings, &args),
        ProjectsCommand::Create(args) => create(settings, &args),
    }
}

fn list(settings: &Settings, args: &TeamArgs) -> Result<(), Failure> {
    let team = team::open(settings, args, "projects list")?;
    let found = team.list(|tx, team_id, page| Ok(projects::list(tx, team_id, page)?))?;
    if args.json {
        let json = found
            .iter()
            .map(|project| ProjectJson::new(project, &team.id));
        return say_json(&json.collect::<Vec<_>>());
    }
    let rows = found.iter().map(|project| {
        let made = rfc3339(project.created_at.0);
        let mode = project.mode.to_string();
        [project.id.to_string(), project.name.clone(), mode, made]
    });
    table(["ID", "NAME", "MODE", "CREATED"], &rows.collect::<Vec<_>>())
}

fn create(settings: &Settings, args: &CreateArgs) -> Result<(), Failure> {
    let name = display_name("--name", &args.name)?;
    let team = team::open(settings, &args.team, "projects create")?;
    let mode = args.mode;
    let made = team
        .change(move |tx, act, team_id| projects::create_in_mode(tx, act, team_id, &name, mode))?;
    match args.team.json {
        true => say_json(&ProjectJson::new(&made, &team.id)),
        false => say(made.id),
    }
}
