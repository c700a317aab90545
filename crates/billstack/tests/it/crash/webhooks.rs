//! Servers that die while they send webhooks: what was committed is told at least once, and nothing else ever is.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use billstack::clock::Clock;
use billstack::server;
use billstack::webhooks::out::{secret, signature};
use billstack_core::ids::IdSeed;
use billstack_core::time::Micros;
use billstack_core::webhook::endpoint::Types;
use billstack_store::webhooks::{NewEndpoint, endpoints};
use billstack_store::{Actor, Origin, Place};
use serde_json::json;

use super::{Client, Server, command, http, ready, team};
use crate::support::bench::settings;
use crate::support::database::{Database, Engine};
use crate::support::fixture::text;
use crate::support::receiver::{Behaviour, Received, Receiver, eventually};

const KILLS: usize = 8;
const CLIENTS: usize = 4;
const SECRET_KEY: &str = "abababababababababababababababababababababababababababababababab";

/// A world that outlives its servers.
struct World {
    database: Database,
    place: tempfile::TempDir,
    told: Vec<(&'static str, String)>,
    project: String,
    key: String,
}

impl World {
    fn new(engine: Engine) -> World {
        let database = Database::new(engine);
        let place = tempfile::tempdir().expect("a directory");
        let text = str::to_owned;
        let told = vec![
            ("DATABASE_URL", database.url.clone()),
            ("BILLSTACK_SECRET_KEY", text(SECRET_KEY)),
            ("BILLSTACK_WEBHOOK_ALLOWED_NETWORKS", text("127.0.0.0/8")),
            ("BILLSTACK_SHUTDOWN_GRACE_SECONDS", text("1")),
        ];
        let (project, key) = team(place.path(), &told, &[]);
        World {
            database,
            place,
            told,
            project,
            key,
        }
    }

    /// Makes an endpoint while no server runs.
    fn endpoint(&self, url: &str) -> String {
        let settings = settings(&self.database.url, |args| {
            args.secret_key = Some(SECRET_KEY.to_owned());
        });
        let on_fatal = Arc::new(|why: &str| panic!("{why}"));
        let app = server::prepare(settings, Clock::System, String::new(), on_fatal);
        let app = app.expect("a server");
        let mut ids = self.project.split('/').filter(|part| part.contains('_'));
        let (team, project) = (ids.next().expect("a team"), ids.next().expect("a project"));
        let place = Place::new(team, project);
        let new = NewEndpoint {
            url: url.to_owned(),
            description: None,
            types: Types::from_text("customer.created").expect("types"),
        };
        let (fresh, cipher) = (signature::new_secret(), app.cipher.clone());
        let shown = fresh.expose().to_owned();
        let now = Micros(Clock::System.now_micros());
        let origin = Origin {
            seed: IdSeed::new(now, [7; 16]),
            actor: Actor::System,
            request_id: "test".to_owned(),
        };
        let made = app.store.write_blocking(origin, move |tx, act| {
            let seal = |id: &str| secret::seal(&cipher, &place.team_id, id, &fresh);
            endpoints::create(tx, act, &place, &new, seal)
        });
        made.expect("an endpoint");
        shown
    }

    fn server(&self) -> Server {
        Server::start_with(self.place.path(), &self.told)
    }

    fn client(&self, server: &Server) -> Client {
        Client {
            http: http(),
            project: format!("{}{}", server.origin, self.project),
            key: self.key.clone(),
            acknowledged: Arc::default(),
        }
    }

    fn verify(&self) {
        let mut verify = command(self.place.path(), &["verify"]);
        let verified = verify
            .envs(self.told.clone())
            .output()
            .expect("verify runs");
        let said = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success(), "{said}");
    }
}

/// The customers whom a webhook has told of.
fn told_of(received: &[Received]) -> BTreeSet<String> {
    let ids = received
        .iter()
        .map(|one| text(&one.json()["data"]["customer"]["id"]));
    ids.collect()
}

