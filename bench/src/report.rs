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
    /// CPU time of the server per right answer, in microseconds.
    pub(crate) cpu_us: f64,
    /// Its resident memory after the run, in megabytes.
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
    p50_us: Spread,
    p99_us: Spread,
    /// CPU time per right answer.
    cpu_us: Spread,
    /// The same over the floor's, round by round.
    cpu_ratio: Spread,
    /// The most resident memory after a run, in megabytes.
    resident_mb: f64,
    errors: usize,
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
        format!("{:.2} [{:.2} - {:.2}]", self.median, self.min, self.max)
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
        Some(Row {
            server: first.server.clone(),
            workload: first.workload.clone(),
            connections: first.connections,
            referrals: first.referrals,
            per_second: of(|run| run.measured.per_second),
            ratio: to_floor(|run| run.measured.per_second),
            p50_us: of(|run| run.measured.p50_us),
            p99_us: of(|run| run.measured.p99_us),
            cpu_us: of(|run| run.cpu_us),
            cpu_ratio: to_floor(|run| run.cpu_us),
            resident_mb: of(|run| run.resident_mb).max,
            errors: runs.iter().map(|run| run.measured.errors).sum(),
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
                    against("p99 / fdatasync p99", row.p99_us, self.value(SYNC_P99));
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
                against(&what, row.p50_us, Some(small.p50_us.median));
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
        println!(
            "\n{:>9} {:14} {:>5} {:8} {:>8} {:>21} {:>8} {:>8} {:>7} {:>6} {:>6} {:>6}",
            "referrals",
            "workload",
            "conns",
            "server",
            "req/s",
            "ratio to floor",
            "p50 us",
            "p99 us",
            "CPU us",
            "x floor",
            "MB",
            "errors"
        );
        for row in &self.rows {
            println!(
                "{:>9} {:14} {:>5} {:8} {:>8.0} {:>21} {:>8.0} {:>8.0} {:>7.1} {:>6.1} {:>6.1} {:>6}",
                row.referrals,
                row.workload,
                row.connections,
                row.server,
                row.per_second.median,
                row.ratio.text(),
                row.p50_us.median,
                row.p99_us.median,
                row.cpu_us.median,
                row.cpu_ratio.median,
                row.resident_mb,
                row.errors,
            );
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
