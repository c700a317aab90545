//! These run the real server and speak to it over real sockets, byte by byte.

use super::*;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream as Client};
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::{get, post};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Long enough for a busy machine, short enough to fail a test that hangs.
const PATIENCE: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(300);

struct Server {
    address: SocketAddr,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<()>,
}

impl Server {
    fn start(limits: Limits) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let app = harden(routes(), &limits, || [1; 12], Arc::new(|_| None));
        let done = runtime.spawn(serve(listener, app, limits, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            runtime,
            stop: Some(stop),
            done,
        }
    }

    fn connect(&self) -> Client {
        let client = Client::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_write_timeout(Some(PATIENCE)).unwrap();
        client
    }

    /// A connection from another address of this machine.
    fn connect_from(&self, from: &str) -> Client {
        let from = SocketAddr::new(from.parse().unwrap(), 0);
        let client = self.runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(from).unwrap();
            socket.connect(self.address).await.unwrap()
        });
        let client = client.into_std().unwrap();
        client.set_nonblocking(false).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
    }

    /// Sends the bytes and reads until the server closes.
    fn exchange(&self, bytes: &str) -> String {
        let mut client = self.connect();
        client.write_all(bytes.as_bytes()).unwrap();
        read_to_end(&mut client)
    }

    fn signal(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Waits for the server to return, and says how long that took.
    fn wait(self) -> Duration {
        let started = Instant::now();
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.done).await })
            .unwrap()
            .unwrap();
        started.elapsed()
    }
}

fn routes() -> Router {
    let read = |max, timeout| {
        move |request: Request| async move {
            let bytes = read_body(request.into_body(), max, timeout).await?;
            Ok::<_, ApiError>(bytes.len().to_string())
        }
    };
    let wait = |Path(millis): Path<u64>| async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        "waited"
    };
    let big = || async { Body::from(vec![b'x'; 64 * 1024 * 1024]) };
    let peer = |Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() };
    Router::new()
        .route("/read", post(read(1000, PATIENCE)))
        .route("/limited", post(read(100, PATIENCE)))
        .route("/hurried", post(read(100, SOON)))
        .route("/wait/{millis}", get(wait).post(wait))
        .route("/big", get(big))
        .route("/peer", get(peer))
}

fn read_to_end(client: &mut Client) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is as good as an end.
    let _ = client.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// Reads one answer that fits one packet, on a connection that stays open.
fn read_one(client: &mut Client) -> String {
    let mut answer = vec![0; 4096];
    let count = client.read(&mut answer).unwrap();
    String::from_utf8(answer[..count].to_vec()).unwrap()
}

#[track_caller]
fn assert_refused(answer: &str, status: u16, reason: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert!(
        answer.contains(&format!("\"reason\":\"{reason}\"")),
        "{answer}"
    );
    assert!(
        answer.contains("content-type: application/json"),
        "{answer}"
    );
    assert!(answer.contains("x-request-id: "), "{answer}");
}

const GET_PEER: &str = "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn answers_on_one_connection_and_tells_the_peer() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    let me = client.local_addr().unwrap().to_string();
    for _ in 0..3 {
        client.write_all(GET_PEER.as_bytes()).unwrap();
        let answer = read_one(&mut client);
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with(&me), "{answer}");
    }
    let last = GET_PEER.replace("Host", "Connection: close\r\nHost");
    let pipelined = format!("{GET_PEER}{last}");
    client.write_all(pipelined.as_bytes()).unwrap();
    let both = read_to_end(&mut client);
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2, "{both}");
}

#[test]
fn host_is_needed_once() {
    let server = Server::start(Limits::default());
    for hosts in ["", "Host: a\r\nHost: a\r\n"] {
        let answer = server.exchange(&format!("GET /peer HTTP/1.1\r\n{hosts}\r\n"));
        assert_refused(&answer, 400, "invalid_request");
    }
    let old = server.exchange("GET /peer HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200 OK"), "{old}");
}

