//! The command line: what there is to run, and what its exit codes mean.
//!
//! | Code | Meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | the database, the state or the data says no; a sentence on standard error says why |
//! | 2 | the call itself is at fault: a flag, a variable, an address that cannot be listened on; or `reconcile` or `doctor` could not look |
//! | 70 | the storage can no longer be trusted; the server ended itself at once |
//!
//! Answers go to standard output, everything else to standard error.

mod backup;
mod copy;
mod database;
mod demo;
mod doctor;
mod generate;
mod import;
mod init;
mod keys;
mod mcp;
mod members;
mod migrate;
mod openapi;
mod output;
mod password;
mod projects;
mod reconcile;
mod serve;
mod team;
mod terminal;
mod upkeep;
mod users;
mod verify;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::http::known::nearest;
use crate::settings::{LogFormat, Settings, SettingsArgs};
use output::Failure;

const EXAMPLES: &str = "\
Examples:
  billstack demo                  Watch the whole life of a referral, on a throw-away database
  billstack serve                 Serve on 127.0.0.1:8080 with the data in billstack.db
  billstack verify                Check that every cent is accounted for
  billstack keys create --name x  Make an API key
  billstack help init             Learn about one command

`-h` shows the few settings that matter first; `--help` shows all of them. Each flag under
\"Settings\" can also be given as the environment variable behind it.";

/// Settings that the short help shows; the long one shows all.
const FIRST_SETTINGS: [&str; 4] = ["database_url", "listen", "base_url", "secret_key"];

/// Settings of commands that only use the database.
const OF_THE_DATABASE: [&str; 4] = ["database_url", "wait_for_database", "log", "log_format"];

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
    Demo(demo::DemoArgs),
    /// Bring the schema of the database up to date
    #[command(after_help = migrate::EXAMPLES)]
    Migrate,
    /// Check every rule the data must keep; exit 1 and name the offenders when one is broken
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::VerifyArgs),
    /// Compare the books with Stripe's; exit 1 when they differ, 2 when it could not look
    #[command(after_help = reconcile::EXAMPLES)]
    Reconcile(reconcile::ReconcileArgs),
    /// Look at what tends to be wrong around a server, and say the cure; exit 1 when something is
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::DoctorArgs),
    /// Copy an SQLite database into a new file, beside a live server
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::BackupArgs),
    /// Bring customers, codes and referrals from whatever was used before
    #[command(after_help = import::EXAMPLES)]
    Import(import::ImportArgs),
    /// Copy the database into an empty one of the other engine, SQLite or PostgreSQL
    #[command(after_help = copy::EXAMPLES)]
    Copy(copy::CopyArgs),
    /// Let a model that helps people ask a server: tools of the Model Context Protocol
    #[command(after_help = mcp::EXAMPLES)]
    Mcp(mcp::McpArgs),
    /// Print the OpenAPI document of the API
    #[command(after_help = openapi::EXAMPLES)]
    Openapi,
    /// Write the manual pages and the completions of shells, for packages
    #[command(hide = true, after_help = generate::EXAMPLES)]
    Generate(generate::GenerateArgs),
    /// Look after the API keys of a team
    #[command(subcommand, arg_required_else_help = true)]
    Keys(keys::KeysCommand),
    /// Look after the projects of a team
    #[command(subcommand, arg_required_else_help = true)]
    Projects(projects::ProjectsCommand),
    /// Look after the members of a team
    #[command(subcommand, arg_required_else_help = true)]
    Members(members::MembersCommand),
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
        Command::Generate(args) => generate::run(documented(), &args),
        Command::Demo(args) => demo::run(given, &args),
        Command::Serve => serve::run(settings(given)?),
        Command::Init(args) => init::run(&quiet(given)?, &args),
        Command::Migrate => migrate::run(&quiet(given)?),
        Command::Verify(args) => verify::run(&quiet(given)?, &args),
        Command::Reconcile(args) => reconcile::run(given, &args),
        Command::Doctor(args) => doctor::run(given, &args),
        Command::Import(args) => import::run(&quiet(given)?, &args),
        Command::Mcp(args) => mcp::run(given, listen_named(&matches, given), &args),
        Command::Backup(args) => backup::run(&quiet(given)?, &args),
        Command::Copy(args) => copy::run(&quiet(given)?, &args),
        Command::Keys(command) => keys::run(&quiet(given)?, command),
        Command::Projects(command) => projects::run(&quiet(given)?, command),
        Command::Members(command) => members::run(&quiet(given)?, command),
        Command::Users(command) => users::run(&quiet(given)?, command),
    }
}

