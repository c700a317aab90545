//! How much memory clients can make the server hold.

use std::fs::read_to_string;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{PATIENCE, Place, Server};

/// As one answer they would take 15 megabytes.
const CUSTOMERS: usize = 1000;
const METADATA: usize = 15_000;

/// What a hundred and more clients may add to the memory of the server. It held two gigabytes for them.
const BOUND_KB: u64 = 128 * 1024;

#[test]
fn clients_that_do_not_read_hold_little_memory() {
    let place = Place::new();
    let init: Value = serde_json::from_str(&place.init().ok()).expect("one JSON object");
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BILLSTACK_RATE_LIMIT", "off");
    let server = Server::start(command);
    let text = |name: &str| init[name].as_str().expect("a text");
    let (team, project) = (text("teamId"), text("projectId"));
    let list = format!("/api/billstack/teams/{team}/projects/{project}/customers");
    let auth = format!("Authorization: Bearer {}\r\n", text("apiKey"));
    make_customers(&server, &list, &auth);

    let before = resident_kb(&server);
    let request = format!("GET {list}?limit=1000 HTTP/1.1\r\nHost: a\r\n{auth}\r\n");
    let mut deaf: Vec<_> = (0..130)
        .map(|_| TcpStream::connect(&server.address).expect("a connection"))
        .collect();
    for client in &mut deaf {
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        client.write_all(request.as_bytes()).expect("sent");
    }
    for client in &deaf {
        // The first bytes are there: the answer has been made.
        client.peek(&mut [0]).expect("an answer");
    }
    let during = resident_kb(&server);
    println!("VmRSS: {before} kB before, {during} kB with 130 clients that do not read");
    assert!(during < before + BOUND_KB, "{before} kB, then {during} kB");

    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    let one = server.get_with(&format!("{list}?limit=1"), &auth);
    assert!(one.starts_with("HTTP/1.1 200"), "{one}");
}

/// Makes them on one connection.
fn make_customers(server: &Server, list: &str, auth: &str) {
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    for number in 0..CUSTOMERS {
        let large = vec!["x".repeat(500); METADATA / 500];
        let metadata: serde_json::Map<_, _> = (0..).zip(large).map(entry).collect();
        let email = format!("{number}@example.com");
        let body = json!({"email": email, "metadata": metadata}).to_string();
        let length = body.len();
        let head = format!(
            "POST {list} HTTP/1.1\r\nHost: a\r\n{auth}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + &body).as_bytes()).expect("sent");
        let mut answer = vec![0; 64 * 1024];
        let mut count = 0;
        while !answer[..count].ends_with(b"}}") {
            let more = stream.read(&mut answer[count..]).expect("an answer");
            assert!(more > 0, "{}", String::from_utf8_lossy(&answer[..count]));
            count += more;
        }
        assert!(answer.starts_with(b"HTTP/1.1 201"));
    }
}

fn entry((number, text): (usize, String)) -> (String, Value) {
    (format!("k{number}"), Value::String(text))
}

/// The memory of the process, in kilobytes, as Linux tells.
fn resident_kb(server: &Server) -> u64 {
    let status = read_to_string(format!("/proc/{}/status", server.child.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a number")
}
