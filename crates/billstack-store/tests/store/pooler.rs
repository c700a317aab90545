//! Behind a PgBouncer: what it takes away from sessions, transactions bring along; and whoever gets too few connections
//! is told so.

use std::thread;
use std::time::{Duration, Instant};

use billstack_store::options::{Options, Reads};
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx, migrate, params, projects, teams, users};
use postgres::{Client, NoTls};
use scratch_postgres::{Cluster, Pooler};

use crate::support::{START, assert_sound, origin, postgres_database};

/// A pooler of the shared cluster, and the address of an empty database by way of it.
fn pooled(settings: &[(&str, &str)]) -> (Pooler, String, String) {
    let direct = postgres_database(None);
    let name = direct.rsplit('/').next().unwrap();
    let pooler = Pooler::start(Cluster::shared(), settings).unwrap();
    let url = pooler.url(name);
    (pooler, url, direct)
}

fn server() -> Options {
    Options {
        write_lanes: 4,
        reads: Reads::ByKey,
        exclusive: true,
        ..Options::default()
    }
}

fn open(url: &str, options: &Options) -> Result<Store, Fault> {
    let target = Target::from_url(url).unwrap();
    migrate::migrate(&target, START)?;
    Store::open(&target, options)
}

fn first_user() -> users::NewUser {
    users::NewUser {
        email: "ada@example.com".to_owned(),
        name: "Ada".to_owned(),
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
    }
}

/// What counts in a transaction of each kind.
fn in_use(store: &Store, name: &'static str) -> [String; 2] {
    let ask = move |tx: &mut dyn Tx| {
        let found = tx.one("SELECT current_setting($1)", params![name], |row| {
            row.string(0)
        })?;
        Ok::<_, Abort>(found.unwrap_or_default())
    };
    let written = store.write_blocking(origin(), move |tx, _| ask(tx));
    [written.unwrap(), store.scan_blocking(ask).unwrap()]
}

/// Sixteen callers at once, over two nodes, through two sessions of the server.
#[test]
fn transactions_that_share_sessions_keep_what_they_promise() {
    for more in [&[][..], &[("ignore_startup_parameters", "options")]] {
        let small = [("pool_mode", "transaction"), ("default_pool_size", "2")];
        let (_pooler, url, direct) = pooled(&[&small[..], more].concat());
        let mut client = Client::connect(&direct, NoTls).unwrap();
        let name = direct.rsplit('/').next().unwrap();
        let weak = format!("ALTER DATABASE {name} SET synchronous_commit = off");
        client.batch_execute(&weak).unwrap();
        let nodes = [
            open(&url, &server()).unwrap(),
            open(&url, &server()).unwrap(),
        ];
        let user = nodes[0].write_blocking(origin(), |tx, act| {
            users::create_first(tx, act, &first_user())
        });
        let user = user.unwrap().id;
        let team = nodes[0].write_blocking(origin(), {
            let user = user.clone();
            move |tx, act| teams::create(tx, act, "Acme", &user)
        });
        let team = team.unwrap().id;
        thread::scope(|scope| {
            for caller in 0..16 {
                let (node, team) = (&nodes[caller % 2], team.clone());
                scope.spawn(move || {
                    for number in 0..25 {
                        let (of, name) = (team.clone(), format!("{caller} {number}"));
                        let made = node.write_blocking(origin(), move |tx, act| {
                            projects::create(tx, act, &of, &name)
                        });
                        let made = made.unwrap();
                        let id = made.id.as_str().to_owned();
                        let found = node.scan_blocking(move |tx| {
                            let sql = "SELECT 1 FROM projects WHERE id = $1";
                            Ok::<_, Abort>(tx.exists(sql, params![&id])?)
                        });
                        assert_eq!(found, Ok(true));
                    }
                });
            }
        });
        let counted = client
            .query_one("SELECT COUNT(*) FROM projects", &[])
            .unwrap();
        assert_eq!(counted.get::<_, i64>(0), 400);
        assert_sound(&nodes[0]);
        assert_eq!(in_use(&nodes[1], "synchronous_commit"), ["on", "on"]);
        assert_eq!(in_use(&nodes[1], "statement_timeout"), ["20s", "20s"]);
        assert_eq!(in_use(&nodes[1], "lock_timeout"), ["50ms", "10s"]);
        assert_eq!(in_use(&nodes[1], "enable_seqscan"), ["off", "off"]);
    }
}

