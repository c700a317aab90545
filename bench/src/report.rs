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
    /// Every run.
    pub(crate) runs: Vec<Run>,
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
}

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

    /// Prints the comparison: each server's rate, and its ratio to the floor of the same round.
    pub(crate) fn print(&self) {
        println!(
            "\n{:14} {:>5} {:10} {:>10} {:>21} {:>9} {:>9} {:>8} {:>7} {:>6}",
            "workload",
            "conns",
            "server",
            "req/s",
            "ratio to floor",
            "p50 us",
            "p99 us",
            "CPU us",
            "MB",
            "errors"
        );
        let mut groups: BTreeMap<(&str, usize, &str), Vec<&Run>> = BTreeMap::new();
        for run in &self.runs {
            groups
                .entry((&run.workload, run.connections, &run.server))
                .or_default()
                .push(run);
        }
        for ((workload, connections, server), runs) in groups {
            let of =
                |value: fn(&Run) -> f64| Spread::of(runs.iter().map(|run| value(run)).collect());
            let rate = of(|run| run.measured.per_second);
            let ratio = Spread::of(runs.iter().filter_map(|run| self.ratio(run)).collect());
            println!(
                "{workload:14} {connections:>5} {server:10} {:>10.0} {:>6.2} [{:>5.2} - {:>5.2}] {:>9.0} {:>9.0} {:>8.1} {:>7.1} {:>6}",
                rate.median,
                ratio.median,
                ratio.min,
                ratio.max,
                of(|run| run.measured.p50_us).median,
                of(|run| run.measured.p99_us).median,
                of(|run| run.cpu_us).median,
                of(|run| run.resident_mb).max,
                runs.iter().map(|run| run.measured.errors).sum::<usize>(),
            );
        }
    }

    /// The rate of a run over the floor's in the same round, workload and number of connections.
    fn ratio(&self, run: &Run) -> Option<f64> {
        let floor = self.runs.iter().find(|other| {
            other.server == "floor"
                && other.workload == run.workload
                && other.connections == run.connections
                && other.round == run.round
        })?;
        Some(run.measured.per_second / floor.measured.per_second)
    }

    /// Writes everything as JSON.
    pub(crate) fn write(&self, file: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        std::fs::write(file, text)
    }
}
