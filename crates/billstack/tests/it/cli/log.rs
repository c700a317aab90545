//! What the log of a server says.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{INIT, PASSWORD, Place, Server};

/// The lines that a server logs, as JSON, while these paths are asked for with a key.
fn lines(place: &Place, key: &str, paths: &[&str]) -> Vec<Value> {
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("BILLSTACK_LOG_FORMAT", "json")
        .stderr(Stdio::piped());
    let mut server = Server::start_as_it_is(command);
    let log = server.child.stderr.take().expect("a pipe");
    for path in paths {
        server.get_with(path, &format!("Authorization: Bearer {key}\r\n"));
    }
    assert_eq!(server.stop("-TERM"), Some(0));
    let log = std::io::read_to_string(log).expect("UTF-8");
    assert!(!log.contains(".rs"), "{log}");
    assert!(!log.contains(key), "{log}");
    log.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn the_log_says_what_runs_who_asks_and_why_not() {
    let place = Place::new();
    let made = place.run_with(&INIT, PASSWORD).ok();
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let text = |name: &str| made[name].as_str().expect("a text");
    let (team, project) = (text("teamId"), text("projectId"));
    let base = format!("/api/billstack/teams/{team}/projects/{project}");
    let [fine, missing, odd] = ["customers", "customers/none", "customers?colour=blue"]
        .map(|rest| format!("{base}/{rest}"));
    let other = "/api/billstack/teams/ada@example.com/projects/x/customers";
    let paths = [
        "/healthz", "/readyz", "/metrics", &fine, &missing, &odd, other, "/none",
    ];
    let log = lines(&place, text("apiKey"), &paths);

    let started = &log[0];
    assert_eq!(started["message"], "started");
    assert_eq!(started["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&started["engine"], &started["schema"]),
        (&"sqlite".into(), &1.into())
    );
    for name in ["address", "base_url"] {
        let url = started[name].as_str().expect("a text");
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    }
    assert!(
        started["database"]
            .as_str()
            .expect("a text")
            .ends_with("billstack.db")
    );

    let answered: Vec<_> = log
        .iter()
        .filter(|line| line["message"] == "answered")
        .collect();
    let [fine, missing, odd, other, none] = answered[..] else {
        panic!("the checks of machines have no line: {answered:?}");
    };
    for line in [fine, missing, odd] {
        assert_eq!(
            (&line["team"], &line["project"]),
            (&team.into(), &project.into())
        );
        let caller = line["caller"].as_str().expect("a text");
        assert!(caller.starts_with("api_key:key_"), "{line}");
        assert!(line["span"]["request_id"].is_string());
    }
    assert_eq!((&fine["status"], fine.get("reason")), (&200.into(), None));
    assert_eq!(missing["reason"], "customer_not_found");
    assert_eq!(odd["reason"], "unknown_parameter");
    // Whoever is not let in is not known, and what is no id is not written down.
    assert_eq!(
        (other.get("team"), &other["reason"]),
        (None, &"forbidden".into())
    );
    assert_eq!(
        (&none["route"], &none["reason"]),
        (&"unmatched".into(), &"not_found".into())
    );
}

/// What a call with a key and a body answers, as JSON.
fn post(server: &Server, path: &str, key: &str, body: &Value) -> Value {
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    let (host, body) = (&server.address, body.to_string());
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn no_line_holds_what_lets_a_customer_in() {
    let place = Place::new();
    let made = place.run_with(&INIT, PASSWORD).ok();
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let text = |name: &str| made[name].as_str().expect("a text");
    let (team, project, key) = (text("teamId"), text("projectId"), text("apiKey"));
    let base = format!("/api/billstack/teams/{team}/projects/{project}");
    let mut server = place.serve();
    let customer = json!({"email": "ada@example.com"});
    let customer = post(&server, &format!("{base}/customers"), key, &customer);
    let id = customer["customer"]["id"].as_str().expect("an id");
    let sessions = format!("{base}/customers/{id}/portal-sessions");
    let session = post(&server, &sessions, key, &json!({}));
    assert_eq!(server.stop("-TERM"), Some(0));
    let session = &session["portalSession"];
    let token = session["token"].as_str().expect("a token");
    let url = session["url"].as_str().expect("a way in");
    let (_, ticket) = url.split_once("/portal/enter/").expect("a ticket");
    let enter = format!("/portal/enter/{ticket}");
    let frame = format!("/embed/{team}/{project}");
    let log = lines(
        &place,
        token,
        &["/portal/view", "/api/portal/me", &enter, &frame],
    );
    let log: Vec<String> = log.iter().map(Value::to_string).collect();
    let answered = log.iter().filter(|line| line.contains("\"answered\""));
    assert_eq!(answered.count(), 4, "{log:?}");
    let (_, secret) = ticket.split_once('.').expect("a secret");
    assert!(!log.iter().any(|line| line.contains(secret)), "{log:?}");
    assert!(
        log.iter()
            .any(|line| line.contains("/portal/view") && line.contains("200"))
    );
}
