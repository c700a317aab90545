//! Logs and metrics: how they are set up, and the names of the metrics.
//!
//! Both are of the process, not of one server: several servers in one test process share them,
//! and setting them up twice changes nothing. Metrics that other crates count by name are
//! described here too, so that this file is their one list.

mod described;
mod json;

pub use json::log_panics;

use billstack_core::attribution::Outcome;
use billstack_core::time::SECOND;
use billstack_core::webhook::attempt::AttemptError;
use billstack_store::upkeep::{Last, Run};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector as Process;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::JsonFields;

use crate::error::Reason;
use crate::settings::LogFormat;
use crate::webhooks::stripe::signature::BadSignature;

/// Counts answered requests.
const HTTP_REQUESTS: &str = "billstack_http_requests_total";
/// Times them.
const HTTP_SECONDS: &str = "billstack_http_request_seconds";
/// Counts events from Stripe.
const WEBHOOKS: &str = "billstack_webhook_events_total";
/// Counts calls of webhooks that were refused.
const WEBHOOK_REFUSALS: &str = "billstack_webhook_refusals_total";
/// Counts attempts to send a webhook.
const WEBHOOK_ATTEMPTS: &str = "billstack_webhook_attempts_total";
/// Shows how many webhooks are due.
const WEBHOOKS_DUE: &str = "billstack_webhook_deliveries_due";
/// Shows for how long the oldest of them has been.
const OLDEST_DUE: &str = "billstack_webhook_oldest_due_seconds";
/// Shows the writes that wait.
const QUEUE_DEPTH: &str = "billstack_write_queue_depth";
/// Shows how many writes one commit carries.
const BATCH_SIZE: &str = "billstack_write_batch_size";
/// Counts rows that retention removed or emptied.
const FORGOTTEN: &str = "billstack_forgotten_rows_total";
/// Says what runs.
const BUILD_INFO: &str = "billstack_build_info";
/// Shows the room that the database takes.
const DATABASE_BYTES: &str = "billstack_database_bytes";
/// Shows the room that its write-ahead log takes.
const LOG_BYTES: &str = "billstack_database_log_bytes";
/// Shows how long ago Stripe was last heard of.
const LAST_EVENT_AGE: &str = "billstack_stripe_last_event_age_seconds";
/// Shows when the books were last checked.
const LAST_VERIFY: &str = "billstack_last_verify_timestamp_seconds";
/// Shows how many rules were broken then.
const BROKEN_RULES: &str = "billstack_last_verify_broken_rules";
/// Shows when the last backup was made.
const LAST_BACKUP: &str = "billstack_last_backup_timestamp_seconds";
/// Counts panics of handlers.
const PANICS: &str = "billstack_panics_total";
/// Counts panics inside a store operation.
const OPERATION_PANICS: &str = "billstack_operation_panics_total";
/// Counts store operations that ran again.
const OPERATION_RETRIES: &str = "billstack_operation_retries_total";

/// Where Stripe's events arrive, and how it is answered when they cannot be kept.
const WEBHOOK_ROUTE: &str = "/api/webhooks/stripe/{teamId}";
const WEBHOOK_FAILURES: [u16; 3] = [500, 502, 503];

/// The outcome of an event that a newer version has decided.
pub const OTHER: &str = "other";
/// An event that was taken in before.
pub const DUPLICATE: &str = "duplicate";
/// An attempt to send a webhook that the endpoint took.
const DELIVERED: &str = "delivered";
/// An event that met a fault of ours.
pub const ERROR: &str = "error";

/// From a point read in memory to the longest request a default server allows.
const SECONDS_BUCKETS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// Powers of two, since a batch grows with the load.
const BATCH_BUCKETS: [f64; 13] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 2_048.0, 4_096.0,
];

/// How often recorded samples are folded into their buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Sends logs to standard error. A second call, or another subscriber already there, wins nothing
/// and harms nothing.
pub fn init_logs(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter_of(filter)?)
        .with_writer(io::stderr)
        // It would report a failed write to the same place, and panic when that fails too: a server
        // must outlive the reader of its log.
        .log_internal_errors(false);
    // An error only says that a subscriber is already set.
    let _already_set = match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => {
            let builder = builder.fmt_fields(JsonFields::new());
            builder.event_format(json::JsonLines).try_init()
        }
    };
    Ok(())
}

/// A filter that never lets secrets out: below `info` the PostgreSQL driver logs the parameters of every
/// statement.
fn filter_of(text: &str) -> Result<EnvFilter, ParseError> {
    Ok(EnvFilter::try_new(text)?.add_directive("tokio_postgres=info".parse()?))
}

