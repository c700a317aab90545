//! The command line: what there is to run, and what its exit codes mean.
//!
//! | Code | Meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | the database, the state or the data says no; a sentence on standard error says why |
//! | 2 | the call itself is at fault: a flag, a variable, an address that cannot be listened on |
//! | 70 | the storage can no longer be trusted; the server ended itself at once |
//!
//! Answers go to standard output, everything else to standard error.

mod backup;
mod database;
mod demo;
mod init;
mod migrate;
mod openapi;
mod output;
mod password;
mod serve;
mod users;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::http::known::nearest;
use crate::settings::{LogFormat, Settings, SettingsArgs};
use output::Failure;

const EXAMPLES: &str = "\
Examples:
  billstack demo                  Watch the whole life of a referral, on a throw-away database
  billstack serve                 Serve on 127.0.0.1:8080 with the data in billstack.db
  billstack verify                Check that every cent is accounted for
  billstack help init             Learn about one command

`-h` shows the few settings that matter first; `--help` shows all of them. Each flag under
\"Settings\" can also be given as the environment variable behind it.";

/// Settings that the short help shows; the long one shows all.
const FIRST_SETTINGS: [&str; 4] = ["database_url", "listen", "base_url", "secret_key"];

/// Self-hosted referral service for SaaS teams on Stripe.
#[derive(Parser)]
#[command(
    name = "billstack",
    version,
    after_help = EXAMPLES,
    arg_required_else_help = true,
    subcommand_required = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API until SIGTERM or Ctrl-C
    #[command(after_help = serve::EXAMPLES)]
    Serve,
    /// Create the schema, the first user, a team, a project and an API key
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArgs),
    /// Play the whole life of a referral on a throw-away database, then keep serving it
    #[command(after_help = demo::EXAMPLES)]
    Demo,
    /// Bring the schema of the database up to date
    #[command(after_help = migrate::EXAMPLES)]
    Migrate,
    /// Check every rule the data must keep; exit 1 and name the offenders when one is broken
    #[command(after_help = verify::EXAMPLES)]
    Verify,
    /// Copy an SQLite database into a new file, beside a live server
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::BackupArgs),
    /// Print the OpenAPI document of the API
    #[command(after_help = openapi::EXAMPLES)]
    Openapi,
    /// Look after the people who sign in
    #[command(subcommand, arg_required_else_help = true)]
    Users(users::UsersCommand),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run() -> Result<(), Failure> {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let given = &cli.settings;
    match cli.command {
        // These need no settings, or judge them themselves.
        Command::Openapi => openapi::run(),
        Command::Demo => demo::run(given),
        Command::Serve => serve::run(settings(given)?),
        Command::Init(args) => init::run(&quiet(given)?, &args),
        Command::Migrate => migrate::run(&quiet(given)?),
        Command::Verify => verify::run(&quiet(given)?),
        Command::Backup(args) => backup::run(&quiet(given)?, &args),
        Command::Users(command) => users::run(&quiet(given)?, command),
    }
}

/// The parser. Its short help leaves out the settings that few people change.
fn command() -> clap::Command {
    Cli::command().mut_args(|arg| {
        let rare = arg.get_help_heading() == Some("Settings")
            && !FIRST_SETTINGS.contains(&arg.get_id().as_str());
        if rare { arg.hide_short_help(true) } else { arg }
    })
}

/// Reads the settings and sets up the log.
fn settings(args: &SettingsArgs) -> Result<Settings, Failure> {
    let settings = Settings::from_args(args).map_err(Failure::usage)?;
    let logs = crate::telemetry::init_logs(&settings.log, settings.log_format);
    logs.map_err(|error| Failure::usage(format_args!("--log (or BILLSTACK_LOG): {error}")))?;
    if settings.log_format == LogFormat::Json {
        crate::telemetry::log_panics();
    }
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (name, meant) in without_effect(variables) {
        tracing::warn!(
            name,
            meant,
            "this variable is no setting, and has no effect"
        );
    }
    Ok(settings)
}

/// The variables that look like settings and are none, each with the setting that is probably meant.
fn without_effect(variables: impl Iterator<Item = String>) -> Vec<(String, Option<String>)> {
    let command = command();
    let known: Vec<&str> = command
        .get_arguments()
        .filter_map(|arg| arg.get_env().and_then(|name| name.to_str()))
        .collect();
    let ours = variables.filter(|name| name.starts_with("BILLSTACK_"));
    let unknown = ours.filter(|name| !known.contains(&name.as_str()));
    let with_meant = unknown.map(|name| {
        let meant = nearest(&name, known.iter().copied()).map(str::to_owned);
        (name, meant)
    });
    with_meant.collect()
}

/// The same for a command that says itself what it does: unless asked for, the log only warns.
fn quiet(args: &SettingsArgs) -> Result<Settings, Failure> {
    let log = args.log.clone().filter(|log| !log.is_empty());
    settings(&SettingsArgs {
        log: log.or_else(|| Some("warn".to_owned())),
        ..args.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_has_no_effect_is_named_with_the_setting_that_is_meant() {
        let given = ["BILLSTACK_LISTN", "BILLSTACK_LISTEN", "LISTN", "BILLSTACK_"];
        let found = without_effect(given.into_iter().map(str::to_owned));
        let meant = |name: &str| Some(name.to_owned());
        let expected = ("BILLSTACK_LISTN".to_owned(), meant("BILLSTACK_LISTEN"));
        assert_eq!(found[0], expected);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn the_parser_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_short_help_shows_what_matters_first() {
        let short = command().render_help().to_string();
        for shown in ["--database-url", "--listen", "serve", "Examples:"] {
            assert!(short.contains(shown), "{shown} is missing in:\n{short}");
        }
        assert!(!short.contains("--queue-capacity"), "{short}");
        let long = command().render_long_help().to_string();
        assert!(long.contains("--queue-capacity"), "{long}");
    }
}
