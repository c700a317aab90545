//! `billstack serve`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use billstack_store::migrate::newest_version;
use billstack_store::store::Target;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::database;
use super::output::{Failure, say};
use crate::app::{App, Shared};
use crate::clock::Clock;
use crate::server::{prepare, run as serve_until};
use crate::settings::Settings;
use crate::setup::announce_setup;
use crate::telemetry;

pub(super) const EXAMPLES: &str = "\
The address is printed on standard output, logs go to standard error. While there is no user, a
token for making the first one is printed too. SIGTERM and Ctrl-C let running requests finish (exit 0).
One server at a time may use an SQLite file; PostgreSQL takes as many as you like.

Examples:
  billstack serve
  billstack serve --listen 127.0.0.1:0
  DATABASE_URL=postgres://billstack@db/billstack BILLSTACK_SECRET_KEY=… billstack serve";

/// How long work off the async threads (a password being hashed) may hold up the end.
const LAST_WORK: Duration = Duration::from_secs(5);

/// Files of the server's own: databases, their logs, and connections to PostgreSQL, Stripe and endpoints of webhooks.
const OWN_FILES: u64 = 256;

/// The exit code of a server that no longer trusts its storage (`EX_SOFTWARE` of sysexits.h).
const STORAGE_FAILED: i32 = 70;

/// Serves until a signal.
pub(super) fn run(settings: Settings) -> Result<(), Failure> {
    telemetry::init_metrics();
    allow_files(settings.max_connections);
    // A malformed address of the database is a fault of the call, found before anything is opened.
    database::target_of(settings.database_url.expose())?;
    let runtime = runtime()?;
    let mut stop = Stop::new(&runtime)?;
    let listener = runtime.block_on(listen(&settings.listen))?;
    let local_url = address_of(&listener)?;
    let Some(app) = runtime.block_on(open_unless(stop.requested(), settings, local_url))? else {
        tracing::info!("stopped before the database was open");
        return Ok(());
    };
    // A reader of our output that went away is no reason to stop serving.
    let _ = announce(&app);
    runtime.block_on(serve_until(&app, listener, stop.requested()));
    finish(runtime, app);
    tracing::info!("stopped");
    Ok(())
}

/// Raises the limit of open files as far as the system allows. Every connection is a file, and when they run
/// out the database cannot be opened either; the usual limit is 1,024, and far more are allowed.
fn allow_files(connections: usize) {
    let wanted = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OWN_FILES);
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) if allowed < wanted => tracing::warn!(
            allowed,
            wanted,
            "too few files may be open for so many connections; allow more (`ulimit -n`), or lower \
             BILLSTACK_MAX_CONNECTIONS"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit on open files cannot be raised"),
    }
}

/// The runtime of a serving command.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::refused(format_args!("cannot start threads: {error}")))
}

/// Listens on the address of the settings.
pub(super) async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::usage(format_args!(
            "cannot listen on {address}: {error}; choose another with --listen (or \
             BILLSTACK_LISTEN), port 0 takes any free one"
        ))
    })
}

/// Where a listener can be reached from this machine.
pub(super) fn address_of(listener: &TcpListener) -> Result<String, Failure> {
    Ok(local_url(listener.local_addr().map_err(Failure::refused)?))
}

/// Prepares the state of a server, and ends the process at once should its storage fail.
pub(super) fn open(settings: Settings, clock: Clock, local_url: String) -> Result<Shared, Failure> {
    // Several threads may find out at the same time, and the first one says it for all.
    let ending = Mutex::new(());
    let on_fatal = Arc::new(move |why: &str| {
        let _until_the_end = ending.lock();
        tracing::error!(why, "the storage can no longer be trusted; ending at once");
        std::process::exit(STORAGE_FAILED);
    });
    let target = database::target(&settings)?;
    let app = prepare(settings, clock, local_url, on_fatal)?;
    say_what_runs(&app, &target);
    Ok(app)
}

/// The first line of a log: what there is to know of a server before anything has happened.
fn say_what_runs(app: &App, target: &Target) {
    let (engine, schema) = (target.engine(), newest_version());
    telemetry::build_info(engine, schema);
    let (version, base_url) = (env!("CARGO_PKG_VERSION"), app.base_url());
    let (database, address) = (target.place(), &app.local_url);
    tracing::info!(
        version, engine, schema, database, address, base_url, "started"
    );
}

/// Opens as [`open`] does, unless a signal comes first: a database that does not answer must not keep a
/// server from stopping. What is open by then ends with the process, as in a crash.
async fn open_unless(
    stopped: impl Future<Output = ()>,
    settings: Settings,
    local_url: String,
) -> Result<Option<Shared>, Failure> {
    let (done, opened) = oneshot::channel();
    // The store connects and joins threads, so it comes and goes outside of async code.
    std::thread::spawn(move || {
        // Nobody waits for it any more when the process is about to end.
        let _ = done.send(open(settings, Clock::System, local_url));
    });
    tokio::select! {
        opened = opened => match opened {
            Ok(opened) => opened.map(Some),
            Err(_) => Err(Failure::refused("a panic while the database was opened")),
        },
        () = stopped => Ok(None),
    }
}

/// Lets go of everything in the order that works: the runtime, then the store.
pub(super) fn finish(runtime: Runtime, app: Shared) {
    runtime.shutdown_timeout(LAST_WORK);
    drop(app);
}

/// Prints the address, and how to make the first user while there is none.
fn announce(app: &App) -> Result<(), Failure> {
    let token = announce_setup(app);
    say(format_args!("Listening on {}", app.local_url))?;
    match token {
        Some(token) => say(invitation(app.base_url(), &token)),
        None => Ok(()),
    }
}

fn invitation(url: &str, token: &str) -> String {
    format!(
        "\nThere is no user yet. Make the first one in a browser at the address, with the one-time token:\n\n\
         \x20   {url}/setup\n\
         \x20   {token}\n\n\
         `billstack init` makes a first user too, with a team, a project and an API key.\n"
    )
}

/// Where a browser on this machine finds a server that listens there.
pub(super) fn local_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// The signals that ask a server to stop, caught from the moment this exists.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Catches the signals.
    pub(super) fn new(runtime: &Runtime) -> Result<Stop, Failure> {
        let _inside = runtime.enter();
        Ok(Stop {
            terminate: signal(SignalKind::terminate()).map_err(Failure::refused)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Failure::refused)?,
        })
    }

    /// Waits for one of them.
    pub(super) async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM: finishing what runs"),
            _ = self.interrupt.recv() => tracing::info!("interrupted: finishing what runs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_url_can_be_opened() {
        for (address, url) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8080", "http://[::1]:8080"),
            ("192.0.2.1:8080", "http://192.0.2.1:8080"),
        ] {
            assert_eq!(local_url(address.parse().expect("an address")), url);
        }
    }
}
