//! `billstack mcp`: the program as clients start it, against a server.

mod abroad;
mod bounds;
mod listening;
mod reading;
mod rights;
mod writing;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::Receiver;

use serde_json::{Value, json};

use super::{PATIENCE, Place, lines_of};
use crate::support::bench::Bench;

/// What a client says first.
pub(super) fn hello() -> Value {
    json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    })
}

/// A program that was started by a client, and the talk with it.
struct Talk {
    /// Where it runs, as long as it does.
    _place: Place,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    asked: u64,
    /// What it said at the beginning.
    begun: Value,
}

impl Talk {
    /// With a key, against the server of the bench.
    fn new(t: &Bench, key: &str, args: &[&str]) -> Talk {
        Talk::with(&t.nodes[0].origin, key, args)
    }

    fn with(url: &str, key: &str, args: &[&str]) -> Talk {
        let place = Place::new();
        let mut command = place.command(&[&["mcp", "--url", url], args].concat());
        command.env("BILLSTACK_API_KEY", key);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut talk = Talk {
            _place: place,
            stdin: child.stdin.take(),
            lines: lines_of(child.stdout.take().expect("a pipe")),
            child,
            asked: 0,
            begun: Value::Null,
        };
        talk.begun = talk.ask("initialize", hello())["result"].take();
        talk.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        talk
    }

    fn say(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().expect("it is open");
        writeln!(stdin, "{message}").expect("it reads");
    }

    /// Asks something, and answers the whole answer. Nothing but the protocol is ever on standard output.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let line = self.lines.recv_timeout(PATIENCE).expect("an answer");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(answer["id"], id, "{answer}");
        assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
        answer
    }

    fn tools(&mut self) -> Vec<Value> {
        let mut answer = self.ask("tools/list", json!({}));
        match answer["result"]["tools"].take() {
            Value::Array(tools) => tools,
            _ => panic!("{answer}"),
        }
    }

    /// Calls a tool.
    fn call(&mut self, name: &str, arguments: Value) -> Value {
        let mut answer = self.ask("tools/call", json!({"name": name, "arguments": arguments}));
        let result = answer["result"].take();
        assert!(result.is_object(), "{answer}");
        // What clients get that know no objects, unless it is too long to be told twice.
        let text = result["content"][1]["text"].as_str().expect("a text");
        match serde_json::from_str::<Value>(text) {
            Ok(again) => assert_eq!(again, result["structuredContent"]),
            Err(_) => assert!(text.contains("`structuredContent`"), "{text}"),
        }
        result
    }

    /// What a tool answers.
    #[track_caller]
    fn ok(&mut self, name: &str, arguments: Value) -> Value {
        let mut result = self.call(name, arguments);
        assert_eq!(result["isError"], json!(false), "{result}");
        result["structuredContent"].take()
    }

    /// Why a tool has no answer.
    #[track_caller]
    fn refused(&mut self, name: &str, arguments: Value, reason: &str) -> Value {
        let mut result = self.call(name, arguments);
        assert_eq!(result["isError"], json!(true), "{result}");
        let error = result["structuredContent"]["error"].take();
        assert_eq!(error["reason"], reason, "{error}");
        let message = error["message"].as_str().expect("a sentence");
        assert_eq!(result["content"][0]["text"], message);
        error
    }

    /// Closes the input, waits for the end, and answers what it said besides.
    fn end(mut self) -> String {
        drop(self.stdin.take());
        let mut said = String::new();
        let mut stderr = BufReader::new(self.child.stderr.take().expect("a pipe"));
        while stderr.read_line(&mut said).expect("UTF-8") > 0 {}
        let status = self.child.wait().expect("an end");
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(self.lines.recv().is_err(), "it said more than it was asked");
        said
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer without what is said of amounts in whole units.
fn as_the_api(mut value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.remove("decimal");
                object.values_mut().for_each(strip);
            }
            Value::Array(all) => all.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}
