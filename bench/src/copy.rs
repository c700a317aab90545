//! A copy from SQLite to PostgreSQL that is killed in the middle and run again.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use scratch_postgres::{Cluster, Options};
use tokio::runtime::Runtime;

use crate::Arguments;
use crate::reads::Asker;
use crate::report::Report;
use crate::setup::{environment, size, sqlite};

/// What the program says in each phase, and what the phase is called here.
const PHASES: [(&str, &str); 4] = [
    ("source, rule", "rules of the source"),
    ("copying, table", "copying"),
    ("comparing, table", "comparing"),
    ("copy, rule", "rules of the copy"),
];

/// The phase in which the first run is killed, and the table: the largest.
const KILLED_AT: [&str; 2] = [PHASES[1].0, "rows of events"];

/// Fills a database, copies it, kills the copy among the largest table's rows, and lets a second run end it.
pub(crate) fn measure(
    arguments: &Arguments,
    referrals: u64,
    runtime: &Runtime,
    report: &mut Report,
) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let directory = tempfile::tempdir_in(&arguments.directory).map_err(|e| text(&e))?;
    let server = sqlite(
        arguments,
        directory.path(),
        "bench",
        size(arguments, referrals),
    )?;
    runtime.block_on(Asker::new(&server)?.wait_for_statistics(report))?;
    // The copy begins with what a killed server leaves, its log included.
    drop(server);
    let cluster = Cluster::start(Options {
        durable: true,
        ..Options::default()
    })
    .map_err(|error| text(&error))?;
    let to = cluster
        .create_database("copy", None)
        .map_err(|e| text(&e))?;
    let file = directory.path().join("bench.db");
    let bytes = std::fs::metadata(&file)
        .map_err(|error| text(&error))?
        .len();
    report.figure("size of the file", bytes as f64 / 1e6, "MB");
    let from = format!("sqlite://{}", file.display());
    let copy = |name: &str, kill_at: Option<[&str; 2]>, report: &mut Report| {
        let child = Command::new(&arguments.program)
            .args(["copy", "--to", &to])
            .envs(environment(&from))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| text(&error))?;
        watch(child, name, kill_at, report)
    };
    copy("first run", Some(KILLED_AT), report)?;
    println!("{}", copy("second run", None, report)?);
    Ok(())
}

/// Notes how long each phase of a copy takes, and kills it at the first line that holds all of `kill_at`.
/// What it has printed, when it was left to its end.
fn watch(
    mut child: Child,
    name: &str,
    kill_at: Option<[&str; 2]>,
    report: &mut Report,
) -> Result<String, String> {
    let stderr = child.stderr.take().ok_or("no output")?;
    let (mut phase, mut since, mut last) = (None, Instant::now(), String::new());
    let mut end = |phase: &mut Option<&str>, next: Option<&'static str>, since: &mut Instant| {
        if let Some(before) = phase.take() {
            let took = since.elapsed().as_secs_f64();
            report.figure(format!("{name}: {before}"), took, "s");
        }
        (*phase, *since) = (next, Instant::now());
    };
    for line in BufReader::new(stderr).lines() {
        let line = line.map_err(|error| error.to_string())?;
        let now = PHASES.iter().find(|(begins, _)| line.starts_with(begins));
        let now = now.map(|(_, called)| *called);
        if now.is_some() && now != phase {
            end(&mut phase, now, &mut since);
        }
        if kill_at.is_some_and(|all| all.iter().all(|part| line.contains(part))) {
            child.kill().map_err(|error| error.to_string())?;
            child.wait().map_err(|error| error.to_string())?;
            end(&mut phase, None, &mut since);
            println!("killed the {name} at: {line}");
            return Ok(String::new());
        }
        last = line;
    }
    end(&mut phase, None, &mut since);
    let mut said = String::new();
    let mut stdout = child.stdout.take().ok_or("no output")?;
    stdout
        .read_to_string(&mut said)
        .map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    match (status.success(), kill_at) {
        (true, None) => Ok(said),
        (true, Some(_)) => Err(format!("the {name} ended before it could be killed")),
        (false, _) => Err(format!("the {name}: {last}")),
    }
}
