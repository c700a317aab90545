//! Moving between SQLite and PostgreSQL, as an operator does it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use scratch_postgres::{Cluster, Proxy};
use serde_json::{Value, json};

use super::{Place, Ran, Server, finish};
use crate::support::client::http;

/// A place with an empty database of PostgreSQL.
struct Move {
    place: Place,
    postgres: String,
    key: String,
}

impl Move {
    fn new(name: &str) -> Move {
        let created = Cluster::shared().create_database(name, None);
        Move {
            place: Place::new(),
            postgres: created.expect("a database"),
            key: "ab".repeat(32),
        }
    }

    fn sqlite(&self) -> String {
        format!("sqlite://{}", self.place.file("billstack.db").display())
    }

    fn command(&self, database: &str, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.env("DATABASE_URL", database);
        command.env("BILLSTACK_SECRET_KEY", &self.key);
        command
    }

    fn run(&self, database: &str, args: &[&str]) -> Ran {
        finish(self.command(database, args), super::PASSWORD)
    }

    fn serve(&self, database: &str) -> Server {
        let args = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off"];
        Server::start(self.command(database, &args))
    }

    /// Sets a database up with a connection to Stripe and some customers with codes. Returns the key of the API and
    /// where its calls begin.
    fn set_up(&self, database: &str, customers: usize) -> (String, String) {
        let made: Value =
            serde_json::from_str(&self.run(database, &super::INIT).ok()).expect("JSON");
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        let (team, project) = (text("teamId"), text("projectId"));
        let api = format!("/api/billstack/teams/{team}/projects/{project}");
        let mut server = self.serve(database);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let client = http().build();
            let client = client.expect("a client");
            let post = |path: &str, body: Value| {
                let url = format!("http://{}{api}{path}", server.address);
                client
                    .post(url)
                    .bearer_auth(text("apiKey"))
                    .json(&body)
                    .send()
            };
            for number in 0..customers {
                let email = json!({"email": format!("c{number}@example.com")});
                let made = post("/customers", email).await.expect("an answer");
                assert_eq!(made.status(), 201);
                let made: Value = made.json().await.expect("JSON");
                let code = json!({"customerId": made["customer"]["id"]});
                let made = post("/referrals/codes", code).await.expect("an answer");
                assert_eq!(made.status(), 201);
            }
        });
        assert_eq!(server.stop("-TERM"), Some(0));
        (text("apiKey"), api)
    }

    /// The codes that the API lists.
    fn codes(&self, database: &str, key: &str, api: &str) -> String {
        let server = self.serve(database);
        let head = format!("Authorization: Bearer {key}\r\n");
        let answer = server.get_with(&format!("{api}/referrals/codes?limit=1000"), &head);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        body.to_owned()
    }
}

#[test]
fn a_service_moves_to_postgresql_and_back() {
    let moving = Move::new("copy_there_and_back");
    let (sqlite, postgres) = (moving.sqlite(), moving.postgres.clone());
    let (key, api) = moving.set_up(&sqlite, 20);
    let before = moving.codes(&sqlite, &key, &api);
    let copied = moving.run(&sqlite, &["copy", "--to", &postgres]).ok();
    assert!(copied.contains("equal, row by row"), "{copied}");
    assert!(copied.contains("the same BILLSTACK_SECRET_KEY"), "{copied}");
    assert_eq!(moving.codes(&postgres, &key, &api), before);
    moving.run(&postgres, &["verify"]).ok();

    // What is in SQLite now goes nowhere.
    let again = moving.run(&sqlite, &["copy", "--to", &postgres]);
    assert!(again.refused(1).contains("is not empty"), "{}", again.err());
    let back = format!("sqlite://{}", moving.place.file("back.db").display());
    moving.run(&back, &["copy", "--from", &postgres]).ok();
    assert_eq!(moving.codes(&back, &key, &api), before);
    moving.run(&back, &["verify"]).ok();
}

#[test]
fn the_key_beside_sqlite_is_named() {
    let moving = Move::new("copy_key");
    moving.place.init().ok();
    let mut copy = moving.place.command(&["copy", "--to", &moving.postgres]);
    copy.env("DATABASE_URL", moving.sqlite());
    let told = finish(copy, "").ok();
    assert!(told.contains("billstack.db.key"), "{told}");
    // A server that has the key opens what was sealed in SQLite.
    let key = std::fs::read_to_string(moving.place.file("billstack.db.key")).expect("a key");
    let mut doctor = moving.command(&moving.postgres, &["serve", "--listen", "127.0.0.1:0"]);
    doctor.env("BILLSTACK_SECRET_KEY", key.trim());
    let mut server = Server::start(doctor);
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(server.stop("-TERM"), Some(0));
}

