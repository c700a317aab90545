//! What becomes of money: conversions, refunds, and the queue that brings credits to a stand-in for Stripe, as fast as
//! the rate of each team allows; and what the API does beside an empty and a full queue.

mod calls;
mod events;
mod seed;
mod spent;
mod stripe;
mod world;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use billstack_core::program::{Clawback, CreditDelivery};
use scratch_postgres::{Cluster, Options};

use self::calls::{Burst, all};
use self::events::{converted, paid, refunded};
use self::seed::waiting_in_stripe;
use self::spent::Spent;
use self::stripe::Stripe;
use self::world::{Plan, TO_CONVERT, Team, World, place_of};
use crate::books::Books;
use crate::load::{Measured, Pace, run};
use crate::report::Report;
use crate::seed::{PER_CODE, Size, stripe_id};
use crate::workloads::Workload;
use crate::{Arguments, Server};

/// How long every answer of Stripe takes.
const LATENCY: Duration = Duration::from_millis(50);

/// Calls a second that are allowed to each team, as the program has it.
const ALLOWED: f64 = 10.0;

/// Calls of Stripe for each delivery: the customer, their subscriptions, the line.
const CALLS: f64 = 3.0;

/// How long deliveries are watched.
const WATCHED: Duration = Duration::from_secs(20);

/// Requests a second beside the queue.
const RATE: f64 = 200.0;

/// Connections that they come over.
const CONNECTIONS: usize = 8;

/// How many credits that wait are claimed from a short queue.
const FEW: u64 = 100;

/// Of those who wait, Stripe knows the first; no more are reached.
const KNOWN: u64 = 5_000;

/// What the API is asked meanwhile.
const ASKED: [Workload; 3] = [Workload::GetCode, Workload::Apply, Workload::Webhook];

/// Measures every server.
pub(crate) fn measure(
    arguments: &Arguments,
    runtime: &tokio::runtime::Runtime,
    report: &mut Report,
) -> Result<(), String> {
    for server in &arguments.servers {
        let directory = tempfile::tempdir_in(&arguments.directory).map_err(|e| e.to_string())?;
        let cluster = match server {
            Server::Sqlite => None,
            Server::Postgres => {
                let options = Options {
                    durable: true,
                    ..Options::default()
                };
                Some(Cluster::start(options).map_err(|error| error.to_string())?)
            }
        };
        let url = |name: &str| match &cluster {
            None => Ok(format!(
                "sqlite://{}",
                directory.path().join(name).display()
            )),
            Some(cluster) => cluster
                .create_database(name, None)
                .map_err(|error| error.to_string()),
        };
        let data = cluster
            .as_ref()
            .map(|cluster| cluster.directory().join("data"));
        let run = Measurement {
            arguments,
            runtime,
            name: match server {
                Server::Sqlite => "sqlite",
                Server::Postgres => "postgres",
            },
            stripe: Stripe::start(LATENCY)?,
        };
        run.all(
            [url("queue_short")?, url("queue_empty")?, url("queue_full")?],
            data,
            report,
        )?;
    }
    Ok(())
}

struct Measurement<'a> {
    arguments: &'a Arguments,
    runtime: &'a tokio::runtime::Runtime,
    name: &'static str,
    stripe: Stripe,
}