#[test]
fn what_an_address_sets_counts_behind_a_pooler_too() {
    let (_pooler, url, direct) = pooled(&[("pool_mode", "transaction")]);
    let mut client = Client::connect(&direct, NoTls).unwrap();
    client.batch_execute("CREATE SCHEMA apart").unwrap();
    let store = open(
        &format!("{url}?options=-c%20search_path%3Dapart"),
        &server(),
    )
    .unwrap();
    let made = store.write_blocking(origin(), |tx, act| {
        users::create_first(tx, act, &first_user())
    });
    made.unwrap();
    let counted = client
        .query_one("SELECT COUNT(*) FROM apart.users", &[])
        .unwrap();
    assert_eq!(counted.get::<_, i64>(0), 1);
    // The sessions of the pooler are as they were, for whoever else uses them.
    let mut other = Client::connect(&url, NoTls).unwrap();
    let left = other.simple_query("SHOW search_path").unwrap();
    let is_usual = |message: &postgres::SimpleQueryMessage| matches!(message, postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some("\"$user\", public"));
    assert!(left.iter().any(is_usual), "{left:?}");
}

fn refusal(opened: Result<Store, Fault>) -> String {
    match opened {
        Ok(_) => panic!("it was opened"),
        Err(why) => why.to_string(),
    }
}

#[test]
fn a_server_that_gets_too_few_connections_is_refused_with_their_number() {
    let needed = "needs 13 connections at once and got";
    let begin = Instant::now();
    let (_pooler, url, _) = pooled(&[
        ("pool_mode", "session"),
        ("default_pool_size", "5"),
        ("ignore_startup_parameters", "options"),
    ]);
    let why = refusal(open(&format!("{url}?connect_timeout=1"), &server()));
    assert!(why.contains(needed) && why.contains("pool size"), "{why}");

    let direct = postgres_database(Some("migrated"));
    let name = direct.rsplit('/').next().unwrap();
    let mut client = Client::connect(&direct, NoTls).unwrap();
    let role = format!("{name}_few");
    let make = format!(
        "CREATE ROLE {role} LOGIN CONNECTION LIMIT 5; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"
    );
    client.batch_execute(&make).unwrap();
    let few = direct.replace("postgres@", &format!("{role}@"));
    let why = refusal(open(&few, &server()));
    assert!(
        why.contains(needed) && why.contains("CONNECTION LIMIT"),
        "{why}"
    );
    assert!(why.contains("53300"), "{why}");
    assert!(begin.elapsed() < Duration::from_secs(30));

    client
        .batch_execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 13"))
        .unwrap();
    open(&few, &server()).unwrap();
    // A command beside a server needs one or two, and does not ask for more.
    client
        .batch_execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 2"))
        .unwrap();
    assert_sound(&open(&few, &Options::default()).unwrap());
}

#[test]
fn a_server_that_cannot_be_reached_is_named_without_its_password() {
    let url = "postgres://ada:hidden@127.0.0.1:1/books";
    let why = Target::from_url(url)
        .unwrap()
        .reach()
        .unwrap_err()
        .to_string();
    assert!(
        why.contains("PostgreSQL at 127.0.0.1:1, database books, user ada"),
        "{why}"
    );
    assert!(!why.contains("hidden"), "{why}");
    let direct = postgres_database(None);
    let why = refusal(Store::open(
        &Target::from_url(&direct).unwrap(),
        &Options::default(),
    ));
    let name = direct.rsplit('/').next().unwrap();
    assert!(why.contains("billstack migrate"), "{why}");
    assert!(
        why.contains(&format!("database {name}, user postgres")),
        "{why}"
    );
}
