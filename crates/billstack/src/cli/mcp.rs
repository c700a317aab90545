//! `billstack mcp`: the tools of a model that helps people, made of calls of the HTTP API.
//!
//! It is a client like any other: it never opens the database, its rights are those of the API key, and it may run far from
//! the server.

mod api;
mod args;
mod call;
mod http;
mod money;
mod server;
mod tools;
mod trouble;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use billstack_core::access::is_api_key;
use reqwest::Url;
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;

use self::api::Api;
use self::call::Common;
use self::http::Listening;
use self::server::Server;
use super::doctor::address::is_local;
use super::output::Failure;
use super::serve::{self, Stop};
use super::{SettingsArgs, quiet};
use crate::secrets::shared;
use crate::settings::SecretText;

pub(super) const EXAMPLES: &str = "\
It speaks the Model Context Protocol on standard input and output, or with --listen over HTTP, and answers from the HTTP API
of a server: where a referral is and why, what is owed, what Stripe told, how the program does. It only reads unless it is
started with --allow-writes, and it may what the API key may. The key is read from the variable BILLSTACK_API_KEY or from
the file of --api-key-file, never from an argument. Over HTTP each request brings its own as `Authorization: Bearer …`.
BILLSTACK_LISTEN does not count here.

Examples:
  BILLSTACK_API_KEY=bs_… billstack mcp --url https://referrals.example.com
  billstack mcp --url https://referrals.example.com --api-key-file ~/.config/billstack/key --project proj_…
  billstack mcp --url http://127.0.0.1:8080 --listen 127.0.0.1:8090";

/// The settings that it shows in its help.
pub(super) const SETTINGS: &[&str] = &["listen", "log", "log_format"];

/// What it says of this setting, which means something else here.
pub(super) const LISTEN: &str =
    "Address and port to listen on over HTTP, in place of standard input and output";

/// The variable that holds the API key. No flag does: whoever lists processes would read it.
pub(super) const KEY: &str = "BILLSTACK_API_KEY";

#[derive(clap::Args)]
pub(super) struct McpArgs {
    /// The server, by its origin, such as `https://referrals.example.com`
    #[arg(long, value_name = "ORIGIN", env = "BILLSTACK_URL")]
    url: String,
    /// The file that holds the API key, in place of the variable BILLSTACK_API_KEY
    #[arg(long, value_name = "FILE", env = "BILLSTACK_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
    /// The team, by its id [default: that of the key]
    #[arg(long, value_name = "TEAM_ID")]
    team: Option<String>,
    /// The project of calls that name none, by its id [default: the only one that the key is good for]
    #[arg(long, value_name = "PROJECT_ID")]
    project: Option<String>,
    /// Offer tools that change something as well
    #[arg(long)]
    allow_writes: bool,
    /// Seconds that a tool may wait for the server: 1 to 120
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=120))]
    timeout: u64,
    /// Call a server on another machine over http: the key crosses the network readably
    #[arg(long)]
    plain_http: bool,
    /// A name by which clients reach this over HTTP, besides those of this machine; may be repeated
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// Listen on an address that other machines reach: keys cross the network readably
    #[arg(long)]
    beyond_loopback: bool,
}

/// Serves the tools: on an address if one was named on the command line, else on standard input and output.
pub(super) fn run(
    given: &SettingsArgs,
    listen: Option<&str>,
    args: &McpArgs,
) -> Result<(), Failure> {
    quiet(given)?;
    let patience = Duration::from_secs(args.timeout);
    let api = Api::new(&origin(args)?, patience).map_err(Failure::refused)?;
    let common = Arc::new(Common {
        api,
        team: args.team.clone(),
        project: args.project.clone(),
        allow_writes: args.allow_writes,
    });
    let key = match listen {
        Some(_) => None,
        None => Some(key(args.api_key_file.as_deref(), std::env::var_os(KEY))?),
    };
    let runtime = serve::runtime()?;
    let mut stop = Stop::new(&runtime)?;
    let ended = runtime.block_on(async {
        match (listen, key) {
            (Some(address), _) => {
                let wanted = Listening {
                    address,
                    hosts: &args.allow_host,
                    beyond_loopback: args.beyond_loopback,
                };
                http::run(common, &wanted, &mut stop).await
            }
            (None, key) => converse(Server::new(common, key), &mut stop).await,
        }
    });
    // A read of standard input cannot be cut off.
    runtime.shutdown_background();
    ended
}

/// Answers whoever started this, until they close the input or a signal comes.
async fn converse(server: Server, stop: &mut Stop) -> Result<(), Failure> {
    let serving = async {
        let running = match server.serve(stdio()).await {
            Ok(running) => running,
            Err(error) => {
                tracing::warn!(%error, "the client has ended before it began");
                return Ok(());
            }
        };
        running
            .waiting()
            .await
            .map(|_| ())
            .map_err(Failure::refused)
    };
    tokio::select! {
        ended = serving => ended,
        () = stop.requested() => Ok(()),
    }
}

/// Where the API is.
fn origin(args: &McpArgs) -> Result<Url, Failure> {
    let wrong = |why: &str| Failure::usage(format_args!("--url (or BILLSTACK_URL) {why}"));
    let url = Url::parse(&args.url)
        .map_err(|_| wrong("must be an origin, such as https://referrals.example.com"))?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "must be an origin alone, without a path, a query or a user",
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) || args.plain_http => Ok(url),
        "http" => Err(wrong(
            "must begin with https://: the API key would cross the network readably; --plain-http allows it",
        )),
        _ => Err(wrong("must begin with https:// or http://")),
    }
}

/// The API key, of a file or the variable.
/// What is in a file. One that others can read is told of, and read: where a container is given secrets, it cannot choose
/// their mode.
fn in_file(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    if let Some(advice) = shared(&file, path)? {
        eprintln!("warning: --api-key-file {} {advice}", path.display());
    }
    io::read_to_string(file)
}

fn key(file: Option<&Path>, variable: Option<OsString>) -> Result<SecretText, Failure> {
    let text = match (file, variable) {
        (Some(file), None) => in_file(file).map_err(|error| {
            Failure::usage(format_args!("--api-key-file {}: {error}", file.display()))
        })?,
        (None, Some(text)) => text.to_string_lossy().into_owned(),
        (Some(_), Some(_)) => {
            let both = format!("give the API key once, by {KEY} or by --api-key-file");
            return Err(Failure::usage(both));
        }
        (None, None) => {
            let none =
                format!("it needs an API key: set {KEY}, or name a file with --api-key-file");
            return Err(Failure::usage(none));
        }
    };
    match is_api_key(text.trim()) {
        true => Ok(SecretText::new(text.trim())),
        false => Err(Failure::usage(
            "what is given as API key is none: it begins with bs_ and has 51 characters",
        )),
    }
}
