//! `bench`: measures the service against a floor, the disk and PostgreSQL, in one interleaved run.

mod books;
mod client;
mod copy;
mod disk;
mod exports;
mod floor;
mod history;
mod load;
mod money;
mod outgoing;
mod pages;
mod process;
mod reads;
mod report;
mod seed;
mod setup;
mod workloads;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;

use crate::load::{Pace, run};
use crate::process::Process;
use crate::report::{Report, Run};
use crate::setup::Bench;
use crate::workloads::Workload;

/// Measure the service.
///
/// Every round runs each server once for each workload and number of connections, one after the
/// other, so that a ratio compares neighbours in time. Only ratios of one run mean anything.
#[derive(Parser)]
struct Arguments {
    /// Referrals in the database before the run, without those made for the writes; with several
    /// sizes everything is measured at each, and compared with the first.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000])]
    referrals: Vec<u64>,
    /// Rounds; the median, the smallest and the largest ratio are told.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each measurement, after half a second of warming up.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 128])]
    connections: Vec<usize>,
    /// Servers besides the floor.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Server::Sqlite, Server::Postgres])]
    servers: Vec<Server>,
    /// Only workloads whose names contain one of these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Requests per second over all connections instead of as many as possible: no stall is hidden.
    #[arg(long)]
    rate: Option<f64>,
    /// Leave out what follows each measurement over several connections: another one at half of the
    /// rate that it reached.
    #[arg(long)]
    closed_only: bool,
    /// Measure every GET with every filter instead, and a page beside the dearest of them.
    #[arg(long)]
    reads: bool,
    /// Measure what becomes of money instead: conversions, refunds, and the queue that brings credits to Stripe,
    /// beside an empty and a full one.
    #[arg(long)]
    money: bool,
    /// Measure what endpoints for webhooks cost those who change something, and how fast webhooks are sent, instead.
    #[arg(long)]
    outgoing: bool,
    /// Ask for the pages of a project instead.
    #[arg(long)]
    pages: bool,
    /// Take every export of everything instead.
    #[arg(long)]
    exports: bool,
    /// Copy from SQLite to PostgreSQL instead, with a run that is killed and one that goes on.
    #[arg(long)]
    copy: bool,
    /// Operations that wait in the full queue.
    #[arg(long, default_value_t = 100_000)]
    waiting: u64,
    /// Teams whose credits are brought to Stripe.
    #[arg(long, default_value_t = 4)]
    teams: usize,
    /// The program to measure.
    #[arg(long, default_value = "target/release/billstack")]
    program: PathBuf,
    /// Where the databases are made; on the disk that is to be measured.
    #[arg(long, default_value = "target")]
    directory: PathBuf,
    /// Where the figures are written as JSON.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// Serve the floor and nothing else; used by the run itself.
    #[arg(long, hide = true)]
    floor: Option<String>,
}

impl Arguments {
    /// The workloads to run.
    fn workloads(&self) -> impl Iterator<Item = Workload> {
        let chosen = |w: &Workload| {
            !self.needs_history()
                && (self.only.is_empty() || self.only.iter().any(|o| w.name().contains(o)))
        };
        Workload::ALL.into_iter().filter(chosen)
    }

    /// Whether what is read includes what happened to the referrals.
    fn needs_history(&self) -> bool {
        self.reads || self.pages || self.exports || self.copy
    }

    /// Whether a measurement over so many connections is followed by one at half of its rate.
    fn halves(&self, connections: usize) -> bool {
        connections > 1 && self.rate.is_none() && !self.closed_only
    }
}

/// A server to measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Server {
    /// The service on SQLite.
    Sqlite,
    /// The service on a PostgreSQL of its own.
    Postgres,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(key) = &arguments.floor {
        return serve_floor(key);
    }
    match measure(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn serve_floor(key: &str) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        let Ok(listener) = tokio::net::TcpListener::bind("127.0.0.1:0").await else {
            return;
        };
        if let Ok(address) = listener.local_addr() {
            println!("Listening on {address}");
        }
        floor::serve(listener, key.to_owned()).await;
    });
    ExitCode::SUCCESS
}