/// Starts a copy that commits every row by itself, and kills it some time after the first.
fn kill_a_copy(moving: &Move, from: &str, to: &str, after: Duration) {
    let args = ["copy", "--batch-rows", "1", "--from", from, "--to", to];
    let mut copy = moving.command(from, &args);
    copy.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut copy = copy.spawn().expect("the program starts");
    let lines = BufReader::new(copy.stderr.take().expect("a pipe")).lines();
    let mut lines = lines.map_while(Result::ok);
    let begun = lines.find(|line| line.starts_with("copying"));
    std::thread::sleep(after);
    // Where it was quicker, it has ended.
    let _ = copy.kill();
    copy.wait().expect("its end");
    assert!(begun.is_some(), "it has copied nothing");
}

fn killed_copies_go_on(moving: &Move, from: &str, to: &str, (key, api): &(String, String)) {
    let before = moving.codes(from, key, api);
    for times in 0..5 {
        kill_a_copy(moving, from, to, Duration::from_millis(20 * times));
        let verify = moving.run(to, &["verify"]);
        let why = verify.refused(1);
        assert!(why.contains("is a copy that is not whole"), "{why}");
    }
    let serve = moving.run(to, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(serve.refused(1).contains("is a copy that is not whole"));
    let copied = moving.run(from, &["copy", "--to", to]).ok();
    assert!(
        copied.contains("that an earlier run had copied"),
        "{copied}"
    );
    assert_eq!(moving.codes(to, key, api), before);
    moving.run(to, &["verify"]).ok();
}

#[test]
fn a_copy_that_is_killed_goes_on_where_it_was() {
    let moving = Move::new("copy_killed");
    let (sqlite, postgres) = (moving.sqlite(), moving.postgres.clone());
    let client = moving.set_up(&sqlite, 200);
    killed_copies_go_on(&moving, &sqlite, &postgres, &client);
    let back = format!("sqlite://{}", moving.place.file("back.db").display());
    killed_copies_go_on(&moving, &postgres, &back, &client);
}

#[test]
fn a_copy_beside_a_server_is_refused() {
    let moving = Move::new("copy_beside");
    let sqlite = moving.sqlite();
    moving.run(&sqlite, &super::INIT).ok();
    let mut server = moving.serve(&sqlite);
    let beside = moving.run(&sqlite, &["copy", "--to", &moving.postgres]);
    assert!(
        beside.refused(1).contains("stop it first"),
        "{}",
        beside.err()
    );
    assert_eq!(server.stop("-TERM"), Some(0));
    let nowhere = moving.run(&sqlite, &["copy"]);
    assert_eq!(nowhere.code(), Some(2));
    assert!(nowhere.err().contains("--to <URL>"), "{}", nowhere.err());
}

/// What is lost on the way is told with the side that it was lost at, and what to do.
#[test]
fn a_copy_that_loses_a_database_says_which_and_how_it_goes_on() {
    let moving = Move::new("copy_lost");
    let sqlite = moving.sqlite();
    let client = moving.set_up(&sqlite, 50);
    let before = moving.codes(&sqlite, &client.0, &client.1);
    let cluster = Cluster::shared();
    let proxy = Proxy::to(cluster.port()).expect("a proxy");
    let [direct, way] = [cluster.port(), proxy.port()].map(|port| format!(":{port}/"));
    let through = moving.postgres.replace(&direct, &way);
    let there = [&sqlite[..], &through];
    proxy.cut_commits(20);
    let lost = moving.run(&sqlite, &["copy", "--batch-rows", "1", "--to", &through]);
    let why = lost.refused(1);
    assert!(
        why.contains("PostgreSQL at ") && why.contains("run it again"),
        "{why}"
    );
    proxy.cut_commits(0);
    let [from, to] = there;
    moving.run(from, &["copy", "--to", to]).ok();
    assert_eq!(moving.codes(&moving.postgres, &client.0, &client.1), before);
}

/// Small things that are wrong are told as what they are.
#[test]
fn a_copy_names_what_is_wrong_with_a_side() {
    let moving = Move::new("copy_wrong");
    let none = format!("sqlite://{}", moving.place.file("none.db").display());
    let missing = moving.run(&none, &["copy", "--from", &none, "--to", &moving.postgres]);
    let why = missing.refused(1);
    assert!(
        why.contains("--from") && !why.contains("--database-url"),
        "{why}"
    );
    let settings = moving.run(&none, &["copy", "--to", &moving.postgres]);
    assert!(settings.refused(1).contains("--database-url"));
    moving.run(&moving.postgres, &super::INIT).ok();
    let directory = format!("sqlite://{}", moving.place.0.path().display());
    let into = moving.run(&moving.postgres, &["copy", "--to", &directory]);
    let why = into.refused(1);
    assert!(
        why.contains("is a directory") && !why.contains("hard links"),
        "{why}"
    );
    // A key that is not there is not named as if it were.
    moving.place.run(&["migrate"]).ok();
    let empty = Cluster::shared().create_database("copy_no_key", None);
    let mut copy = moving
        .place
        .command(&["copy", "--to", &empty.expect("a database")]);
    copy.env("DATABASE_URL", moving.sqlite());
    let told = finish(copy, "").ok();
    assert!(
        told.contains("There is no key at ") && !told.contains("what is in"),
        "{told}"
    );
}
