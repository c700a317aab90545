//! What webhooks to the systems of a team cost: those who change something, beside a project that tells nobody; and
//! how fast they are sent.
//!
//! Two databases are alike but for three endpoints that want everything. While these hang, all that an event costs is
//! what its own transaction writes; while they answer, they share the machine with whoever changes something.

mod look;
mod receiver;

use std::time::{Duration, Instant};

use billstack_store::Place;
use scratch_postgres::{Cluster, Options};

use self::receiver::Receiver;
use crate::load::{Measured as Times, Pace, run};
use crate::report::Report;
use crate::seed::Size;
use crate::setup::{change, initialise, postgres, sqlite};
use crate::workloads::Workload;
use crate::{Arguments, Measured, Server};

/// How many endpoints are told of everything.
const ENDPOINTS: usize = 3;

/// For how long sending alone is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// How long endpoints have to be slow until they are taken for slow.
const UNTIL_SLOW: Duration = Duration::from_secs(20);

/// What is asked while nobody answers webhooks.
const ASKED: [Workload; 2] = [Workload::Apply, Workload::Webhook];

/// Measures every server.
pub(crate) fn measure(
    arguments: &Arguments,
    runtime: &tokio::runtime::Runtime,
    report: &mut Report,
) -> Result<(), String> {
    for server in &arguments.servers {
        let directory = tempfile::tempdir_in(&arguments.directory).map_err(|e| e.to_string())?;
        let size = size(arguments);
        let pair = match server {
            Server::Sqlite => {
                let url = format!("sqlite://{}", directory.path().join("look.db").display());
                look(arguments, &url, "sqlite", size, report)?;
                let make = |name| sqlite(arguments, directory.path(), name, size);
                let (silent, telling) = (make("silent")?, make("telling")?);
                Pair::new(silent, telling, None)?
            }
            Server::Postgres => {
                let options = Options {
                    durable: true,
                    ..Options::default()
                };
                let cluster = Cluster::start(options).map_err(|error| error.to_string())?;
                let url = cluster.create_database("look", None);
                let url = url.map_err(|error| error.to_string())?;
                look(arguments, &url, "postgres", size, report)?;
                let make = |name| postgres(arguments, &cluster, name, size);
                let (silent, telling) = (make("silent")?, make("telling")?);
                Pair::new(silent, telling, Some(cluster))?
            }
        };
        pair.all(arguments, runtime, report)?;
    }
    Ok(())
}

/// Enough for both parts and all connections.
fn size(arguments: &Arguments) -> Size {
    const MOST_APPLIES_PER_SECOND: f64 = 12_000.0;
    const MOST_EVENTS_PER_SECOND: f64 = 5_000.0;
    let runs = (arguments.rounds * arguments.connections.len()) as f64;
    let seconds = runs * (arguments.seconds + 0.6);
    let tens = |rate: f64| (rate * seconds) as u64 / 10 * 10 + 10;
    Size {
        referrals: arguments.referrals.first().copied().unwrap_or(10_000),
        waiting: tens(MOST_EVENTS_PER_SECOND),
        fresh: 2 * tens(MOST_APPLIES_PER_SECOND),
    }
}

/// What it costs to look whether anybody is told, where nobody is.
fn look(
    arguments: &Arguments,
    url: &str,
    name: &str,
    size: Size,
    report: &mut Report,
) -> Result<(), String> {
    let place = initialise(arguments, url, size)?.place;
    let place = Place::new(place.team_id, place.project_id);
    let price = look::price(url, &place)?;
    report.figure(format!("{name}: looking whom to tell"), price, "us");
    Ok(())
}

/// What is compared of two servers: its name, its unit, and where it is.
type Value = (&'static str, &'static str, fn(&Times) -> f64);

/// A server whose project tells nobody, and one that tells three endpoints.
struct Pair {
    silent: Measured,
    telling: Measured,
    receiver: Receiver,
    _cluster: Option<Cluster>,
}

