//! A server that is asked to stop while its PostgreSQL says nothing.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use scratch_postgres::{Cluster, Proxy};

use super::{Place, Server};

/// After the grace, which is a second here: five more, and something for a machine that is busy.
const SOON: Duration = Duration::from_secs(15);

fn serve(place: &Place, url: &str) -> Command {
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("DATABASE_URL", url);
    command.env("BILLSTACK_SECRET_KEY", "ab".repeat(32));
    command.env("BILLSTACK_SHUTDOWN_GRACE_SECONDS", "1");
    command
}

#[test]
fn a_database_that_hangs_does_not_keep_a_server_from_ending() {
    let place = Place::new();
    let cluster = Cluster::shared();
    let proxy = Proxy::to(cluster.port()).expect("a proxy");
    let url = cluster
        .create_database("hangs_later", None)
        .expect("a database");
    let url = url.replace(&cluster.port().to_string(), &proxy.port().to_string());
    let mut server = Server::start(serve(&place, &url));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    proxy.fall_silent();
    let mut under_way = TcpStream::connect(&server.address).expect("it listens");
    under_way
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("sent");
    // Long enough for the read to be on its way to the database.
    thread::sleep(Duration::from_millis(500));
    let begin = Instant::now();
    assert_eq!(server.stop("-TERM"), Some(0));
    let took = begin.elapsed();
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_server_that_waits_for_its_database_can_be_stopped() {
    let place = Place::new();
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = mute.local_addr().expect("an address").port();
    let url = format!("postgres://billstack@127.0.0.1:{port}/x?connect_timeout=50");
    for signal in ["-TERM", "-INT"] {
        let mut command = serve(&place, &url);
        command.stderr(Stdio::null());
        let mut server = Server::launch(command);
        // The database has been asked, so the program runs.
        let _unanswered = mute.accept().expect("a connection");
        let begin = Instant::now();
        assert_eq!(server.stop(signal), Some(0), "{signal}");
        let took = begin.elapsed();
        assert!(took < SOON, "{signal}: {took:?}");
    }
}
