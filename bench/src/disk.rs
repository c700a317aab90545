//! What the disk itself can do: one `fdatasync` after another, and PostgreSQL's own benchmark.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use scratch_postgres::Cluster;

/// Syncs of one overwritten 4 KiB page per second, and the 99th percentile of one, in microseconds.
pub(crate) fn fdatasync(directory: &Path, time: Duration) -> std::io::Result<(f64, f64)> {
    let path = directory.join("fdatasync.probe");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)?;
    let page = [7_u8; 4096];
    file.write_all(&page)?;
    file.sync_all()?;
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        let one = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(one.elapsed().as_secs_f64() * 1e6);
    }
    let per_second = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let p99 = times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or_default();
    std::fs::remove_file(path)?;
    Ok((per_second, p99))
}

/// Transactions per second of `pgbench -N -M prepared` with 32 clients.
pub(crate) fn pgbench(cluster: &Cluster, seconds: u64) -> Result<f64, String> {
    let url = cluster
        .create_database("pgbench", None)
        .map_err(|error| error.to_string())?;
    let program = cluster.bin_dir().join("pgbench");
    let run = |arguments: &[&str]| {
        let output = Command::new(&program).args(arguments).arg(&url).output();
        let output = output.map_err(|error| format!("pgbench: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "pgbench: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    run(&["-i", "-s", "10", "-q"])?;
    let seconds = seconds.to_string();
    let text = run(&[
        "-N", "-M", "prepared", "-c", "32", "-j", "2", "-T", &seconds, "-n",
    ])?;
    let line = text
        .lines()
        .find(|line| line.starts_with("tps = "))
        .ok_or("no tps line")?;
    let tps = line
        .split_whitespace()
        .nth(2)
        .and_then(|number| number.parse().ok());
    let _ = cluster.drop_database("pgbench");
    tps.ok_or_else(|| format!("odd line: {line}"))
}
