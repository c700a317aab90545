//! A server that dies under load keeps what it said it had done.

mod deliveries;
mod reconcile;
mod restore;
mod webhooks;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client;
use crate::support::fixture::text;

const ROUNDS: usize = 4;
const CLIENTS: usize = 8;

/// How long each round's load lasts before the kill.
const LOAD: Duration = Duration::from_millis(700);

/// Under a second on a quiet machine; the suite shares its machine with other work.
const READY_LIMIT: Duration = Duration::from_secs(15);

/// The real program, killed without warning when dropped.
struct Server {
    child: Child,
    origin: String,
}

fn command(directory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_billstack"));
    command.args(args).current_dir(directory);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("BILLSTACK_") || text == "DATABASE_URL" {
            command.env_remove(&name);
        }
    }
    command.env("BILLSTACK_RATE_LIMIT", "off");
    command
}

impl Server {
    /// Starts it and waits until it tells its address.
    fn start(directory: &Path) -> Server {
        Server::start_with(directory, &[])
    }

    /// The same with these variables.
    fn start_with(directory: &Path, told: &[(&'static str, String)]) -> Server {
        let mut command = command(directory, &["serve", "--listen", "127.0.0.1:0"]);
        command.envs(told.iter().cloned());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = out.lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("http://"));
        let line = line.expect("a line with the address");
        let (_, address) = line.split_once("http://").expect("an address");
        let part = |c: &char| c.is_ascii_digit() || matches!(c, '.' | ':');
        let address: String = address.chars().take_while(part).collect();
        Server {
            child,
            origin: format!("http://{address}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: nothing of the program runs any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the server has acknowledged.
#[derive(Default)]
struct Acknowledged {
    customers: Vec<String>,
    codes: Vec<String>,
    referrals: Vec<String>,
}

/// One client's way to the project.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    project: String,
    key: String,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

impl Client {
    /// The body of a 201; none for anything else, such as a broken connection.
    async fn create(&self, path: &str, body: Value) -> Option<Value> {
        let call = self.http.post(format!("{}/{path}", self.project));
        let call = call
            .bearer_auth(&self.key)
            .header("content-type", "application/json");
        let answer = call.body(body.to_string()).send().await.ok()?;
        if answer.status() != 201 {
            return None;
        }
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let call = self.http.get(format!("{}/{path}", self.project));
        let answer = call.bearer_auth(&self.key).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.bytes().await.expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// Makes customers, codes and referrals until the connection breaks.
    async fn load(self, name: String) {
        let mut code: Option<String> = None;
        for number in 0.. {
            let body = json!({"email": format!("{name}-{number}@example.com")});
            let Some(answer) = self.create("customers", body).await else {
                return;
            };
            let customer = text(&answer["customer"]["id"]);
            self.note(|seen| seen.customers.push(customer.clone()));
            if let Some(code) = &code {
                let body = json!({"code": code, "refereeCustomerId": customer});
                let Some(answer) = self.create("referrals/apply", body).await else {
                    return;
                };
                let id = text(&answer["referral"]["id"]);
                self.note(|seen| seen.referrals.push(id));
            } else {
                let body = json!({"customerId": customer});
                let Some(answer) = self.create("referrals/codes", body).await else {
                    return;
                };
                let made = text(&answer["code"]["code"]);
                self.note(|seen| seen.codes.push(made.clone()));
                code = Some(made);
            }
        }
    }

    fn note(&self, note: impl FnOnce(&mut Acknowledged)) {
        note(&mut self.acknowledged.lock().expect("no panic"));
    }

    /// Whether everything acknowledged is still there.
    async fn check(&self) -> usize {
        let paths: Vec<String> = {
            let seen = self.acknowledged.lock().expect("no panic");
            let customers = seen.customers.iter().map(|id| format!("customers/{id}"));
            let codes = seen
                .codes
                .iter()
                .map(|code| format!("referrals/codes/{code}"));
            let referrals = seen.referrals.iter().map(|id| format!("referrals/{id}"));
            customers.chain(codes).chain(referrals).collect()
        };
        for path in &paths {
            let (status, body) = self.get(path).await;
            assert_eq!(status, 200, "an acknowledged write is lost: {path}: {body}");
        }
        paths.len()
    }
}

#[test]
fn no_acknowledged_write_is_lost_by_kill_9() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path();
    let (project, key) = init(place);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let mut checked = 0;
    for round in 0..=ROUNDS {
        let begin = Instant::now();
        let server = Server::start(place);
        let client = Client {
            http: http(),
            project: format!("{}{project}", server.origin),
            key: key.clone(),
            acknowledged: Arc::clone(&acknowledged),
        };
        runtime.block_on(async {
            ready(&client, &server.origin).await;
            let took = begin.elapsed();
            assert!(took < READY_LIMIT, "ready again only after {took:?}");
            checked = client.check().await;
            if round < ROUNDS {
                let load = |number| client.clone().load(format!("r{round}c{number}"));
                let tasks: Vec<_> = (0..CLIENTS).map(load).map(tokio::spawn).collect();
                tokio::time::sleep(LOAD).await;
                drop(server);
                for task in tasks {
                    task.await.expect("a client that notices the end");
                }
            }
        });
        let verified = command(place, &["verify"]).output().expect("verify runs");
        let said = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success(), "round {round}: {said}");
    }
    assert!(checked > ROUNDS * CLIENTS, "only {checked} writes");
}

/// A client that waits as long as a server may take to come back.
fn http() -> reqwest::Client {
    let client = client::http().timeout(Duration::from_secs(20));
    client.build().expect("a client")
}

async fn ready(client: &Client, origin: &str) {
    loop {
        let answer = client.http.get(format!("{origin}/readyz")).send().await;
        if answer.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A project with its program switched on: its path, and a key.
fn init(place: &Path) -> (String, String) {
    let (path, key) = team(place, &[], &[]);
    let server = Server::start(place);
    let body = json!({"enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let call = http().put(format!("{}{path}/referrals/config", server.origin));
        let call = call
            .bearer_auth(&key)
            .header("content-type", "application/json");
        let answer = call.body(body.to_string()).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    });
    (path, key)
}

/// A team, with these variables and flags: the path of its project, and a key.
fn team(place: &Path, told: &[(&'static str, String)], flags: &[&str]) -> (String, String) {
    use std::io::Write as _;
    let args = [
        "init",
        "--email",
        "ada@example.com",
        "--password-stdin",
        "--team",
        "Acme",
        "--project",
        "Rockets",
        "--json",
    ];
    let mut command = command(place, &args);
    command.args(flags).envs(told.iter().cloned());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"kelp-Onion-77\n").expect("a password");
    drop(stdin);
    let out = child.wait_with_output().expect("an end");
    let made: Value = serde_json::from_slice(&out.stdout).expect("one object");
    let (team, project) = (text(&made["teamId"]), text(&made["projectId"]));
    let path = format!("/api/billstack/teams/{team}/projects/{project}");
    (path, text(&made["apiKey"]))
}