/// Starts to record metrics for this process, once.
pub fn init_metrics() {
    recorder();
}

/// All metrics in the text format of Prometheus.
pub fn render() -> String {
    let recorder = recorder();
    Process::default().collect();
    recorder.render()
}

/// Says which program runs on what.
pub fn build_info(engine: &'static str, schema: i64) {
    let (version, schema) = (env!("CARGO_PKG_VERSION"), schema.to_string());
    gauge!(BUILD_INFO, "version" => version, "engine" => engine, "schema" => schema).set(1.0);
}

/// Shows the bytes that the database takes, and those of its log where it has one of its own.
pub fn database_bytes(database: u64, log: Option<u64>) {
    gauge!(DATABASE_BYTES).set(database as f64);
    if let Some(log) = log {
        gauge!(LOG_BYTES).set(log as f64);
    }
}

/// Shows how many seconds ago the last event came in.
pub fn last_event_age(seconds: f64) {
    gauge!(LAST_EVENT_AGE).set(seconds);
}

/// Shows when the books were last checked, with how many broken rules, and when the last backup was made.
pub fn upkeep(last: &Last) {
    let seconds = |run: &Run| run.began_at.0 as f64 / SECOND as f64;
    if let Some(run) = &last.verify {
        gauge!(LAST_VERIFY).set(seconds(run));
        gauge!(BROKEN_RULES).set(run.result as f64);
    }
    if let Some(run) = &last.backup {
        gauge!(LAST_BACKUP).set(seconds(run));
    }
}

/// Counts and times an answered request.
///
/// `route` is the pattern that matched, never the path: every id would make a series of its own.
pub fn http_request(method: &str, route: &str, status: u16, seconds: f64) {
    let method = known_method(method);
    let known = SERIES.read().unwrap_or_else(PoisonError::into_inner);
    let found = known
        .get(route)
        .and_then(|series| series.get(&(method, status)));
    if let Some(series) = found {
        series.add(seconds);
        return;
    }
    drop(known);
    if METRICS.get().is_none() {
        // A series found before there is a recorder would never be recorded.
        return;
    }
    let series = Series::find(method, route, status);
    series.add(seconds);
    let mut known = SERIES.write().unwrap_or_else(PoisonError::into_inner);
    let of_route = known.entry(route.to_owned()).or_default();
    of_route.insert((method, status), series);
}

/// The series of a route, by method and status. Looking them up in the recorder costs copies of all
/// their labels, which was a twentieth of a read's instructions.
static SERIES: RwLock<BTreeMap<String, ByMethodAndStatus>> = RwLock::new(BTreeMap::new());

type ByMethodAndStatus = BTreeMap<(&'static str, u16), Series>;

struct Series {
    requests: Counter,
    seconds: Histogram,
}

impl Series {
    fn find(method: &'static str, route: &str, status: u16) -> Series {
        Series {
            requests: requests(method, route, status),
            seconds: histogram!(HTTP_SECONDS, "method" => method, "route" => route.to_owned()),
        }
    }

    fn add(&self, seconds: f64) {
        self.requests.increment(1);
        self.seconds.record(seconds);
    }
}

fn requests(method: &'static str, route: &str, status: u16) -> Counter {
    let (route, status) = (route.to_owned(), status.to_string());
    counter!(HTTP_REQUESTS, "method" => method, "route" => route, "status" => status)
}

/// Counts an event from Stripe by what became of it.
pub fn webhook(outcome: &'static str) {
    counter!(WEBHOOKS, "outcome" => outcome).increment(1);
}

/// Counts a call of a webhook that was refused, by the reason.
pub fn webhook_refused(reason: &'static str) {
    counter!(WEBHOOK_REFUSALS, "reason" => reason).increment(1);
}

/// Counts an attempt to send a webhook, by why it failed, if it did.
pub fn webhook_sent(error: Option<AttemptError>) {
    counter!(WEBHOOK_ATTEMPTS, "outcome" => outcome_of(error)).increment(1);
}

fn outcome_of(error: Option<AttemptError>) -> &'static str {
    error.map_or(DELIVERED, |error| error.known().unwrap_or(OTHER))
}

/// Shows how many webhooks are due, and for how many seconds the oldest has been.
pub fn webhooks_due(number: i64, oldest: f64) {
    gauge!(WEBHOOKS_DUE).set(number as f64);
    gauge!(OLDEST_DUE).set(oldest);
}

