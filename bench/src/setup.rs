//! What a run needs: the floor, and each server on a seeded database of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use scratch_postgres::{Cluster, Options};
use serde::Deserialize;
use tempfile::TempDir;

use crate::client::Client;
use crate::load::Next;
use crate::process::{Process, Start};
use crate::report::{PGBENCH, Report, SYNC_P99, SYNCS};
use crate::seed::{self, Place, Size};
use crate::workloads::{Target, Workload};
use crate::{Arguments, Measured, Server, disk, history};

/// Everything that runs.
pub(crate) struct Bench {
    /// The floor, which is asked what the first server is asked.
    pub(crate) floor: Measured,
    /// The servers, in the order in which they are measured.
    pub(crate) servers: Vec<Measured>,
    _cluster: Option<Cluster>,
    _directory: TempDir,
}

/// What `billstack init --json` prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialised {
    team_id: String,
    project_id: String,
    api_key: String,
}

/// Of the one who made everything.
pub(crate) const PASSWORD: &str = "a bench needs no secrets";

/// Any secret will do; the bench signs its own events.
pub(crate) const SECRET: &str = "whsec_bench_bench_bench_bench_bench";

impl Bench {
    /// Makes the databases, loads them, measures the disk and starts everything.
    pub(crate) fn start(
        arguments: &Arguments,
        referrals: u64,
        report: &mut Report,
    ) -> Result<Bench, String> {
        let directory = tempfile::tempdir_in(&arguments.directory).map_err(|e| e.to_string())?;
        let (syncs, p99) = disk::fdatasync(directory.path(), Duration::from_secs(2))
            .map_err(|error| error.to_string())?;
        report.figure(SYNCS, syncs, "per second");
        report.figure(SYNC_P99, p99, "us");
        let mut cluster = None;
        let mut servers = Vec::new();
        let size = size(arguments, referrals);
        for server in &arguments.servers {
            let measured = match server {
                Server::Sqlite => sqlite(arguments, directory.path(), "bench", size)?,
                Server::Postgres => {
                    let own = Cluster::start(Options {
                        durable: true,
                        ..Options::default()
                    })
                    .map_err(|error| error.to_string())?;
                    let tps = disk::pgbench(&own, 5)?;
                    report.figure(PGBENCH, tps, "per second");
                    let measured = postgres(arguments, &own, "bench", size)?;
                    cluster = Some(own);
                    measured
                }
            };
            let ready = measured.process.ready_after.as_secs_f64() * 1e3;
            report.figure(format!("{}: exec to ready", measured.name), ready, "ms");
            let memory = measured.process.resident_mb();
            report.figure(
                format!("{}: resident memory when idle", measured.name),
                memory,
                "MB",
            );
            servers.push(measured);
        }
        let floor = floor(&servers.first().ok_or("no server to measure")?.target)?;
        Ok(Bench {
            floor,
            servers,
            _cluster: cluster,
            _directory: directory,
        })
    }

    /// The size of the first server's answer to a workload, for the floor to match.
    pub(crate) async fn answer_size(&self, workload: Workload) -> Result<usize, String> {
        let server = self.servers.first().ok_or("no server to measure")?;
        let (request, wanted) = server.target.requests(workload)();
        let answer = async {
            let mut client = Client::connect(server.process.address).await?;
            let answer = client.send(&request).await?;
            if answer.status != wanted {
                let body = String::from_utf8_lossy(client.body()).into_owned();
                return Err(std::io::Error::other(format!("{}: {body}", answer.status)));
            }
            Ok(answer.length)
        };
        answer
            .await
            .map_err(|error: std::io::Error| format!("{}: {error}", workload.name()))
    }

    /// Requests that make the floor do the same work on the wire, and that cost as much to make.
    pub(crate) fn floor_requests(&self, workload: Workload, size: usize) -> Next {
        let mut target = self.floor.target.clone();
        target.prefix = format!("/{size}");
        let next = target.requests(workload);
        Arc::new(move || (next().0, 200))
    }
}

/// Enough customers and waiting referrals for every write that a run can make.
pub(crate) fn size(arguments: &Arguments, referrals: u64) -> Size {
    // More than this program has been seen to do; every unused one makes the database larger.
    const MOST_WRITES_PER_SECOND: f64 = 15_000.0;
    let all = arguments.connections.iter();
    let once = all.map(|n| if arguments.halves(*n) { 1.5 } else { 1.0 });
    let runs = arguments.rounds as f64 * once.sum::<f64>();
    let each = arguments.rate.unwrap_or(MOST_WRITES_PER_SECOND) * (arguments.seconds + 1.0);
    // A multiple of ten, so that codes come out even, and one for the request that is looked at.
    let writes = ((runs * (each + 1.0)) as u64 + 10) / 10 * 10;
    let uses = arguments.workloads().map(Workload::uses);
    let (fresh, waiting) = uses.fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
    Size {
        referrals,
        waiting: writes * waiting,
        fresh: writes * fresh,
    }
}

/// A server that stores nothing, so that customers never run out.
fn floor(like: &Target) -> Result<Measured, String> {
    let itself = std::env::current_exe().map_err(|error| error.to_string())?;
    let process = Process::start(&Start {
        program: &itself,
        arguments: &["--floor".to_owned(), like.key.clone()],
        environment: &[],
        announces: "Listening on ",
        ready: None,
    })?;
    let mut target = like.clone();
    target.size.fresh = 1 << 40;
    target.used = Arc::default();
    target.converted = Arc::default();
    Ok(Measured {
        name: "floor",
        process,
        target,
    })
}