/// The customers there are.
async fn customers(client: &Client) -> BTreeSet<String> {
    let (mut all, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let (status, page) = client.get(&format!("customers?limit=100{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        let list = page["customers"].as_array().expect("a list");
        all.extend(list.iter().map(|customer| text(&customer["id"])));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// Makes customers until the connection breaks.
async fn load(client: Client, name: String) {
    for number in 0.. {
        let body = json!({"email": format!("{name}-{number}@example.com")});
        let Some(made) = client.create("customers", body).await else {
            return;
        };
        let id = text(&made["customer"]["id"]);
        client.note(|seen| seen.customers.push(id));
    }
}

/// Kills servers at odd moments of their load, so many at a time, and checks what the receiver has been told.
fn whoever_dies(engine: Engine, nodes: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = World::new(engine);
    let receiver = runtime.block_on(Receiver::start());
    let secret = world.endpoint(&receiver.url());
    let mut servers: Vec<Server> = (0..nodes).map(|_| world.server()).collect();
    for kill in 0..KILLS {
        let number = kill % nodes;
        let client = world.client(&servers[number]);
        let under_load = async {
            ready(&client, &servers[number].origin).await;
            let names = (0..CLIENTS).map(|one| format!("k{kill}c{one}"));
            let load = names.map(|name| tokio::spawn(load(client.clone(), name)));
            let load: Vec<_> = load.collect();
            let enough = 15 + kill * 7 % 20;
            eventually("the load", || async {
                let made = client
                    .acknowledged
                    .lock()
                    .expect("no panic")
                    .customers
                    .len();
                (made >= enough).then_some(())
            })
            .await;
            load
        };
        let load = runtime.block_on(under_load);
        // SIGKILL. The file of SQLite is free for the next one only then.
        drop(servers.remove(number));
        servers.insert(number, world.server());
        for one in load {
            runtime
                .block_on(one)
                .expect("a client that notices the end");
        }
    }
    runtime.block_on(async {
        let client = world.client(&servers[0]);
        ready(&client, &servers[0].origin).await;
        let there = customers(&client).await;
        assert!(there.len() > 100, "only {} customers", there.len());
        let missing = || async {
            let told = told_of(&receiver.seen());
            (there.difference(&told).count() == 0).then_some(())
        };
        eventually("every customer to be told of", missing).await;
        let seen = receiver.seen();
        assert_eq!(told_of(&seen), there, "nobody else");
        assert!(seen.iter().all(|one| one.is_signed_with(&secret)));
        assert_eq!(receiver.doubled(), 0, "none was under way twice");
    });
    drop(servers);
    world.verify();
}

#[test]
fn every_committed_event_is_told_on_sqlite() {
    whoever_dies(Engine::Sqlite, 1);
}

#[test]
fn every_committed_event_is_told_by_two_nodes() {
    whoever_dies(Engine::Postgres, 2);
}

/// A server that sends to a receiver which says nothing, and another one beside it.
fn takes_over(end: impl FnOnce(Server)) -> Duration {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = World::new(Engine::Postgres);
    let receiver = runtime.block_on(Receiver::with(Behaviour::Hang));
    world.endpoint(&receiver.url());
    let first = world.server();
    let client = world.client(&first);
    runtime.block_on(async {
        ready(&client, &first.origin).await;
        let body = json!({"email": "ada@example.com"});
        client.create("customers", body).await.expect("a customer");
        receiver.wait_for(1).await;
    });
    let second = world.server();
    receiver.behave(Behaviour::Answer(204, ""));
    end(first);
    let seen = runtime.block_on(receiver.wait_for(2));
    assert_eq!(
        (seen[0].id(), seen[0].attempt()),
        (seen[1].id(), seen[1].attempt())
    );
    assert_eq!(seen[0].text, seen[1].text);
    drop(second);
    world.verify();
    seen[1].at.duration_since(seen[0].at)
}

#[test]
fn another_node_sends_what_a_killed_one_held() {
    let waited = takes_over(drop);
    assert!(
        waited > Duration::from_secs(10),
        "while it is leased, nobody else sends it"
    );
}

#[test]
fn a_node_that_stops_in_order_gives_back_what_it_cannot_finish() {
    let waited = takes_over(|mut server| {
        let pid = server.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.expect("a signal").success());
        assert!(server.child.wait().expect("an end").success());
    });
    assert!(
        waited < Duration::from_secs(20),
        "long before the lease is over: {waited:?}"
    );
}
