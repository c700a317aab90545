//! The real program, run as a person runs it.

mod clients;
mod complaints;
mod copy;
mod demo;
mod doctor;
mod examples;
mod faults;
mod generated;
mod import;
mod keys;
mod limits;
mod log;
mod mcp;
mod memory;
mod metrics;
mod package;
mod reconcile;
mod shops;
mod stopping;
mod stripe;
mod terminal;
mod upkeep;
mod waiting;

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const PASSWORD: &str = "kelp-Onion-77";

const INIT: [&str; 11] = [
    "init",
    "--email",
    "Ada@example.com",
    "--password-stdin",
    "--team",
    "Acme",
    "--project",
    "Rockets",
    "--webhook-secret",
    "whsec_1",
    "--json",
];

/// Enough for a slow machine; nothing here should come near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of its own to run the program in.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().expect("a directory"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program with these arguments and none of the settings of whoever runs the tests.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_billstack"));
        command.args(args).current_dir(self.0.path());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("BILLSTACK_") || text == "DATABASE_URL" {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Runs it to its end.
    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs it to its end with something on its standard input.
    fn run_with(&self, args: &[&str], input: &str) -> Ran {
        finish(self.command(args), input)
    }

    fn init(&self) -> Ran {
        self.run_with(&INIT, &format!("{PASSWORD}\n"))
    }

    fn serve(&self) -> Server {
        Server::start(self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }
}

/// Runs a program to its end.
fn finish(mut command: Command, input: &str) -> Ran {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that does not read its input may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Ran(child.wait_with_output().expect("an end"))
}

/// A run that has ended.
struct Ran(Output);

impl Ran {
    fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).expect("UTF-8")
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).expect("UTF-8")
    }

    /// The answer of a run that went well.
    #[track_caller]
    fn ok(&self) -> String {
        assert_eq!(self.code(), Some(0), "{}", self.err());
        self.out()
    }

    /// The complaint of a run that ended with this code: one sentence, and no answer.
    #[track_caller]
    fn refused(&self, code: i32) -> String {
        assert_eq!(self.code(), Some(code), "{}{}", self.out(), self.err());
        assert_eq!(self.out(), "");
        let err = self.err();
        let line = err.lines().last().unwrap_or_default();
        assert!(line.starts_with("error: "), "{err}");
        line.to_owned()
    }
}

/// A program that serves; killed when the test ends without asking it to stop.
struct Server {
    child: Child,
    lines: Receiver<String>,
    address: String,
    printed: String,
}

impl Server {
    /// Starts it and waits for its address.
    fn start(mut command: Command) -> Server {
        command.stderr(Stdio::null());
        Server::start_as_it_is(command)
    }

    /// The same, with the caller's choice of standard error.
    fn start_as_it_is(command: Command) -> Server {
        let mut server = Server::launch(command);
        server.read_until("http://");
        let line = server.printed.lines().last().unwrap_or_default();
        let (_, after) = line.split_once("http://").expect("an address");
        let port = |c: char| c.is_ascii_digit() || c == '.' || c == ':';
        server.address = after.chars().take_while(|c| port(*c)).collect();
        server
    }

    /// Starts it and waits for nothing.
    fn launch(mut command: Command) -> Server {
        command.stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        Server {
            lines: lines_of(child.stdout.take().expect("a pipe")),
            child,
            address: String::new(),
            printed: String::new(),
        }
    }