/// Switches the referral program and its share links on.
fn enable_program(server: &Measured) -> Result<(), String> {
    let program = r#"{"enabled":true,"referrerCreditAmount":1000,"refereeCreditAmount":500}"#;
    change(server, "PUT", "referrals/config", program)?;
    let links = r#"{"enabled":true,"landingUrl":"https://example.com/welcome"}"#;
    change(server, "PUT", "links/settings", links)
}

/// Makes one call in the project of a server, which has to succeed.
pub(crate) fn change(
    server: &Measured,
    method: &str,
    rest: &str,
    body: &str,
) -> Result<(), String> {
    use std::io::{Read, Write};
    let request = format!(
        "{method} {} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        server.target.path(rest),
        server.target.key,
        body.len()
    );
    let mut answer = String::new();
    let mut exchange = || -> std::io::Result<()> {
        let mut stream = std::net::TcpStream::connect(server.process.address)?;
        stream.write_all(request.as_bytes())?;
        stream.read_to_string(&mut answer).map(|_| ())
    };
    exchange().map_err(|error| error.to_string())?;
    if answer.starts_with("HTTP/1.1 20") {
        Ok(())
    } else {
        Err(format!("{rest}: {answer}"))
    }
}

/// The service on an SQLite database of this name.
pub(crate) fn sqlite(
    arguments: &Arguments,
    directory: &Path,
    name: &str,
    size: Size,
) -> Result<Measured, String> {
    let file = directory.join(format!("{name}.db"));
    let url = format!("sqlite://{}", file.display());
    let target = initialise(arguments, &url, size)?;
    let history = arguments
        .needs_history()
        .then_some(history::sqlite as seed::History);
    seed::sqlite(&file, &target.place, size, history).map_err(|error| error.to_string())?;
    let process = serve(arguments, &url, &[])?;
    let server = Measured {
        name: "sqlite",
        process,
        target,
    };
    enable_program(&server)?;
    Ok(server)
}

/// The service on a PostgreSQL database of this name.
pub(crate) fn postgres(
    arguments: &Arguments,
    cluster: &Cluster,
    name: &str,
    size: Size,
) -> Result<Measured, String> {
    let url = cluster
        .create_database(name, None)
        .map_err(|error| error.to_string())?;
    let target = initialise(arguments, &url, size)?;
    seed::postgres(&url, &target.place, size).map_err(|error| error.to_string())?;
    if arguments.needs_history() {
        history::postgres(&url).map_err(|error| error.to_string())?;
    }
    let mut process = serve(arguments, &url, &[])?;
    process.cluster = Some(cluster.directory().join("data"));
    let server = Measured {
        name: "postgres",
        process,
        target,
    };
    enable_program(&server)?;
    Ok(server)
}

pub(crate) fn environment(url: &str) -> Vec<(String, String)> {
    let pairs = [
        ("DATABASE_URL", url.to_owned()),
        ("BILLSTACK_SECRET_KEY", "42".repeat(32)),
        ("BILLSTACK_RATE_LIMIT", "off".to_owned()),
        // All clients of a measurement are at one address.
        ("BILLSTACK_MAX_CONNECTIONS_PER_ADDRESS", "100000".to_owned()),
        // Whoever follows a link comes from an address of their own.
        ("BILLSTACK_TRUST_FORWARDED_FOR", "true".to_owned()),
        // The receivers of webhooks are on this machine.
        (
            "BILLSTACK_WEBHOOK_ALLOWED_NETWORKS",
            "127.0.0.0/8".to_owned(),
        ),
        ("BILLSTACK_LOG", "warn".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// Makes a database with a team, a project and an API key.
pub(crate) fn initialise(arguments: &Arguments, url: &str, size: Size) -> Result<Target, String> {
    let mut child = Command::new(&arguments.program)
        .args([
            "init",
            "--email",
            "bench@example.com",
            "--password-stdin",
            "--json",
        ])
        .args([
            "--team",
            "Bench",
            "--project",
            "Bench",
            "--webhook-secret",
            SECRET,
        ])
        .envs(environment(url))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", arguments.program.display()))?;
    if let Some(stdin) = &mut child.stdin {
        use std::io::Write;
        let _ = writeln!(stdin, "{PASSWORD}");
    }
    drop(child.stdin.take());
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    let made: Initialised = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("init printed something else: {error}"))?;
    Ok(Target {
        place: Place {
            team_id: made.team_id.into(),
            project_id: made.project_id.into(),
        },
        key: made.api_key,
        secret: SECRET.to_owned(),
        prefix: String::new(),
        size,
        used: Arc::default(),
        converted: Arc::default(),
        codes: None,
    })
}

/// Starts a server, with these variables besides the usual ones.
pub(crate) fn serve(
    arguments: &Arguments,
    url: &str,
    more: &[(String, String)],
) -> Result<Process, String> {
    Process::start(&Start {
        program: &arguments.program,
        arguments: &["serve", "--listen", "127.0.0.1:0"].map(str::to_owned),
        environment: &[environment(url), more.to_vec()].concat(),
        announces: "Listening on http://",
        ready: Some("/readyz"),
    })
}
