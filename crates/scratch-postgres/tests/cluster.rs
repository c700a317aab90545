//! Clusters against the real server: made, shared, crashed, copied and left behind.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use scratch_postgres::{Cluster, Options};

/// Set for the copy of this program that is to hold a cluster until it is killed or ends.
const HOLD: &str = "SCRATCH_POSTGRES_HOLD";

fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).expect("a connection")
}

fn number(client: &mut Client, query: &str) -> i64 {
    client.query_one(query, &[]).expect("one row").get(0)
}

fn setting(client: &mut Client, name: &str) -> String {
    client
        .query_one("SELECT current_setting($1)", &[&name])
        .expect("one row")
        .get(0)
}

fn gone(port: u16, directory: &Path) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err() && !directory.exists()
}

#[test]
fn a_cluster_answers_and_leaves_nothing_behind() {
    let cluster = Cluster::start(Options::default()).expect("a cluster");
    let mut client = connect(&cluster.admin_url());
    assert_eq!(number(&mut client, "SELECT 41::bigint + 1"), 42);
    assert_eq!(setting(&mut client, "fsync"), "off");
    assert_eq!(setting(&mut client, "server_encoding"), "UTF8");
    assert_eq!(setting(&mut client, "lc_collate"), "C");
    let (port, directory) = (cluster.port(), cluster.directory().to_path_buf());
    // The open connection must not hold it back.
    drop(cluster);
    assert!(
        gone(port, &directory),
        "port {port}, {}",
        directory.display()
    );
}

#[test]
fn options_reach_the_server() {
    let cluster = Cluster::start(Options {
        durable: true,
        max_connections: 17,
        settings: vec![("deadlock_timeout".to_owned(), "50ms".to_owned())],
        ..Options::default()
    })
    .expect("a cluster");
    let mut client = connect(&cluster.admin_url());
    assert_eq!(setting(&mut client, "fsync"), "on");
    assert_eq!(setting(&mut client, "full_page_writes"), "on");
    assert_eq!(setting(&mut client, "max_connections"), "17");
    assert_eq!(setting(&mut client, "deadlock_timeout"), "50ms");
}

#[test]
fn a_setting_the_server_refuses_is_reported_in_its_words() {
    let error = Cluster::start(Options {
        settings: vec![("no_such_setting".to_owned(), "1".to_owned())],
        ..Options::default()
    })
    .expect_err("no such setting");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[test]
fn many_clusters_start_side_by_side() {
    let started: Vec<_> = (0..4)
        .map(|_| thread::spawn(|| Cluster::start(Options::default()).expect("a cluster")))
        .collect();
    let clusters: Vec<Cluster> = started
        .into_iter()
        .map(|thread| thread.join().expect("no panic"))
        .collect();
    for (index, cluster) in clusters.iter().enumerate() {
        let url = cluster
            .create_database("same_name", None)
            .expect("a database");
        connect(&url)
            .batch_execute(&format!("CREATE TABLE t{index} ()"))
            .expect("a table");
    }
    let kept: Vec<_> = clusters
        .iter()
        .map(|c| (c.port(), c.directory().to_path_buf()))
        .collect();
    drop(clusters);
    for (port, directory) in kept {
        assert!(
            gone(port, &directory),
            "port {port}, {}",
            directory.display()
        );
    }
}

#[test]
fn databases_are_copied_from_a_template_by_many_threads() {
    let cluster = Cluster::shared();
    let template = cluster
        .create_database("template_of_many", None)
        .expect("a database");
    connect(&template)
        .batch_execute("CREATE TABLE t (n bigint); INSERT INTO t VALUES (7)")
        .expect("a table");
    thread::scope(|scope| {
        for index in 0..8 {
            scope.spawn(move || {
                let name = format!("copy_{index}");
                let url = cluster
                    .create_database(&name, Some("template_of_many"))
                    .expect("a copy");
                let mut client = connect(&url);
                client
                    .execute("UPDATE t SET n = n + $1", &[&i64::from(index)])
                    .expect("a row");
                assert_eq!(number(&mut client, "SELECT n FROM t"), 7 + i64::from(index));
                cluster
                    .drop_database(&name)
                    .expect("dropped while connected");
            });
        }
    });
    assert_eq!(number(&mut connect(&template), "SELECT n FROM t"), 7);
}

#[tokio::test]
async fn an_async_test_may_create_a_database() {
    let url = Cluster::shared()
        .create_database("made_in_async", None)
        .expect("a database");
    assert!(url.ends_with("/made_in_async"), "{url}");
}

#[test]
fn every_thread_shares_one_cluster() {
    let threads: Vec<_> = (0..4)
        .map(|_| thread::spawn(|| Cluster::shared().port()))
        .collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), Cluster::shared().port());
    }
}

