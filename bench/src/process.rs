//! A server under measurement: started, watched for CPU time and memory, stopped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks per second of `/proc/<pid>/stat`; 100 on every Linux we know.
const TICKS: f64 = 100.0;

/// A running server.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The data directory of the PostgreSQL whose CPU time counts as its own.
    pub(crate) cluster: Option<PathBuf>,
    /// From the start of the process to its first right answer.
    pub(crate) ready_after: Duration,
}

/// What it takes to start a server.
pub(crate) struct Start<'a> {
    /// The program.
    pub(crate) program: &'a Path,
    /// Its arguments.
    pub(crate) arguments: &'a [String],
    /// Its environment, on top of ours.
    pub(crate) environment: &'a [(String, String)],
    /// What the line with its address begins with.
    pub(crate) announces: &'a str,
    /// A path that answers 200 when it is ready; none for the floor.
    pub(crate) ready: Option<&'a str>,
}

impl Process {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(start: &Start<'_>) -> Result<Process, String> {
        let began = Instant::now();
        let mut child = Command::new(start.program)
            .args(start.arguments)
            .envs(start.environment.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", start.program.display()))?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let address = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix(start.announces)?.trim().to_owned()));
        let address =
            address.ok_or_else(|| format!("{} did not start", start.program.display()))?;
        let address = address
            .parse()
            .map_err(|_| format!("odd address {address}"))?;
        let mut process = Process {
            child,
            address,
            cluster: None,
            ready_after: Duration::ZERO,
        };
        if let Some(path) = start.ready {
            process.wait_until_ready(path, began)?;
        }
        process.ready_after = began.elapsed();
        Ok(process)
    }

    fn wait_until_ready(&self, path: &str, began: Instant) -> Result<(), String> {
        use std::io::{Read, Write};
        let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
        while began.elapsed() < Duration::from_secs(60) {
            let mut answer = String::new();
            if let Ok(mut stream) = std::net::TcpStream::connect(self.address) {
                let _ = stream.write_all(request.as_bytes());
                let _ = stream.read_to_string(&mut answer);
            }
            if answer.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("it never became ready".to_owned())
    }

    /// CPU time spent so far by it and by its PostgreSQL, user and system, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let postmaster = self.cluster.as_deref().and_then(postmaster);
        cpu_of(self.child.id()) + postmaster.map_or(0.0, cpu_with_children)
    }

    /// Sends it a signal: `STOP` lets it stand still, `CONT` go on.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-s", signal, &pid]).status();
    }

    /// Its resident memory, in megabytes.
    pub(crate) fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap_or_default();
        let kilobytes = line
            .split_whitespace()
            .nth(1)
            .and_then(|n| n.parse::<f64>().ok());
        kilobytes.unwrap_or_default() / 1024.0
    }
}

/// CPU time spent so far by a process and by those of its children that have ended, in seconds.
pub(crate) fn cpu_of(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may hold spaces; the fields after it do not. The four times are fields 14 to 17.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: f64 = fields
        .skip(11)
        .take(4)
        .filter_map(|n| n.parse::<f64>().ok())
        .sum();
    ticks / TICKS
}

/// The same, and by those that live.
fn cpu_with_children(parent: u32) -> f64 {
    loop {
        let living = children(parent);
        let spent = std::iter::once(&parent).chain(&living);
        let spent = spent.map(|pid| cpu_of(*pid)).sum();
        // One that ends leaves its time to its parent: it would be seen twice, or not at all.
        if children(parent) == living {
            return spent;
        }
    }
}

fn children(parent: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let list = list.unwrap_or_default();
    let pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.collect()
}

/// The process that all others of a PostgreSQL cluster are children of.
fn postmaster(directory: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(directory.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
