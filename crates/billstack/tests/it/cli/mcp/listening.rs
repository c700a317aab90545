//! The tools over HTTP: by the key of each request, and by nobody else.

use billstack_core::access::{Scope, format_api_key};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use super::hello;
use crate::cli::{Place, Server};
use crate::support::bench::Bench;
use crate::support::client::http;

on_both_engines! {
    each_request_has_the_rights_of_its_own_key,
}

/// The program, listening.
struct Listener {
    /// Where it runs, as long as it does.
    _place: Place,
    server: Server,
    http: Client,
}

impl Listener {
    fn new(url: &str, args: &[&str]) -> Listener {
        let listening = ["mcp", "--url", url, "--listen", "127.0.0.1:0"];
        let place = Place::new();
        let command = place.command(&[&listening[..], args].concat());
        Listener {
            _place: place,
            server: Server::start(command),
            http: http().build().expect("a client"),
        }
    }

    fn request(&self, key: Option<&str>, message: &Value) -> RequestBuilder {
        let url = format!("http://{}/mcp", self.server.address);
        let request = self.http.post(url).json(message);
        let request = request.header("accept", "application/json, text/event-stream");
        match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    async fn call(&self, key: &str, tool: &str, arguments: Value) -> Value {
        let answer = self
            .request(Some(key), &called(tool, &arguments))
            .send()
            .await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200);
        let mut answer: Value = answer.json().await.expect("JSON");
        answer["result"]["structuredContent"].take()
    }
}

fn called(tool: &str, arguments: &Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    })
}

async fn each_request_has_the_rights_of_its_own_key(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let stranger = t.tenant("stranger").await;
    let (_, little) = t.key(None, &[Scope::CustomersRead], None).await;
    let listener = Listener::new(&t.nodes[0].origin, &[]);
    let asked = json!({"referralId": referral});
    let own = listener.call(&t.key.key, "explain_referral", asked.clone());
    let other = listener.call(&stranger.key.key, "explain_referral", asked.clone());
    let lacking = listener.call(&little.key, "explain_referral", asked);
    let (own, other, lacking) = tokio::join!(own, other, lacking);
    assert_eq!(own["referral"]["id"], referral);
    assert_eq!(other["error"]["reason"], "referral_not_found");
    assert_eq!(lacking["error"]["reason"], "insufficient_scope");
    let unknown = format_api_key([9; 20]);
    let nobody = listener
        .call(&unknown, "find", json!({"text": pair.code}))
        .await;
    assert_eq!(nobody["error"]["reason"], "invalid_api_key");
    let write = called("create_code", &json!({"customerId": pair.referee}));
    let answer = listener.request(Some(&t.key.key), &write).send().await;
    let answer: Value = answer.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

fn key() -> String {
    format_api_key([7; 20])
}

fn first() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello()})
}

async fn refused(request: RequestBuilder, status: u16) -> Response {
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), status, "{answer:?}");
    answer
}

#[tokio::test]
async fn nobody_without_a_key_is_let_in() {
    let listener = Listener::new("http://127.0.0.1:9", &[]);
    for key in [None, Some("bs_wrong")] {
        let answer = refused(listener.request(key, &first()), 401).await;
        let how = answer.headers()["www-authenticate"]
            .to_str()
            .expect("ASCII");
        assert!(how.starts_with("Bearer"), "{how}");
    }
    let answer = refused(listener.request(Some(&key()), &first()), 200).await;
    assert!(
        !answer.headers().contains_key("mcp-session-id"),
        "nothing is kept"
    );
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(answer["result"]["serverInfo"]["name"], "billstack");
    // A server that is down is told in the answer.
    let told = listener.call(&key(), "attention", json!({})).await;
    assert_eq!(told["error"]["reason"], "unreachable");
}

/// A page of another site reaches this machine by a name of its own, or says where it is from.
#[tokio::test]
async fn pages_of_other_sites_are_kept_out() {
    let listener = Listener::new("http://127.0.0.1:9", &["--allow-host", "mcp.example.com"]);
    let port = listener
        .server
        .address
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let with = |name: &str, value: &str| {
        let request = listener.request(Some(&key()), &first());
        request.header(name, value)
    };
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "mcp.example.com.evil.example",
    ] {
        let told = refused(with("host", host), 403).await.text().await;
        let told = told.expect("a text");
        assert!(told.contains("--allow-host"), "{told}");
    }
    for host in [&format!("localhost:{port}"), "mcp.example.com", "[::1]"] {
        refused(with("host", host), 200).await;
    }
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
    ] {
        refused(with("origin", origin), 403).await;
    }
    for origin in ["http://localhost:3000", "https://mcp.example.com"] {
        refused(with("origin", origin), 200).await;
    }
}

#[tokio::test]
async fn what_a_request_holds_is_bounded() {
    let listener = Listener::new("http://127.0.0.1:9", &[]);
    let large = called("find", &json!({"text": "x".repeat(300 * 1024)}));
    refused(listener.request(Some(&key()), &large), 413).await;
    for body in ["{", "[]", "7", "{}"] {
        refused(listener.request(Some(&key()), &first()).body(body), 400).await;
    }
    let url = format!("http://{}/mcp", listener.server.address);
    refused(listener.http.get(&url).bearer_auth(key()), 405).await;
    let elsewhere = format!("http://{}/other", listener.server.address);
    refused(listener.http.post(elsewhere).bearer_auth(key()), 404).await;
}

#[test]
fn it_listens_to_other_machines_only_when_told_to() {
    let place = Place::new();
    let run = |address: &str| {
        let args = ["mcp", "--url", "http://127.0.0.1:9", "--listen", address];
        place.run(&args).refused(2)
    };
    let said = run("0.0.0.0:0");
    assert!(said.contains("--beyond-loopback"), "{said}");
    // A variable of the server is none of this program, which then wants a key of its own.
    let mut command = place.command(&["mcp", "--url", "http://127.0.0.1:9"]);
    command.env("BILLSTACK_LISTEN", "127.0.0.1:0");
    let said = crate::cli::finish(command, "").refused(2);
    assert!(said.contains("it needs an API key"), "{said}");
    assert!(run("nowhere").contains("listen"));
}