#[test]
fn a_bad_or_taken_name_is_refused() {
    let cluster = Cluster::shared();
    for name in ["", "1a", "A", "a-b", "a;b", &"a".repeat(64)] {
        let error = cluster.create_database(name, None).expect_err("a bad name");
        assert!(error.to_string().contains("no database name"), "{error}");
    }
    cluster.create_database("taken", None).expect("a database");
    let error = cluster.create_database("taken", None).expect_err("taken");
    assert!(error.to_string().contains("already exists"), "{error}");
}

#[test]
fn commits_survive_a_stop_a_crash_and_a_restart() {
    let cluster = Cluster::start(Options::default()).expect("a cluster");
    let url = cluster.create_database("kept", None).expect("a database");
    connect(&url)
        .batch_execute("CREATE TABLE t (n bigint)")
        .expect("a table");
    let insert = |n: i64| {
        connect(&url)
            .execute("INSERT INTO t VALUES ($1)", &[&n])
            .expect("a row");
    };
    insert(1);
    cluster.stop().expect("stopped");
    assert!(Client::connect(&url, NoTls).is_err());
    cluster.stop().expect("stopping twice is nothing");
    cluster.restart().expect("started again");
    insert(2);
    cluster.stop_immediate().expect("crashed");
    assert!(Client::connect(&url, NoTls).is_err());
    cluster.restart().expect("recovered");
    assert!(
        cluster.log().contains("was not properly shut down"),
        "{}",
        cluster.log()
    );
    insert(3);
    cluster.restart().expect("stopped and started");
    assert_eq!(number(&mut connect(&url), "SELECT count(*) FROM t"), 3);
}

/// The other half of the two tests below, in a process of its own.
#[test]
fn hold_a_cluster_when_told_to() {
    let Ok(how) = env::var(HOLD) else { return };
    let cluster = Cluster::shared();
    let held = connect(&cluster.admin_url());
    println!(
        "\nHELD {} {}",
        cluster.port(),
        cluster.directory().display()
    );
    if how == "until killed" {
        thread::sleep(Duration::from_secs(600));
    }
    drop(held);
}

/// A copy of this program that holds a cluster.
struct Holder {
    child: Child,
    /// Kept open: the copy fails when it cannot write its last lines.
    output: BufReader<ChildStdout>,
}

impl Holder {
    fn start(how: &str) -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "hold_a_cluster_when_told_to", "--nocapture"])
            .env(HOLD, how)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a copy of this program");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, output }
    }

    /// Waits until it says what it holds: a port and a directory.
    fn held(&mut self) -> (u16, PathBuf) {
        let mut line = String::new();
        while self.output.read_line(&mut line).expect("a line") > 0 {
            let held = line.trim().strip_prefix("HELD ");
            if let Some((port, directory)) = held.and_then(|held| held.split_once(' ')) {
                return (port.parse().expect("a port"), PathBuf::from(directory));
            }
            line.clear();
        }
        panic!("the copy ended without a cluster");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Both fail when it has ended already, as it should have.
        let _ended = (self.child.kill(), self.child.wait());
    }
}

fn wait_until_gone(port: u16, directory: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !gone(port, directory) {
        assert!(
            Instant::now() < deadline,
            "port {port}, {}",
            directory.display()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_test_process_leaves_nothing_behind() {
    let mut holder = Holder::start("until killed");
    let (port, directory) = holder.held();
    assert!(directory.exists());
    holder.child.kill().expect("killed");
    wait_until_gone(port, &directory);
}

#[test]
fn a_shared_cluster_ends_with_its_process() {
    let mut holder = Holder::start("briefly");
    let (port, directory) = holder.held();
    assert!(holder.child.wait().expect("its end").success());
    wait_until_gone(port, &directory);
}
