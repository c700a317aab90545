//! The table that a run prints, and the JSON that it writes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::load::Measured;

/// One measured run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    /// Which server: `floor`, `sqlite`, `postgres`.
    pub(crate) server: String,
    /// What was asked.
    pub(crate) workload: String,
    /// Over how many connections.
    pub(crate) connections: usize,
    /// Referrals in the database, without those made for the writes.
    pub(crate) referrals: u64,
    /// The round, from 0.
    pub(crate) round: usize,
    /// What came out.
    pub(crate) measured: Measured,
    /// The same at half of its rate, when that was measured.
    pub(crate) at_half_rate: Option<Measured>,
    /// The server's resident memory after the run, in megabytes.
    pub(crate) resident_mb: f64,
}

/// A single figure, such as what the disk can do.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// What it is.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
}

/// Everything a command measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The command line, to repeat it.
    pub(crate) command: String,
    /// References and start-up figures.
    pub(crate) figures: Vec<Figure>,
    /// What each server did at each workload, over all rounds.
    pub(crate) rows: Vec<Row>,
    /// Rates and times against those of the disk, of PostgreSQL and of the smallest data.
    pub(crate) comparisons: Vec<Comparison>,
    /// Every run.
    pub(crate) runs: Vec<Run>,
}

/// What one server did at one workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    server: String,
    workload: String,
    connections: usize,
    referrals: u64,
    /// Right answers per second.
    per_second: Spread,
    /// The same over the floor's, round by round.
    ratio: Spread,
    #[serde(flatten)]
    times: Times,
    /// At half of the rate, counted from when a request was due.
    at_half_rate: Option<Times>,
    /// CPU time per right answer.
    cpu_us: Spread,
    /// The same over the floor's, round by round.
    cpu_ratio: Spread,
    /// CPU time of the load generator per right answer.
    generator_us: Spread,
    /// The most resident memory after a run, in megabytes.
    resident_mb: f64,
    errors: usize,
}

/// Percentiles of the times of answers, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Times {
    p50_us: Spread,
    p99_us: Spread,
    p999_us: Spread,
}

impl Times {
    /// Over some rounds; none when there are none.
    fn of(rounds: &[&Measured]) -> Option<Times> {
        let of =
            |value: fn(&Measured) -> f64| Spread::of(rounds.iter().map(|m| value(m)).collect());
        (!rounds.is_empty()).then(|| Times {
            p50_us: of(|m| m.p50_us),
            p99_us: of(|m| m.p99_us),
            p999_us: of(|m| m.p999_us),
        })
    }
}

/// Each is as wide as its column, and has its spaces where the values have theirs.
const HEADINGS: [&str; 16] = [
    "referrals",
    "workload      ",
    "conns",
    "server  ",
    "  req/s",
    "  ratio to floor",
    " p50 us",
    " p99 us",
    " p50 us",
    " p99 us",
    "p999 us",
    "CPU us",
    "x floor",
    "gen us",
    "   MB",
    "errors",
];

impl Row {
    /// A line of the table.
    fn line(&self) -> String {
        let half = |value: fn(Times) -> Spread| {
            let value = self.at_half_rate.map(|times| value(times).median);
            value.map_or("-".to_owned(), |value| format!("{value:.0}"))
        };
        let cells = [
            self.referrals.to_string(),
            self.workload.clone(),
            self.connections.to_string(),
            self.server.clone(),
            format!("{:.0}", self.per_second.median),
            self.ratio.text(),
            format!("{:.0}", self.times.p50_us.median),
            format!("{:.0}", self.times.p99_us.median),
            half(|times| times.p50_us),
            half(|times| times.p99_us),
            half(|times| times.p999_us),
            format!("{:.1}", self.cpu_us.median),
            format!("{:.1}", self.cpu_ratio.median),
            format!("{:.1}", self.generator_us.median),
            format!("{:.0}", self.resident_mb),
            self.errors.to_string(),
        ];
        let padded = HEADINGS.iter().zip(cells).map(|(heading, cell)| {
            let width = heading.len();
            if heading.ends_with(' ') {
                format!("{cell:width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        padded.collect::<Vec<_>>().join(" ")
    }
}

/// One figure over another.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    /// What is compared with what.
    name: String,
    /// How many times it is.
    times: Spread,
}

/// Median, smallest and largest of some values.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Spread {
    /// The middle one.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Spread {
    /// Of any values; zeros when there are none.
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        match (values.first(), values.get(values.len() / 2), values.last()) {
            (Some(min), Some(median), Some(max)) => Spread {
                median: *median,
                min: *min,
                max: *max,
            },
            _ => Spread::default(),
        }
    }

    /// Each of them over a reference.
    fn over(self, reference: f64) -> Spread {
        Spread {
            median: self.median / reference,
            min: self.min / reference,
            max: self.max / reference,
        }
    }

    fn text(self) -> String {
        format!("{:.2} [{:.2}-{:.2}]", self.median, self.min, self.max)
    }
}

/// The figures that others are compared with.
pub(crate) const SYNCS: &str = "fdatasync of an overwritten page";
/// The 99th percentile of one.
pub(crate) const SYNC_P99: &str = "fdatasync of an overwritten page, p99";
/// PostgreSQL's own benchmark.
pub(crate) const PGBENCH: &str = "pgbench -N -M prepared, 32 clients";

impl Report {
    /// Adds a single figure.
    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        let figure = Figure {
            name: name.into(),
            value,
            unit,
        };
        println!("{:48} {:>12.1} {}", figure.name, figure.value, figure.unit);
        self.figures.push(figure);
    }