/// Shows how many writes wait for the database.
pub fn queue_depth(waiting: usize) {
    gauge!(QUEUE_DEPTH).set(waiting as f64);
}

/// Counts rows of a kind that retention removed or emptied.
pub fn forgotten(kind: &'static str, rows: u64) {
    counter!(FORGOTTEN, "kind" => kind).increment(rows);
}

/// Counts a panic that was caught outside the store.
pub fn panicked() {
    counter!(PANICS).increment(1);
}

/// A client may send any word as the method, and each would become a series of its own.
pub(crate) fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

fn recorder() -> &'static PrometheusHandle {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS_BUCKETS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Full(BATCH_SIZE.into()), &BATCH_BUCKETS)
            })
            .expect("both lists of buckets have entries")
            .build_recorder();
        let handle = recorder.handle();
        // An error only says that a program around this library records metrics of its own.
        if metrics::set_global_recorder(recorder).is_ok() {
            described::describe();
            begin_at_nothing();
            keep_up(handle.clone());
        }
        handle
    })
}

/// Samples wait in memory until someone renders them, so a server that nobody scrapes would grow.
/// A thread of its own does this, since no runtime lives as long as the recorder.
fn keep_up(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            thread::sleep(UPKEEP_INTERVAL);
            handle.run_upkeep();
        }
    };
    if let Err(error) = thread::Builder::new()
        .name("metrics-upkeep".into())
        .spawn(upkeep)
    {
        tracing::warn!(%error, "metrics will use more memory between two scrapes");
    }
}

/// Makes what alert rules watch exist from the start. A series that begins with its first failure has
/// not risen, as `rate` and `increase` see it, and whatever an absent one is added to is absent too.
fn begin_at_nothing() {
    for name in [PANICS, OPERATION_PANICS, OPERATION_RETRIES] {
        counter!(name).increment(0);
    }
    for name in [
        QUEUE_DEPTH,
        DATABASE_BYTES,
        LOG_BYTES,
        LAST_EVENT_AGE,
        WEBHOOKS_DUE,
        OLDEST_DUE,
        LAST_VERIFY,
        BROKEN_RULES,
        LAST_BACKUP,
    ] {
        gauge!(name).set(0.0);
    }
    let _registered = histogram!(BATCH_SIZE);
    for status in WEBHOOK_FAILURES {
        requests("POST", WEBHOOK_ROUTE, status).increment(0);
    }
    let outcomes = Outcome::ALL.iter().filter_map(Outcome::known);
    let others = [DUPLICATE, OTHER, ERROR, Reason::InvalidSignature.as_str()];
    for outcome in outcomes.chain(others) {
        counter!(WEBHOOKS, "outcome" => outcome).increment(0);
    }
    let errors = AttemptError::ALL.iter().copied().map(Some);
    for error in errors.chain([None]) {
        counter!(WEBHOOK_ATTEMPTS, "outcome" => outcome_of(error)).increment(0);
    }
    for why in BadSignature::ALL {
        counter!(WEBHOOK_REFUSALS, "reason" => why.as_str()).increment(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_recorded_described_and_bucketed() {
        init_metrics();
        init_metrics();
        http_request("GET", "/healthz", 200, 0.003);
        http_request("BREW", "/healthz", 405, 0.003);
        webhook("converted");
        queue_depth(3);
        panicked();
        forgotten("sessions", 7);
        histogram!(BATCH_SIZE).record(5.0);
        let text = render();
        for line in [
            "billstack_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1",
            "billstack_http_requests_total{method=\"OTHER\",route=\"/healthz\",status=\"405\"} 1",
            "billstack_http_request_seconds_bucket{method=\"GET\",route=\"/healthz\",le=\"0.005\"} 1",
            "billstack_webhook_events_total{outcome=\"converted\"} 1",
            "billstack_write_queue_depth 3",
            "billstack_panics_total 1",
            "billstack_forgotten_rows_total{kind=\"sessions\"} 7",
            "billstack_write_batch_size_bucket{le=\"8\"} 1",
            "# HELP billstack_write_batch_size Writes that one commit carried.",
        ] {
            assert!(
                text.lines().any(|have| have == line),
                "{line} is missing in:\n{text}"
            );
        }
    }

    #[test]
    fn logs_can_be_set_up_twice() {
        assert!(init_logs("info", LogFormat::Json).is_ok());
        assert!(init_logs("warn,billstack=debug", LogFormat::Text).is_ok());
        assert!(init_logs("billstack=loud", LogFormat::Text).is_err());
    }
}