/// The address to listen on, where it was named on the command line and not by a variable.
fn listen_named<'a>(matches: &ArgMatches, given: &'a SettingsArgs) -> Option<&'a str> {
    let (_, of_command) = matches.subcommand()?;
    let is_named = of_command.value_source("listen") == Some(ValueSource::CommandLine);
    given.listen.as_deref().filter(|_| is_named)
}

/// The parser. Its short help leaves out the settings that few people change, and that of a command which takes few
/// settings shows no others.
fn command() -> clap::Command {
    each_with_its_settings(Cli::command().mut_args(|arg| {
        let rare = is_setting(&arg) && !FIRST_SETTINGS.contains(&arg.get_id().as_str());
        if rare { arg.hide_short_help(true) } else { arg }
    }))
}

/// The parser as its manual pages tell it: with every setting, and without a command for help below each command.
fn documented() -> clap::Command {
    fn without_help(command: clap::Command) -> clap::Command {
        command
            .disable_help_subcommand(true)
            .mut_subcommands(without_help)
    }
    each_with_its_settings(without_help(Cli::command()))
}

fn each_with_its_settings(mut command: clap::Command) -> clap::Command {
    // Only then do its commands have the settings.
    command.build();
    let others: [(&str, &[&str]); 9] = [
        ("demo", demo::SETTINGS),
        ("openapi", &[]),
        ("generate", &[]),
        ("copy", copy::SETTINGS),
        ("mcp", mcp::SETTINGS),
        ("keys", &OF_THE_DATABASE),
        ("projects", &OF_THE_DATABASE),
        ("members", &OF_THE_DATABASE),
        ("users", &OF_THE_DATABASE),
    ];
    for (name, used) in others {
        command = command.mut_subcommand(name, |command| showing_only(command, used));
    }
    command.mut_subcommand("mcp", |command| {
        command.mut_args(|arg| match arg.get_id().as_str() {
            "listen" => arg.help(mcp::LISTEN).hide_env(true),
            _ => arg,
        })
    })
}

/// A command and those below it, with the settings that they use in their help.
fn showing_only(command: clap::Command, used: &[&str]) -> clap::Command {
    let command = command.mut_args(|arg| {
        let is_other = is_setting(&arg) && !used.contains(&arg.get_id().as_str());
        if is_other { arg.hide(true) } else { arg }
    });
    command.mut_subcommands(|command| showing_only(command, used))
}

fn is_setting(arg: &clap::Arg) -> bool {
    arg.get_help_heading() == Some("Settings")
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
    // Some are of one command alone.
    let of_commands = command
        .get_subcommands()
        .flat_map(clap::Command::get_arguments);
    let known: Vec<&str> = command
        .get_arguments()
        .chain(of_commands)
        .filter_map(|arg| arg.get_env().and_then(|name| name.to_str()))
        .chain([mcp::KEY])
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
        let given = [
            "BILLSTACK_LISTN",
            "BILLSTACK_LISTEN",
            "LISTN",
            "BILLSTACK_",
            "BILLSTACK_WEBHOOK_SECRET",
        ];
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
    fn the_help_of_the_demo_shows_what_it_uses() {
        let mut command = command();
        let demo = command.find_subcommand_mut("demo").expect("a command");
        let help = demo.render_long_help().to_string();
        assert!(
            help.contains("--listen") && help.contains("--verbose"),
            "{help}"
        );
        for other in ["--database-url", "--secret-key", "--queue-capacity"] {
            assert!(!help.contains(other), "{other}:\n{help}");
        }
        let keys = command.find_subcommand_mut("keys").expect("a command");
        let list = keys.find_subcommand_mut("list").expect("a command");
        let help = list.render_long_help().to_string();
        assert!(
            help.contains("--database-url") && !help.contains("--listen"),
            "{help}"
        );
    }

    #[test]
    fn the_help_of_the_tools_says_what_listening_means_there() {
        let mut command = command();
        let mcp = command.find_subcommand_mut("mcp").expect("a command");
        let help = mcp.render_long_help().to_string();
        assert!(help.contains("over HTTP, in place of"), "{help}");
        for other in ["BILLSTACK_LISTEN=", "--database-url", "--api-key <"] {
            assert!(!help.contains(other), "{other}:\n{help}");
        }
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
