//! `billstack keys …`.

use billstack_core::access::{Scope, Scopes, api_key_hash, api_key_prefix, format_api_key};
use billstack_core::ids::ProjectId;
use billstack_core::time::Micros;
use billstack_store::api_keys::{self, ApiKey, NewApiKey};
use serde_json::json;

use super::init::display_name;
use super::output::{Failure, say, say_json, table};
use super::team::{self, TeamArgs};
use crate::api::teams::api_keys::ApiKeyJson;
use crate::clock::{Clock, rfc3339};
use crate::secrets::random_bytes;
use crate::settings::Settings;

const LIST_EXAMPLES: &str = "\
Those that are revoked or expired are listed too.

Examples:
  billstack keys list
  billstack keys list --team team_… --json";

const CREATE_EXAMPLES: &str = "\
The key is printed this once; only its hash is kept. It works beside a live server.

Examples:
  billstack keys create --name Backend
  billstack keys create --name Sign-up --scope referrals:read --scope customers:write \\
      --project proj_… --expires-at 2030-01-01T00:00:00Z";

const REVOKE_EXAMPLES: &str = "\
The next request with the key is refused, on every node. Doing it again changes nothing.

Example:
  billstack keys revoke key_…";

#[derive(clap::Subcommand)]
pub(super) enum KeysCommand {
    /// List the API keys of a team
    #[command(after_help = LIST_EXAMPLES)]
    List(TeamArgs),
    /// Create an API key
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// Revoke an API key
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke(RevokeArgs),
}

#[derive(clap::Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    team: TeamArgs,
    /// Display name
    #[arg(long)]
    name: String,
    /// The one project it is good for [default: every project of the team]
    #[arg(long, value_name = "PROJECT_ID")]
    project: Option<String>,
    /// One thing it may do, given once for each: customers:read, customers:write, referrals:read,
    /// referrals:write, webhooks:read or webhooks:write [default: everything]
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// From when on it is refused, such as 2030-01-31T09:30:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    team: TeamArgs,
    /// The key, by its id
    #[arg(value_name = "KEY_ID")]
    key: String,
}

/// Runs one of them.
pub(super) fn run(settings: &Settings, command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::List(args) => list(settings, &args),
        KeysCommand::Create(args) => create(settings, &args),
        KeysCommand::Revoke(args) => revoke(settings, args),
    }
}

fn list(settings: &Settings, args: &TeamArgs) -> Result<(), Failure> {
    let team = team::open(settings, args, "keys list")?;
    let found = team.list(|tx, team_id, page| Ok(api_keys::list(tx, team_id, page)?))?;
    if args.json {
        return say_json(&found.iter().map(ApiKeyJson::new).collect::<Vec<_>>());
    }
    let now = Micros(Clock::System.now_micros());
    let rows = found.iter().map(|key| {
        let project = key
            .project_id
            .as_ref()
            .map_or("all".to_owned(), ToString::to_string);
        let scopes: Vec<_> = key
            .scopes
            .list()
            .iter()
            .map(|scope| scope.as_str())
            .collect();
        let (id, prefix, name) = (key.id.clone(), key.prefix.clone(), key.name.clone());
        [id, prefix, name, project, scopes.join(","), state(key, now)]
    });
    let heads = ["ID", "PREFIX", "NAME", "PROJECT", "SCOPES", "STATE"];
    table(heads, &rows.collect::<Vec<_>>())
}

fn state(key: &ApiKey, now: Micros) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", rfc3339(at.0)),
        (None, Some(at)) if at <= now => format!("expired {}", rfc3339(at.0)),
        (None, Some(at)) => format!("until {}", rfc3339(at.0)),
        (None, None) => "active".to_owned(),
    }
}

fn create(settings: &Settings, args: &CreateArgs) -> Result<(), Failure> {
    let raw_key = format_api_key(random_bytes());
    let new = NewApiKey {
        key_hash: api_key_hash(&raw_key),
        name: display_name("--name", &args.name)?,
        prefix: api_key_prefix(&raw_key).to_owned(),
        project_id: args.project.as_deref().map(ProjectId::from),
        scopes: scopes(&args.scope)?,
        expires_at: args.expires_at.as_deref().map(future).transpose()?,
    };
    let team = team::open(settings, &args.team, "keys create")?;
    let made = team.change(move |tx, act, team_id| api_keys::create(tx, act, team_id, &new))?;
    if args.team.json {
        return say_json(&json!({"key": ApiKeyJson::new(&made), "rawKey": raw_key}));
    }
    say(format_args!(
        "Key      {}\nAPI key  {raw_key}\n         (shown this once; only its hash is kept)",
        made.id
    ))
}

fn scopes(given: &[String]) -> Result<Scopes, Failure> {
    if given.is_empty() {
        return Ok(Scopes::all());
    }
    let known: Option<Vec<Scope>> = given.iter().map(|text| Scope::parse(text)).collect();
    known.map(Scopes::from_list).ok_or_else(|| {
        let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        Failure::usage(format_args!("--scope must be one of {}", all.join(", ")))
    })
}

fn future(text: &str) -> Result<Micros, Failure> {
    let now = Clock::System.now_micros();
    let at = Micros::from_rfc3339(text).filter(|at| at.0 > now);
    at.ok_or_else(|| {
        Failure::usage("--expires-at must be a time in the future, such as 2030-01-31T09:30:00Z")
    })
}

fn revoke(settings: &Settings, args: RevokeArgs) -> Result<(), Failure> {
    let team = team::open(settings, &args.team, "keys revoke")?;
    let id = args.key;
    let revoked = team.change(move |tx, act, team_id| api_keys::revoke(tx, act, team_id, &id))?;
    match args.team.json {
        true => say_json(&ApiKeyJson::new(&revoked)),
        false => say(format_args!("{} is revoked.", revoked.id)),
    }
}