#[test]
fn two_lengths_end_the_connection() {
    let server = Server::start(Limits::default());
    let length = "Content-Length: 5\r\n";
    let encoding = "Transfer-Encoding: chunked\r\n";
    for both in [format!("{length}{encoding}"), format!("{encoding}{length}")] {
        let smuggled = format!("0\r\n\r\n{GET_PEER}");
        let bytes = format!("POST /read HTTP/1.1\r\nHost: a\r\n{both}\r\n{smuggled}");
        let answer = server.exchange(&bytes);
        assert!(answer.contains("connection: close"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
    let differing = "Content-Length: 5\r\nContent-Length: 6\r\n";
    let answer = server.exchange(&format!(
        "POST /read HTTP/1.1\r\nHost: a\r\n{differing}\r\n"
    ));
    assert!(!answer.contains(" 200 "), "{answer}");
}

#[track_caller]
fn assert_bare(answer: &str, status: u16) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn heads_are_bounded() {
    let server = Server::start(Limits::default());
    let many = "a: b\r\n".repeat(65);
    let large = format!("a: {}\r\n", "x".repeat(17 * 1024));
    let endless = format!("a: {}\r\n", "x".repeat(500 * 1024));
    for headers in [many, large, endless] {
        let answer = server.exchange(&format!("GET /peer HTTP/1.1\r\nHost: a\r\n{headers}\r\n"));
        assert_bare(&answer, 431);
    }
    let odd = ["CONNECT a:80", "TRACE /peer", "FROB /peer"];
    for line in odd {
        let close = "Host: a\r\nConnection: close\r\n";
        let answer = server.exchange(&format!("{line} HTTP/1.1\r\n{close}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
    }
}

#[test]
fn a_head_that_is_not_http_gets_a_bare_400() {
    let server = Server::start(Limits::default());
    let odd = [
        "G@T /peer HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /pe er HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /peer HTTP/3.0\r\nHost: a\r\n\r\n",
        "GET /peer HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /peer HTTP/1.1\r\nHost: \0\r\n\r\n",
        "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ];
    for bytes in odd {
        assert_bare(&server.exchange(bytes), 400);
    }
    let after_a_good_one = server.exchange(&format!("{GET_PEER}{}", odd[0]));
    let (good, bad) = after_a_good_one.split_at(after_a_good_one.find("HTTP/1.1 400").unwrap());
    assert!(good.starts_with("HTTP/1.1 200 OK"), "{good}");
    assert_bare(bad, 400);
}

/// Sends a head bit by bit: the idle timeout of the test is much longer than it may take.
#[track_caller]
fn assert_trickle_ends(client: &mut Client) {
    let started = Instant::now();
    while client.write_all(b"a").is_ok() {
        assert!(started.elapsed() < 3 * SOON, "still open");
        std::thread::sleep(SOON / 6);
    }
    assert!(started.elapsed() > SOON / 2, "{:?}", started.elapsed());
}

#[test]
fn slow_heads_and_idle_connections_are_closed() {
    let limits = Limits {
        header_timeout: SOON,
        idle_timeout: 6 * SOON,
        ..Limits::default()
    };
    let server = Server::start(limits);
    for start in ["", "GET /peer HT", "\r\n"] {
        let started = Instant::now();
        assert_eq!(server.exchange(start), "", "{start}");
        assert!(started.elapsed() >= SOON - Duration::from_millis(5));
    }
    let mut trickle = server.connect();
    assert_trickle_ends(&mut trickle);
    let mut later = server.connect();
    later.write_all(GET_PEER.as_bytes()).unwrap();
    read_one(&mut later);
    std::thread::sleep(SOON / 2);
    assert_trickle_ends(&mut later);

    let mut idle = server.connect();
    idle.write_all(GET_PEER.as_bytes()).unwrap();
    read_one(&mut idle);
    let started = Instant::now();
    assert_eq!(read_to_end(&mut idle), "");
    assert!(started.elapsed() > 2 * SOON, "{:?}", started.elapsed());
}

#[test]
fn a_long_request_outlives_the_timeouts_of_the_head() {
    let limits = Limits {
        header_timeout: SOON / 3,
        idle_timeout: SOON / 3,
        ..Limits::default()
    };
    let server = Server::start(limits);
    let answer = server.exchange("GET /wait/600 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.ends_with("waited"), "{answer}");
}

#[test]
fn slow_bodies_are_408_and_close() {
    let server = Server::start(Limits::default());
    for framing in [
        "Content-Length: 10\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\na",
    ] {
        let answer = server.exchange(&format!("POST /hurried HTTP/1.1\r\nHost: a\r\n{framing}"));
        assert_refused(&answer, 408, "request_timeout");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[test]
fn bodies_that_break_off_or_are_broken() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    let head = "POST /read HTTP/1.1\r\nHost: a\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n");
    client.write_all(chunked.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let answer = read_to_end(&mut client);
    assert_refused(&answer, 400, "invalid_request");
}

#[test]
fn large_bodies_are_refused_from_the_head_alone() {
    let server = Server::start(Limits::default());
    let head = "POST /limited HTTP/1.1\r\nHost: a\r\n";
    let expecting = format!("{head}Content-Length: 101\r\nExpect: 100-continue\r\n\r\n");
    let answer = server.exchange(&expecting);
    assert_refused(&answer, 413, "payload_too_large");

    let unread = "x".repeat(3_000_000);
    let answer = server.exchange(&format!("{head}Content-Length: 3000000\r\n\r\n{unread}"));
    assert_refused(&answer, 413, "payload_too_large");

    let chunk = format!("40\r\n{}\r\n", "x".repeat(64));
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(2)
    );
    assert_refused(&server.exchange(&chunked), 413, "payload_too_large");

    let fits = format!(
        "{head}Content-Length: 100\r\nConnection: close\r\n\r\n{}",
        "x".repeat(100)
    );
    let answer = server.exchange(&fits);
    assert!(answer.ends_with("\r\n\r\n100"), "{answer}");
}

#[test]
fn an_answer_before_the_body_says_that_the_connection_closes() {
    let server = Server::start(Limits::default());
    let head = "POST /wait/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    let mut client = server.connect();
    client.write_all(head.as_bytes()).unwrap();
    let answer = read_one(&mut client);
    assert!(answer.contains("connection: close"), "{answer}");
    // A body that was read to its end leaves nothing to be mistaken for the next request.
    let mut client = server.connect();
    let whole = "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    client.write_all(whole.as_bytes()).unwrap();
    let answer = read_one(&mut client);
    assert!(!answer.contains("connection: close"), "{answer}");
}

#[test]
fn read_body_has_a_bound_of_its_own() {
    let server = Server::start(Limits::default());
    let head = "POST /read HTTP/1.1\r\nHost: a\r\n";
    let declared = format!("{head}Content-Length: 1001\r\n\r\n");
    assert_refused(&server.exchange(&declared), 413, "payload_too_large");
    let chunk = format!("3e8\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", "x".repeat(1000));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}");
    assert_refused(&server.exchange(&chunked), 413, "payload_too_large");
}

#[test]
fn requests_that_take_too_long() {
    let limits = Limits {
        request_timeout: SOON,
        ..Limits::default()
    };
    let server = Server::start(limits);
    for (method, reason) in [("GET", "overloaded"), ("POST", "outcome_unknown")] {
        let close = "Host: a\r\nConnection: close\r\n";
        let answer = server.exchange(&format!("{method} /wait/60000 HTTP/1.1\r\n{close}\r\n"));
        assert_refused(&answer, 503, reason);
        assert!(answer.contains("retry-after: "), "{answer}");
    }
}

#[test]
fn an_unread_answer_gives_its_slot_back() {
    let limits = Limits {
        max_connections: 1,
        reserved_connections: 0,
        write_timeout: SOON,
        ..Limits::default()
    };
    let server = Server::start(limits);
    let started = Instant::now();
    let mut stalled = server.connect();
    stalled
        .write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    // Until it is answered it is silent, and would make room.
    stalled.peek(&mut [0]).unwrap();
    let mut next = server.connect();
    next.write_all(GET_PEER.as_bytes()).unwrap();
    let answer = read_one(&mut next);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(started.elapsed() >= SOON / 2, "{:?}", started.elapsed());
}

#[test]
fn a_trickle_does_not_hold_an_answer() {
    let limits = Limits {
        write_timeout: SOON,
        slowest_reader: 1 << 30,
        ..Limits::default()
    };
    let server = Server::start(limits);
    let mut client = server.connect();
    client
        .write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let (mut taken, mut some) = (0, vec![0; 256 * 1024]);
    // It always takes something, and would have all of it in the end.
    while let Ok(count @ 1..) = client.read(&mut some) {
        taken += count;
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(taken < 64 * 1024 * 1024, "{taken}");
}

#[test]
fn the_silent_make_room() {
    let limits = Limits {
        max_connections: 4,
        reserved_connections: 0,
        ..Limits::default()
    };
    let server = Server::start(limits);
    let mut silent: Vec<_> = (0..20).map(|_| server.connect()).collect();
    let mut next = server.connect();
    next.write_all(GET_PEER.as_bytes()).unwrap();
    assert!(read_one(&mut next).starts_with("HTTP/1.1 200 OK"));
    // The first of them has made room long ago.
    assert_eq!(read_to_end(&mut silent[0]), "");
}

#[test]
fn an_address_makes_room_itself() {
    let limits = Limits {
        max_connections_per_address: 3,
        ..Limits::default()
    };
    let server = Server::start(limits);
    let mut other = server.connect_from("127.0.0.2");
    other.write_all(GET_PEER.as_bytes()).unwrap();
    read_one(&mut other);
    let mut crowd: Vec<_> = (0..20).map(|_| server.connect()).collect();
    assert_eq!(read_to_end(&mut crowd[0]), "");
    other.write_all(GET_PEER.as_bytes()).unwrap();
    assert!(read_one(&mut other).starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn what_is_urgent_is_served_while_all_are_busy() {
    let limits = Limits {
        max_connections: 2,
        urgent: &["/peer"],
        ..Limits::default()
    };
    let server = Server::start(limits);
    let mut busy: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for client in &mut busy {
        // A body that never comes.
        let head =
            b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
        client.write_all(head).unwrap();
        assert!(read_one(client).starts_with("HTTP/1.1 100"));
    }
    let last = GET_PEER.replace("Host", "Connection: close\r\nHost");
    assert!(server.exchange(&last).starts_with("HTTP/1.1 200 OK"));
    let other = server.exchange("GET /wait/0 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(&other, 503, "overloaded");
    assert!(other.contains("retry-after: "), "{other}");
}

#[test]
fn behind_a_proxy_the_requests_of_an_address_have_a_share() {
    let limits = Limits {
        max_connections_per_address: 2,
        behind_proxy: true,
        urgent: &["/peer"],
        ..Limits::default()
    };
    let server = Server::start(limits);
    let forwarded = "Host: a\r\nX-Forwarded-For: 192.0.2.1\r\n";
    let mut busy: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for client in &mut busy {
        let head = format!(
            "POST /read HTTP/1.1\r\n{forwarded}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        );
        client.write_all(head.as_bytes()).unwrap();
        assert!(read_one(client).starts_with("HTTP/1.1 100"));
    }
    let get = |path: &str, who: &str| {
        server.exchange(&format!(
            "GET {path} HTTP/1.1\r\n{who}Connection: close\r\n\r\n"
        ))
    };
    assert_refused(&get("/wait/0", forwarded), 503, "overloaded");
    assert!(get("/peer", forwarded).starts_with("HTTP/1.1 200 OK"));
    let other = forwarded.replace("192.0.2.1", "192.0.2.2");
    assert!(get("/wait/0", &other).starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn a_big_answer_reaches_a_steady_reader() {
    let server = Server::start(Limits::default());
    let answer = server.exchange("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.len() > 64 * 1024 * 1024);
}

#[test]
fn shutdown_lets_requests_finish_and_closes_the_idle() {
    let mut server = Server::start(Limits::default());
    let mut idle = server.connect();
    idle.write_all(GET_PEER.as_bytes()).unwrap();
    read_one(&mut idle);
    let mut busy = server.connect();
    busy.write_all(b"GET /wait/600 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    std::thread::sleep(SOON);

    server.signal();
    assert_eq!(read_to_end(&mut idle), "");
    assert!(read_to_end(&mut busy).ends_with("waited"));
    let address = server.address;
    assert!(server.wait() < Duration::from_secs(10));
    assert!(Client::connect(address).is_err());
}

#[test]
fn the_grace_is_bounded() {
    let limits = Limits {
        shutdown_grace: SOON,
        ..Limits::default()
    };
    let mut server = Server::start(limits);
    let mut busy = server.connect();
    busy.write_all(b"GET /wait/60000 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    std::thread::sleep(SOON);
    server.signal();
    assert!(server.wait() < Duration::from_secs(10));
    assert_eq!(read_to_end(&mut busy), "");
}
