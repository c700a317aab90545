//! A running server: from settings, a listener and a shutdown signal, so that tests run the real one.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use billstack_core::portal;
use billstack_core::time::Micros;
use billstack_store::counting;
use billstack_store::migrate;
use billstack_store::options::{Fatal, Options, Reads};
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx, stripe_connection, webhooks};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::attention::Ledgers;
use crate::app::{App, Shared};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::http::serve::{Limits, serve};
use crate::links::{Counts, KnownLinks, Pace, counts};
use crate::password::PasswordHasher;
use crate::portal::PortalPace;
use crate::rate_limit::{MissBudget, RateLimiter, SignInThrottle};
use crate::routes;
use crate::secrets::{Cipher, key_path, load_key, load_or_create_key};
use crate::settings::{RateLimit, Settings};
use crate::stripe::{KnownConnections, Openable, Rates, Silence, StripeClient, sealed, unsealed};
use crate::tickets::Tickets;
use crate::webhooks::out::client::WebhookClient;
use crate::webhooks::stripe::{LARGE_EVENTS, LARGE_EVENTS_OF_ADDRESS, RefusedCalls};
use crate::workers;
use crate::workers::webhooks::Stop;

/// Bytes of large answers that clients have not taken yet, and as many of large bodies that are being read.
const LARGE_IN_ALL: u64 = 64 * 1024 * 1024;

/// The same of one caller: enough for eight of the largest pages.
const LARGE_OF_EACH: u64 = 8 * 1024 * 1024;

/// Why a server could not start; each is a sentence for the operator.
#[derive(Debug)]
pub enum StartError {
    /// The database does not work.
    Database(Fault),
    /// There is no key to seal secrets with.
    Key(String),
    /// The key that sealed the secrets in the database is gone.
    KeyLost(String),
    /// The client for Stripe could not be made.
    Stripe(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartError::Database(fault) => write!(f, "{fault}"),
            StartError::Key(why) | StartError::KeyLost(why) | StartError::Stripe(why) => {
                f.write_str(why)
            }
        }
    }
}

impl std::error::Error for StartError {}

/// Opens the database, brings its schema up to date, and gathers what requests share.
///
/// Call it outside of async code, and drop what it returns there too.
pub fn prepare(
    settings: Settings,
    clock: Clock,
    local_url: String,
    on_fatal: Fatal,
) -> Result<Shared, StartError> {
    let target = Target::from_url(settings.database_url.expose()).map_err(StartError::Database)?;
    let kept = kept_key(&settings, &target)?;
    let applied = migrate::migrate(&target, Micros(clock.now_micros()));
    let applied = applied.map_err(StartError::Database)?;
    if !applied.is_empty() {
        tracing::info!(versions = ?applied, "the schema was brought up to date");
    }
    let options = options(&settings, &clock, on_fatal);
    let app = gather(settings, clock, local_url, &target, (kept, &options))?;
    look_at_secrets(&app);
    Ok(Arc::new(app))
}

/// Gathers the same for a command that works beside a server: it shares the database, and leaves its schema alone.
///
/// Call it outside of async code, and drop what it returns there too.
pub fn beside(settings: Settings, clock: Clock, options: &Options) -> Result<Shared, StartError> {
    let target = Target::from_url(settings.database_url.expose()).map_err(StartError::Database)?;
    let kept = kept_key(&settings, &target)?;
    gather(settings, clock, String::new(), &target, (kept, options)).map(Arc::new)
}

/// How often an endpoint of webhooks may be tried in a minute.
const TESTS_A_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();

/// How many codes an address may ask for in a minute that promise nothing.
const OFFERS_MISSED_A_MINUTE: NonZeroU32 = NonZeroU32::new(20).unwrap();