    /// Sums everything up.
    pub(crate) fn finish(&mut self) {
        let key = |run: &Run| {
            let (workload, server) = (run.workload.clone(), run.server.clone());
            (run.referrals, workload, run.connections, server)
        };
        let mut groups: BTreeMap<_, Vec<&Run>> = BTreeMap::new();
        for run in &self.runs {
            groups.entry(key(run)).or_default().push(run);
        }
        let rows = groups.into_values().filter_map(|runs| self.row(&runs));
        self.rows = rows.collect();
        self.comparisons = self.compare();
    }

    fn row(&self, runs: &[&Run]) -> Option<Row> {
        let first = runs.first()?;
        let of = |value: fn(&Run) -> f64| Spread::of(runs.iter().map(|run| value(run)).collect());
        let to_floor = |value: fn(&Run) -> f64| {
            let ratio = |run: &&Run| Some(value(run) / value(self.floor_of(run)?));
            Spread::of(runs.iter().filter_map(ratio).collect())
        };
        let closed: Vec<&Measured> = runs.iter().map(|run| &run.measured).collect();
        let halves = runs.iter().filter_map(|run| run.at_half_rate.as_ref());
        let halves: Vec<&Measured> = halves.collect();
        Some(Row {
            server: first.server.clone(),
            workload: first.workload.clone(),
            connections: first.connections,
            referrals: first.referrals,
            per_second: of(|run| run.measured.per_second),
            ratio: to_floor(|run| run.measured.per_second),
            times: Times::of(&closed)?,
            at_half_rate: Times::of(&halves),
            cpu_us: of(|run| run.measured.cpu_us),
            cpu_ratio: to_floor(|run| run.measured.cpu_us),
            generator_us: of(|run| run.measured.generator_us),
            resident_mb: of(|run| run.resident_mb).max,
            errors: closed.iter().chain(&halves).map(|m| m.errors).sum(),
        })
    }

    /// The floor's run in the same round, workload and number of connections.
    fn floor_of(&self, run: &Run) -> Option<&Run> {
        self.runs.iter().find(|other| {
            other.server == "floor"
                && other.workload == run.workload
                && other.connections == run.connections
                && other.referrals == run.referrals
                && other.round == run.round
        })
    }

    fn compare(&self) -> Vec<Comparison> {
        let mut comparisons = Vec::new();
        let ours = self.rows.iter().filter(|row| row.server != "floor");
        for row in ours {
            let name = format!("{} {} {}", row.server, row.workload, row.connections);
            let mut against = |what: &str, value: Spread, reference: Option<f64>| {
                let Some(reference) = reference else { return };
                comparisons.push(Comparison {
                    name: format!("{name}: {what}"),
                    times: value.over(reference),
                });
            };
            let writes = matches!(row.workload.as_str(), "apply" | "create code" | "webhook");
            match row.server.as_str() {
                "sqlite" if writes => {
                    against("rate / fdatasync", row.per_second, self.value(SYNCS));
                    let sync = self.value(SYNC_P99);
                    against("p99 / fdatasync p99", row.times.p99_us, sync);
                    if let Some(half) = row.at_half_rate {
                        against("p99 at half rate / fdatasync p99", half.p99_us, sync);
                    }
                }
                "postgres" if writes => {
                    against("rate / pgbench -N", row.per_second, self.value(PGBENCH));
                }
                _ => {}
            }
            let smallest = self.rows.iter().find(|small| {
                (&small.server, &small.workload, small.connections)
                    == (&row.server, &row.workload, row.connections)
            });
            if let Some(small) = smallest.filter(|small| small.referrals < row.referrals) {
                let what = format!("p50 at {} / at {}", row.referrals, small.referrals);
                against(&what, row.times.p50_us, Some(small.times.p50_us.median));
            }
        }
        comparisons
    }

    /// The middle one of the figures of this name: each size of data measures the disk anew.
    fn value(&self, name: &str) -> Option<f64> {
        let found = self.figures.iter().filter(|figure| figure.name == name);
        let values: Vec<f64> = found.map(|figure| figure.value).collect();
        (!values.is_empty()).then(|| Spread::of(values).median)
    }

    /// Prints the rows and the comparisons.
    pub(crate) fn print(&self) {
        println!("\n{:80} {:-^23}", "", " at half of the rate ");
        println!("{}", HEADINGS.join(" "));
        for row in &self.rows {
            println!("{}", row.line());
        }
        println!();
        for comparison in &self.comparisons {
            println!("{:60} {}", comparison.name, comparison.times.text());
        }
    }

    /// Writes everything as JSON.
    pub(crate) fn write(&self, file: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        std::fs::write(file, text)
    }
}