impl Pair {
    fn new(silent: Measured, telling: Measured, cluster: Option<Cluster>) -> Result<Pair, String> {
        let receiver = Receiver::start().map_err(|error| error.to_string())?;
        for number in 0..ENDPOINTS {
            let url = format!("http://{}/{number}", receiver.address);
            let body = format!(r#"{{"url":"{url}"}}"#);
            change(&telling, "POST", "webhook-endpoints", &body)?;
        }
        Ok(Pair {
            silent,
            telling,
            receiver,
            _cluster: cluster,
        })
    }

    fn all(
        &self,
        arguments: &Arguments,
        runtime: &tokio::runtime::Runtime,
        report: &mut Report,
    ) -> Result<(), String> {
        self.receiver.hang();
        let turn = |server: &Measured, workload, connections| {
            let times = (
                Duration::from_millis(500),
                Duration::from_secs_f64(arguments.seconds),
            );
            let pace = arguments.rate.map_or(Pace::Closed, Pace::PerSecond);
            server.process.signal("CONT");
            let next = server.target.requests(workload);
            let times = runtime.block_on(run(&server.process, connections, pace, times, next));
            server.process.signal("STOP");
            match times.errors {
                0 => Ok(times),
                errors => Err(format!("{errors} errors: {}", workload.name())),
            }
        };
        // Until then each has one webhook under way after the other.
        turn(&self.telling, Workload::Apply, 1)?;
        self.telling.process.signal("CONT");
        std::thread::sleep(UNTIL_SLOW);
        self.silent.process.signal("STOP");
        self.telling.process.signal("STOP");
        for connections in &arguments.connections {
            for workload in ASKED {
                let name = format!("{} {connections}, they hang", workload.name());
                self.by_turns(arguments.rounds, &name, report, |server| {
                    turn(server, workload, *connections)
                })?;
            }
        }
        self.receiver.answer();
        self.telling.process.signal("CONT");
        self.sending("alone", report, || {
            std::thread::sleep(WATCHED);
            Ok(())
        })?;
        self.telling.process.signal("STOP");
        for connections in &arguments.connections {
            let name = format!("apply {connections}, they answer");
            self.by_turns(arguments.rounds, &name, report, |server| {
                turn(server, Workload::Apply, *connections)
            })?;
            self.sending(&format!("beside apply {connections}"), report, || {
                turn(&self.telling, Workload::Apply, *connections).map(drop)
            })?;
        }
        self.silent.process.signal("CONT");
        self.telling.process.signal("CONT");
        Ok(())
    }

    /// The same for both servers again and again; whose turn it is not stands still.
    fn by_turns(
        &self,
        rounds: usize,
        what: &str,
        report: &mut Report,
        turn: impl Fn(&Measured) -> Result<Times, String>,
    ) -> Result<(), String> {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            let mut turns = [(0, &self.silent), (1, &self.telling)];
            if round % 2 == 1 {
                turns.reverse();
            }
            for (which, server) in turns {
                times[which].push(turn(server)?);
            }
        }
        let name = self.silent.name;
        let values: [Value; 3] = [
            ("rate", "per second", |times| times.per_second),
            ("p50", "us", |times| times.p50_us),
            ("CPU", "us", |times| times.cpu_us),
        ];
        for (value, unit, of) in values {
            let [none, three] = times.each_ref().map(|all| median(all.iter().map(of)));
            report.figure(format!("{name} {what}: {value}, no endpoint"), none, unit);
            report.figure(format!("{name} {what}: {value}, three"), three, unit);
            let pairs = times[0].iter().zip(&times[1]);
            let ratio = median(pairs.map(|(none, three)| of(three) / of(none)));
            report.figure(format!("{name} {what}: {value}, of pairs"), ratio, "");
        }
        Ok(())
    }

    /// How many webhooks arrive while something goes on.
    fn sending(
        &self,
        what: &str,
        report: &mut Report,
        meanwhile: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        let (began, before) = (Instant::now(), self.receiver.taken());
        let cpu = self.telling.process.cpu_seconds();
        meanwhile()?;
        let taken = self.receiver.taken() - before;
        let (took, cpu) = (
            began.elapsed().as_secs_f64(),
            self.telling.process.cpu_seconds() - cpu,
        );
        let name = self.telling.name;
        let rate = taken as f64 / took;
        report.figure(format!("{name} webhooks sent {what}"), rate, "per second");
        if what == "alone" {
            let each = cpu * 1e6 / taken.max(1) as f64;
            report.figure(format!("{name} webhooks sent {what}: CPU each"), each, "us");
        }
        Ok(())
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