fn gather(
    settings: Settings,
    clock: Clock,
    local_url: String,
    target: &Target,
    (kept, options): (Option<[u8; 32]>, &Options),
) -> Result<App, StartError> {
    let store = Store::open(target, options).map_err(StartError::Database)?;
    let secret = key_for(kept, target, &store)?;
    let portal_key = portal::key(&secret);
    let cipher = Cipher::new(secret);
    let stripe = StripeClient::new(
        &settings.stripe_api_base,
        Duration::from_secs(settings.stripe_timeout_seconds.into()),
    );
    Ok(App {
        store,
        clock,
        cipher,
        stripe: stripe.map_err(|error| StartError::Stripe(error.to_string()))?,
        webhooks_out: WebhookClient::new(settings.webhook_allowed_networks.clone()),
        known_connections: KnownConnections::default(),
        silence: Silence::default(),
        stripe_rates: Arc::new(Rates::new(settings.stripe_rate)),
        api_document: routes::document(),
        openable: Openable::default(),
        refused_calls: RefusedCalls::default(),
        ledgers: Ledgers::default(),
        answers: Budget::new(LARGE_IN_ALL, LARGE_OF_EACH),
        bodies: Budget::new(LARGE_IN_ALL, LARGE_OF_EACH),
        large_events: Budget::new(LARGE_EVENTS, LARGE_EVENTS_OF_ADDRESS),
        known_links: KnownLinks::default(),
        clicks: Counts::default(),
        click_pace: Pace::default(),
        portal_key: portal_key
            .ok_or_else(|| StartError::Key("the secret key is unusable".to_owned()))?,
        portal_pace: PortalPace::default(),
        offer_misses: MissBudget::new(Some(OFFERS_MISSED_A_MINUTE)),
        rate: Arc::new(RateLimiter::new(settings.rate_limit)),
        webhook_tests: RateLimiter::per_minute(TESTS_A_MINUTE),
        misses: MissBudget::new(counted(&settings, settings.apply_miss_budget_per_minute)),
        misses_of_referee: MissBudget::new(counted(
            &settings,
            settings.apply_miss_budget_per_referee,
        )),
        sign_ins: SignInThrottle::new(),
        tickets: Tickets::default(),
        passwords: PasswordHasher::new(),
        verifying: tokio::sync::Semaphore::new(1),
        local_url,
        has_user: std::sync::OnceLock::new(),
        settings,
    })
}

/// Tries to open the Stripe secrets of all teams and logs each that does not open. After a restore without
/// the key, or on a node with another one, webhooks would be the first to fail.
///
/// The server starts all the same: everything else works, and connecting again mends it. While most do not open,
/// it is not ready; see [`App::opens_secrets`].
fn look_at_secrets(app: &App) {
    let read = |tx: &mut dyn Tx| Ok(stripe_connection::active(tx)?);
    let active = app.store.scan_blocking(read).unwrap_or_else(|error| {
        tracing::error!(?error, "the teams' Stripe secrets could not be looked at");
        Vec::new()
    });
    for (team_id, connection) in &active {
        for (team_id, field, sealed) in sealed(team_id, connection) {
            // A failure has already been logged.
            let _ = unsealed(&app.cipher, team_id, field, sealed);
        }
    }
}

/// The key that seals Stripe secrets, if there is one yet: from the settings, or kept beside an SQLite file.
pub fn kept_key(settings: &Settings, target: &Target) -> Result<Option<[u8; 32]>, StartError> {
    migrate::must_be_ours(target).map_err(StartError::Database)?;
    match (&settings.secret_key, target.sqlite_file()) {
        (Some(key), _) => Ok(Some(key.bytes())),
        (None, Some(file)) => load_key(file).map_err(unusable_key_file),
        (None, None) => Err(StartError::Key(
            "BILLSTACK_SECRET_KEY is required with PostgreSQL: 64 hex characters, the same on \
             every node (`openssl rand -hex 32` makes one)"
                .to_owned(),
        )),
    }
}