impl Measurement<'_> {
    fn figure(&self, report: &mut Report, what: &str, value: f64, unit: &'static str) {
        report.figure(format!("{} {what}", self.name), value, unit);
    }

    fn all(
        &self,
        [few, empty, full]: [String; 3],
        data: Option<PathBuf>,
        report: &mut Report,
    ) -> Result<(), String> {
        let waiting = self.arguments.waiting;
        let empty = self.world(empty, data.clone(), |books, teams| {
            // The same customers and credits, of a program that keeps books only.
            let place = place_of(&teams[0].target);
            books.program(&place, CreditDelivery::Ledger, Clawback::None)?;
            books.credits(&place, 0..waiting)
        })?;
        empty.signal("STOP");
        let few = self.few(few)?;
        let mut claims = [0.0; 2];
        let full = self.world(full, data, |books, teams| {
            for team in teams {
                let place = place_of(&team.target);
                books.program(&place, CreditDelivery::StripeBalance, Clawback::Always)?;
            }
            let place = place_of(&teams[0].target);
            books.credits(&place, 0..waiting)?;
            claims = self::seed::claims(&few, books)?;
            for team in &teams[1..] {
                books.people(&place_of(&team.target), team.first, team.target.size)?;
            }
            Ok(())
        })?;
        self.figure(report, &format!("claim, {FEW} waiting"), claims[0], "us");
        self.figure(
            report,
            &format!("claim, {waiting} waiting"),
            claims[1],
            "us",
        );
        self.stripe
            .know((0..waiting.min(KNOWN)).map(waiting_in_stripe));
        for team in &full.teams[1..] {
            let people = team.first..team.first + team.target.size.customers();
            self.stripe.know(people.map(stripe_id));
        }
        self.beside(&empty, &full, report)?;
        self.bursts(&full, report)?;
        self.drain(&full, report)?;
        self.figure(report, "verify of the full queue", full.verify()?, "s");
        self.figure(report, "verify of the empty queue", empty.verify()?, "s");
        self.figure(
            report,
            "verify of its small project",
            full.verify_project()?,
            "s",
        );
        Ok(())
    }

    /// Books in which few credits wait.
    fn few(&self, url: String) -> Result<Books, String> {
        let size = Size {
            referrals: 0,
            waiting: 0,
            fresh: 0,
        };
        let plan = Plan {
            arguments: self.arguments,
            stripe: &self.stripe,
            url,
            cluster: None,
            size,
        };
        World::only_books(plan, FEW)
    }

    fn world(
        &self,
        url: String,
        cluster: Option<PathBuf>,
        fill: impl FnOnce(&Books, &[Team]) -> Result<(), String>,
    ) -> Result<World, String> {
        let arguments = self.arguments;
        let rate = arguments.rate.unwrap_or(RATE);
        let each = (rate * (arguments.seconds + 1.0)) as u64 + 1;
        // Beside the two queues, and twice beside the drain.
        let uses = each * (arguments.rounds as u64 + 2);
        let size = Size {
            referrals: 0,
            waiting: uses.next_multiple_of(PER_CODE),
            fresh: uses,
        };
        let plan = Plan {
            arguments,
            stripe: &self.stripe,
            url,
            cluster,
            size,
        };
        World::make(plan, fill)
    }

    fn run(&self, world: &World, workload: Workload, rate: f64) -> Measured {
        let times = (
            Duration::from_millis(500),
            Duration::from_secs_f64(self.arguments.seconds),
        );
        let next = world.measured.requests(workload);
        let pace = Pace::PerSecond(rate);
        let measured = run(&world.process, CONNECTIONS, pace, times, next);
        self.runtime.block_on(measured)
    }

    /// What the API does beside an empty queue and beside a full one that drains, by turns: the server whose turn it
    /// is not stands still.
    fn beside(&self, empty: &World, full: &World, report: &mut Report) -> Result<(), String> {
        full.signal("STOP");
        let rate = self.arguments.rate.unwrap_or(RATE);
        for workload in ASKED {
            let mut times = [Vec::new(), Vec::new()];
            for round in 0..self.arguments.rounds {
                let mut turns = [(0, empty), (1, full)];
                if round % 2 == 1 {
                    turns.reverse();
                }
                for (which, world) in turns {
                    world.signal("CONT");
                    let measured = self.run(world, workload, rate);
                    world.signal("STOP");
                    if measured.errors > 0 {
                        return Err(format!("{} errors: {}", measured.errors, workload.name()));
                    }
                    times[which].push(measured);
                }
            }
            let name = workload.name();
            for (of, queue) in times.iter().zip(["empty", "full"]) {
                let p50 = median(of.iter().map(|m| m.p50_us));
                let p99 = median(of.iter().map(|m| m.p99_us));
                self.figure(
                    report,
                    &format!("{name} beside the {queue} queue, p50"),
                    p50,
                    "us",
                );
                self.figure(
                    report,
                    &format!("{name} beside the {queue} queue, p99"),
                    p99,
                    "us",
                );
            }
            let pairs = times[0].iter().zip(&times[1]);
            let ratio = median(pairs.map(|(empty, full)| full.p99_us / empty.p99_us));
            self.figure(
                report,
                &format!("{name}: p99 full over empty, of pairs"),
                ratio,
                "",
            );
        }
        full.signal("CONT");
        Ok(())
    }

    /// Conversions whose credits are to be delivered, their payments, and refunds of a third of them.
    fn bursts(&self, world: &World, report: &mut Report) -> Result<(), String> {
        let told = |kind: fn(&Team, u64) -> Vec<u8>, every: u64| {
            let all = world.teams[1..].iter().flat_map(move |team| {
                let numbers = (0..TO_CONVERT).filter(move |n| n.is_multiple_of(every));
                numbers.map(move |n| kind(team, n))
            });
            all.collect::<Vec<_>>()
        };
        for (what, requests) in [
            ("conversions", told(converted, 1)),
            ("paid invoices", told(paid, 1)),
            ("refunds", told(refunded, 3)),
        ] {
            if requests.is_empty() {
                continue;
            }
            let burst = all(world.process.address, 32, requests);
            let burst: Burst = self.runtime.block_on(burst)?;
            self.figure(
                report,
                &format!("{what} that are delivered"),
                burst.per_second(),
                "per second",
            );
            self.figure(report, &format!("{what}, p50"), burst.percentile(50), "ms");
            self.figure(report, &format!("{what}, p99"), burst.percentile(99), "ms");
            self.figure(report, &format!("{what}, errors"), burst.errors as f64, "");
        }
        Ok(())
    }

    /// Watches the queue of every team for a while, alone and beside requests.
    fn drain(&self, world: &World, report: &mut Report) -> Result<(), String> {
        let before = Spent::of(world)?;
        let began = Instant::now();
        self.stripe.forget_calls();
        std::thread::sleep(WATCHED);
        let calls = self.stripe.calls();
        let took = began.elapsed().as_secs_f64();
        let spent = Spent::of(world)?.since(&before);
        let mut lines = 0;
        for (number, team) in world.teams.iter().enumerate() {
            let of = calls.get(&team.stripe_key).copied().unwrap_or_default();
            lines += of.lines;
            let team = format!("team {number}");
            self.figure(
                report,
                &format!("{team}: calls"),
                of.all as f64 / took,
                "per second",
            );
            self.figure(
                report,
                &format!("{team}: deliveries"),
                of.lines as f64 / took,
                "per second",
            );
            self.figure(
                report,
                &format!("{team}: refused calls"),
                of.refused as f64,
                "",
            );
        }
        let allowed = ALLOWED / CALLS * world.teams.len() as f64;
        self.figure(report, "deliveries", lines as f64 / took, "per second");
        self.figure(
            report,
            "deliveries that the rate allows",
            allowed,
            "per second",
        );
        let each = |seconds: f64| seconds * took * 1e3 / lines.max(1) as f64;
        self.figure(
            report,
            "database time of a delivery",
            each(spent.database),
            "ms",
        );
        self.figure(
            report,
            "processor time of a delivery",
            each(spent.processor),
            "ms",
        );
        for workload in ASKED {
            let measured = self.run(world, workload, self.arguments.rate.unwrap_or(RATE));
            let name = workload.name();
            self.figure(
                report,
                &format!("{name} beside the drain, p50"),
                measured.p50_us,
                "us",
            );
            self.figure(
                report,
                &format!("{name} beside the drain, p99"),
                measured.p99_us,
                "us",
            );
        }
        Ok(())
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
