//! `billstack projects …`.

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
  billstack projects create --name Rockets";

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
        [project.id.to_string(), project.name.clone(), made]
    });
    table(["ID", "NAME", "CREATED"], &rows.collect::<Vec<_>>())
}

fn create(settings: &Settings, args: &CreateArgs) -> Result<(), Failure> {
    let name = display_name("--name", &args.name)?;
    let team = team::open(settings, &args.team, "projects create")?;
    let made = team.change(move |tx, act, team_id| projects::create(tx, act, team_id, &name))?;
    match args.team.json {
        true => say_json(&ProjectJson::new(&made, &team.id)),
        false => say(made.id),
    }
}