fn measure(arguments: &Arguments) -> Result<(), String> {
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let mut report = Report {
        command,
        ..Report::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    if arguments.money {
        money::measure(arguments, &runtime, &mut report)?;
    }
    if arguments.outgoing {
        outgoing::measure(arguments, &runtime, &mut report)?;
    }
    let is_other = arguments.money || arguments.outgoing;
    let sizes = arguments.referrals.iter().filter(|_| !is_other);
    for referrals in sizes {
        if arguments.copy {
            copy::measure(arguments, *referrals, &runtime, &mut report)?;
            continue;
        }
        let bench = Bench::start(arguments, *referrals, &mut report)?;
        match (arguments.reads, arguments.pages, arguments.exports) {
            (true, ..) => runtime.block_on(reads::measure(&bench, &mut report))?,
            (_, true, _) => runtime.block_on(pages::measure(&bench, &mut report))?,
            (.., true) => exports::measure(&bench, &mut report)?,
            _ => rounds(arguments, *referrals, &bench, &runtime, &mut report)?,
        }
    }
    report.finish();
    report.print();
    report
        .write(&arguments.json)
        .map_err(|error| error.to_string())?;
    println!("\nwritten to {}", arguments.json.display());
    Ok(())
}

/// All rounds on one size of data.
fn rounds(
    arguments: &Arguments,
    referrals: u64,
    bench: &Bench,
    runtime: &tokio::runtime::Runtime,
    report: &mut Report,
) -> Result<(), String> {
    let workloads: Vec<Workload> = arguments.workloads().collect();
    let steps = arguments.rounds * workloads.len() * arguments.connections.len();
    let bar = ProgressBar::new((steps * (bench.servers.len() + 1)) as u64);
    for round in 0..arguments.rounds {
        for workload in &workloads {
            for connections in &arguments.connections {
                let one = Step {
                    workload: *workload,
                    connections: *connections,
                    referrals,
                    round,
                };
                runtime.block_on(step(arguments, bench, one, &bar, report))?;
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

#[derive(Clone, Copy)]
struct Step {
    workload: Workload,
    referrals: u64,
    connections: usize,
    round: usize,
}

/// One workload on the floor and on each server.
async fn step(
    arguments: &Arguments,
    bench: &Bench,
    step: Step,
    bar: &ProgressBar,
    report: &mut Report,
) -> Result<(), String> {
    let size = bench.answer_size(step.workload).await?;
    let floor = bench.floor_requests(step.workload, size);
    let servers = bench.servers.iter();
    let servers = servers.map(|server| (server, server.target.requests(step.workload)));
    let times = (
        Duration::from_millis(500),
        Duration::from_secs_f64(arguments.seconds),
    );
    for (server, next) in std::iter::once((&bench.floor, floor)).chain(servers) {
        let (name, workload) = (server.name, step.workload.name());
        bar.set_message(format!("{workload} {} {name}", step.connections));
        let push = |pace| {
            let next = Arc::clone(&next);
            run(&server.process, step.connections, pace, times, next)
        };
        let measured = push(arguments.rate.map_or(Pace::Closed, Pace::PerSecond)).await;
        let mut at_half_rate = None;
        if arguments.halves(step.connections) && measured.answers > 0 {
            at_half_rate = Some(push(Pace::PerSecond(measured.per_second / 2.0)).await);
        }
        report.runs.push(Run {
            server: name.to_owned(),
            workload: workload.to_owned(),
            connections: step.connections,
            referrals: step.referrals,
            round: step.round,
            measured,
            at_half_rate,
            resident_mb: server.process.resident_mb(),
        });
        bar.inc(1);
    }
    Ok(())
}

/// A server that is being measured, and what it is asked.
struct Measured {
    name: &'static str,
    process: Process,
    target: workloads::Target,
}