/// The kept key, or a new one for a database without sealed secrets. With a new one those that are there would be lost
/// without a word, and a later look for the old key would find a key in its place.
pub fn key_for(
    kept: Option<[u8; 32]>,
    target: &Target,
    store: &Store,
) -> Result<[u8; 32], StartError> {
    let (None, Some(file)) = (kept, target.sqlite_file()) else {
        return kept.ok_or_else(|| StartError::Key("there is no secret key".to_owned()));
    };
    let read =
        |tx: &mut dyn Tx| Ok(stripe_connection::holds_secrets(tx)? || webhooks::holds_secrets(tx)?);
    let sealed = store.scan_blocking(read).map_err(|abort| match abort {
        Abort::Fault(fault) => StartError::Database(fault),
        Abort::Refused(_) => StartError::Database(Fault::Closed),
    })?;
    if sealed {
        let path = key_path(file);
        return Err(StartError::KeyLost(format!(
            "the key file {} is gone, and the database holds secrets that only it opens: put it back from where \
             it was backed up; if it is lost for good, set BILLSTACK_SECRET_KEY to a new key (`openssl rand -hex 32`), \
             connect each team to Stripe again, and rotate the secrets of webhook endpoints",
            path.display()
        )));
    }
    load_or_create_key(file).map_err(unusable_key_file)
}

fn unusable_key_file(error: std::io::Error) -> StartError {
    StartError::Key(format!("the secret key file: {error}"))
}

/// Switching the rate limit off switches the budgets of misses off too: whoever does it has another
/// guard in front, or is measuring.
fn counted(settings: &Settings, budget: Option<NonZeroU32>) -> Option<NonZeroU32> {
    budget.filter(|_| settings.rate_limit != RateLimit::Off)
}

fn options(settings: &Settings, clock: &Clock, on_fatal: Fatal) -> Options {
    let clock = clock.clone();
    Options {
        queue_capacity: settings.queue_capacity,
        reader_threads: settings.reader_threads,
        write_lanes: settings.postgres_write_lanes,
        point_lanes: settings.postgres_point_lanes,
        scan_lanes: settings.postgres_scan_lanes,
        exclusive: true,
        on_fatal,
        reads: Reads::ByKey,
        is_late: Arc::new(move |at| clock.now_micros() - at.0 > counting::LATEST),
    }
}

/// Serves until `shutdown` is done, then drains and returns.
pub async fn run(app: &Shared, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let workers = tokio::spawn(workers::run(Arc::clone(app)));
    let watch = tokio::spawn(workers::watch::run(Arc::clone(app)));
    let stopped = CancellationToken::new();
    let counting = tokio::spawn(counts::run(Arc::clone(app), stopped.clone()));
    let limits = limits(&app.settings);
    let (tell, told) = tokio::sync::watch::channel(false);
    let stop = Stop::new(told, limits.shutdown_grace);
    let webhooks = tokio::spawn(workers::webhooks::run(Arc::clone(app), stop));
    let shutdown = async {
        shutdown.await;
        tell.send_replace(true);
    };
    serve(listener, routes::app(app, &limits), limits, shutdown).await;
    counts::finish(app, stopped, counting).await;
    // What is under way there ends within the same grace.
    let _ = webhooks.await;
    for task in [workers, watch] {
        task.abort();
        // It holds the state; wait until it has dropped it.
        let _ = task.await;
    }
}

fn limits(settings: &Settings) -> Limits {
    let seconds = |number: u32| Duration::from_secs(number.into());
    Limits {
        max_connections: settings.max_connections,
        max_connections_per_address: settings.max_connections_per_address,
        urgent: &routes::URGENT,
        behind_proxy: settings.trust_forwarded_for,
        header_timeout: seconds(settings.header_timeout_seconds),
        idle_timeout: seconds(settings.idle_timeout_seconds),
        request_timeout: seconds(settings.request_timeout_seconds),
        shutdown_grace: seconds(settings.shutdown_grace_seconds),
        ..Limits::default()
    }
}