    /// Reads what it prints up to a line that contains `text`.
    fn read_until(&mut self, text: &str) {
        let begin = self.printed.len();
        while !self.printed[begin..].contains(text) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.printed += &format!("{line}\n"),
                Err(why) => panic!("{why} before {text}:\n{}", self.printed),
            }
        }
    }

    fn get(&self, path: &str) -> String {
        self.get_with(path, "")
    }

    /// The answer to a request with these lines in its head.
    fn get_with(&self, path: &str, lines: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let host = &self.address;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn wait(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it with a signal and tells its exit code.
    fn stop(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.wait().code()
    }
}

/// The lines of a pipe, read on a thread so that waiting for one can end.
fn lines_of(pipe: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn init_prints_one_object_and_refuses_a_second_time() {
    let place = Place::new();
    let answer: Value = serde_json::from_str(&place.init().ok()).expect("one JSON object");
    let members = answer.as_object().expect("an object");
    let mut names: Vec<_> = members.keys().map(String::as_str).collect();
    names.sort_unstable();
    let wanted = [
        "apiKey",
        "projectId",
        "teamId",
        "userId",
        "webhookSecret",
        "webhookUrl",
    ];
    assert_eq!(names, wanted);
    let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
    assert!(billstack_core::access::is_api_key(&text("apiKey")));
    assert_eq!(text("webhookSecret"), "whsec_1");
    let url = format!(
        "http://127.0.0.1:8080/api/webhooks/stripe/{}",
        text("teamId")
    );
    assert_eq!(text("webhookUrl"), url);

    assert!(place.init().refused(1).contains("a user exists already"));
    assert!(place.run(&["verify"]).ok().contains("rules hold"));
}

#[test]
fn init_refuses_what_cannot_be_used() {
    let place = Place::new();
    let init = |email: &str, password: &str, more: &[&str]| {
        let mut args = vec!["init", "--password-stdin", "--team", "A", "--project", "B"];
        args.extend(["--email", email]);
        args.extend(more);
        place.run_with(&args, password)
    };
    let weak = init("a@example.com", "password", &[]);
    assert!(weak.refused(1).contains("easy to guess"));
    assert!(
        init("a@example.com", "", &[])
            .refused(2)
            .contains("no password")
    );
    assert!(init("nobody", PASSWORD, &[]).refused(2).contains("--email"));
    let secret = init("a@example.com", PASSWORD, &["--webhook-secret", "sk_1"]);
    assert!(secret.refused(2).contains("--webhook-secret"));
    let name = init("a@example.com", PASSWORD, &["--name", " "]);
    assert!(name.refused(2).contains("--name"));
    let made = std::fs::read_dir(place.0.path())
        .expect("a listing")
        .count();
    assert_eq!(made, 0, "nothing was made, neither database nor key");
}

#[test]
fn a_server_serves_alone_and_stops_when_asked() {
    let place = Place::new();
    place.init().ok();
    for signal in ["-TERM", "-INT"] {
        let mut server = place.serve();
        assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
        let second = place.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(second.refused(1).contains("another server is using"));
        // What runs beside a server does not disturb it.
        place.run(&["verify"]).ok();
        assert!(place.init().refused(1).contains("a user exists already"));
        assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
        assert_eq!(server.stop(signal), Some(0), "{signal}");
    }
}

#[test]
fn several_servers_share_a_postgresql() {
    let place = Place::new();
    let cluster = scratch_postgres::Cluster::shared();
    let url = cluster.create_database("command_line", None);
    let url = url.expect("a database");
    let with = |command: &mut Command| {
        command.env("DATABASE_URL", &url);
        command.env("BILLSTACK_SECRET_KEY", "ab".repeat(32));
    };
    let run = |args: &[&str], input: &str| {
        let mut command = place.command(args);
        with(&mut command);
        finish(command, input)
    };
    run(&INIT, PASSWORD).ok();
    assert!(run(&INIT, PASSWORD).refused(1).contains("a user exists"));
    let mut servers = [(); 2].map(|()| {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        with(&mut command);
        Server::start(command)
    });
    for server in &mut servers {
        assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
        assert!(run(&["verify"], "").ok().contains("rules hold"));
        assert_eq!(server.stop("-TERM"), Some(0));
    }
}

#[test]
fn a_killed_server_leaves_no_lock_behind() {
    let place = Place::new();
    let mut first = place.serve();
    first.signal("-KILL");
    first.wait();
    let mut second = place.serve();
    assert!(second.get("/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(second.stop("-TERM"), Some(0));
    place.run(&["verify"]).ok();
}

#[test]
fn verify_names_who_breaks_a_rule_by_its_exit_code_too() {
    let place = Place::new();
    assert!(place.run(&["verify"]).refused(1).contains("no database"));
    assert!(!place.file("billstack.db").exists(), "verify makes nothing");
    place.run(&["migrate"]).ok();
    let ran = place.run(&["verify"]);
    assert!(ran.ok().starts_with("All "));
    // Its progress is for somebody at a terminal.
    assert_eq!(ran.err(), "");
    assert_eq!(ran.out().lines().count(), 1);
    let all = place.run(&["verify", "--verbose"]).ok();
    let lines: Vec<_> = all.lines().collect();
    let (last, rules) = lines.split_last().expect("lines");
    assert_eq!(*last, format!("All {} rules hold.", rules.len()));
    assert!(
        rules.iter().all(|line| line.starts_with("holds   ")),
        "{all}"
    );
}

#[test]
fn migrate_tells_what_it_did() {
    let place = Place::new();
    assert!(
        place
            .run(&["migrate"])
            .ok()
            .starts_with("Applied version 1.")
    );
    assert!(place.run(&["migrate"]).ok().contains("nothing to do"));
}

#[test]
fn a_backup_is_a_database_of_its_own() {
    let place = Place::new();
    place.init().ok();
    let mut server = place.serve();
    let ran = place.run(&["backup", "copy.db"]);
    assert!(ran.ok().contains("checked and on disk"), "{}", ran.out());
    assert!(ran.out().contains("billstack.db.key"));
    assert!(
        place
            .run(&["backup", "copy.db"])
            .refused(1)
            .contains("copy.db is there already")
    );
    assert_eq!(server.stop("-TERM"), Some(0));
    let copy = ["verify", "--database-url", "sqlite://copy.db"];
    assert!(place.run(&copy).ok().contains("rules hold"));

    let url = "postgres://billstack@127.0.0.1:1/billstack";
    let other = place.run(&["backup", "b.dump", "--database-url", url]);
    assert!(other.refused(1).contains("pg_dump"));
}

#[test]
fn a_password_can_be_set_for_those_who_exist() {
    let place = Place::new();
    place.init().ok();
    let set = |email: &str| {
        let args = [
            "users",
            "set-password",
            "--password-stdin",
            "--email",
            email,
        ];
        place.run_with(&args, "tR4-kelp-Radish")
    };
    assert!(set(" ADA@example.com ").ok().contains("is set"));
    assert!(set("bob@example.com").refused(1).contains("no user"));
}

#[test]
fn the_api_document_is_json() {
    let place = Place::new();
    let text = place.run(&["openapi"]).ok();
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut command = place.command(&["openapi"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    drop(child.stdout.take());
    let ran = Ran(child.wait_with_output().expect("an end"));
    assert_eq!((ran.code(), ran.err().as_str()), (Some(0), ""));
}

#[test]
fn a_server_outlives_the_reader_of_its_log() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.stderr(Stdio::piped());
    let mut server = Server::start_as_it_is(command);
    drop(server.child.stderr.take());
    for _ in 0..3 {
        assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    }
    assert_eq!(server.stop("-TERM"), Some(0));
}

#[test]
fn a_server_without_the_key_says_whose_secrets_do_not_open() {
    let place = Place::new();
    let made: Value = serde_json::from_str(&place.init().ok()).expect("JSON");
    let team = made["teamId"].as_str().expect("an id");
    let log_of_a_start = || {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.stderr(Stdio::piped());
        let mut server = Server::start_as_it_is(command);
        let log = server.child.stderr.take().expect("a pipe");
        assert_eq!(server.stop("-TERM"), Some(0));
        std::io::read_to_string(log).expect("UTF-8")
    };
    let log = log_of_a_start();
    assert!(!log.contains("ERROR"), "{log}");
    let key = place.file("billstack.db.key");
    std::fs::remove_file(&key).expect("a key");
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    let told = refused.refused(1);
    assert!(told.contains("billstack.db.key is gone"), "{told}");
    assert!(!key.exists(), "no new key takes the place of the old one");
    std::fs::write(&key, "0".repeat(64)).expect("another key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("of its owner alone");
    let log = log_of_a_start();
    let line = log.lines().find(|line| line.contains("ERROR"));
    let line = line.unwrap_or_else(|| panic!("it said nothing: {log}"));
    assert!(
        line.contains(team) && line.contains("another secret key"),
        "{line}"
    );
    assert!(!log.contains("whsec_1"));
}

#[test]
fn the_exit_code_tells_a_bad_call_from_a_bad_state() {
    let place = Place::new();
    let bad: [(&[&str], &str); 4] = [
        (
            &["serve", "--queue-capacity", "0"],
            "BILLSTACK_QUEUE_CAPACITY",
        ),
        (&["serve", "--listen", "192.0.2.1:1"], "--listen"),
        (&["verify", "--database-url", "mysql://x"], "DATABASE_URL"),
        (
            &[
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--database-url",
                "postgres://127.0.0.1:1/x",
            ],
            "BILLSTACK_SECRET_KEY",
        ),
    ];
    for (args, named) in bad {
        let complaint = place.run(args).refused(2);
        assert!(complaint.contains(named), "{complaint}");
    }
    assert_eq!(place.run(&["surf"]).code(), Some(2));
    assert_eq!(place.run(&["--version"]).code(), Some(0));
    let bare = place.run(&[]);
    assert!(bare.code() == Some(2) && bare.err().contains("Usage: billstack"));

    let unreachable = "postgres://billstack:hidden@127.0.0.1:1/x";
    let ran = place.run(&["verify", "--database-url", unreachable]);
    let complaint = ran.refused(1);
    assert!(complaint.contains("cannot connect") && !complaint.contains("hidden"));

    std::fs::write(place.file("billstack.db"), "this is no database").expect("a file");
    assert_eq!(place.run(&["verify"]).code(), Some(1));
}

#[test]
fn help_can_be_learned_from() {
    let place = Place::new();
    let commands: [&[&str]; 17] = [
        &["serve"],
        &["init"],
        &["demo"],
        &["migrate"],
        &["verify"],
        &["backup"],
        &["openapi"],
        &["users", "set-password"],
        &["keys", "list"],
        &["keys", "create"],
        &["keys", "revoke"],
        &["projects", "list"],
        &["projects", "create"],
        &["members", "list"],
        &["members", "invite"],
        &["members", "set-role"],
        &["members", "remove"],
    ];
    for command in commands {
        let args = [command, &["--help"]].concat();
        let help = place.run(&args).ok();
        assert!(
            help.contains("Example"),
            "{command:?} has no example:\n{help}"
        );
    }
}
