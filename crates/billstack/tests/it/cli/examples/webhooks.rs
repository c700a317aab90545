//! What we sign is verified by the official libraries of Standard Webhooks, and by the examples of the documentation.

use std::path::{Path, PathBuf};
use std::process::Command;

use billstack::clock::Clock;
use billstack::settings::SecretText;
use billstack::webhooks::out::{samples, signature};
use billstack_core::time::SECOND;
use billstack_core::webhook::types::Type;
use serde_json::json;

use super::super::finish;
use super::blocks;
use crate::support::{node, python};

/// An example of the documentation, as a program that judges as those of the libraries do.
const JUDGE_IN_NODE: &str = r#"
import { readFileSync } from "node:fs";
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const sent = JSON.parse(line);
  try {
    console.log(verify(sent, Buffer.from(sent.body), sent.secret).type);
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
}
"#;
const JUDGE_IN_PYTHON: &str = r#"
import sys
for line in sys.stdin:
    sent = json.loads(line)
    try:
        print(verify(sent, sent["body"].encode(), sent["secret"])["type"])
    except ValueError as error:
        print(f"refused: {error}")
"#;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standard-webhooks")
}

#[test]
fn the_library_of_python_verifies_what_we_send() {
    let mut command = Command::new(python::with("standard-webhooks", &directory()));
    command.arg(directory().join("verify.py"));
    assert_judged_right(command);
}

#[test]
fn the_library_of_node_verifies_what_we_send() {
    let mut command = Command::new("node");
    let modules = node::modules("standard-webhooks-of-node", &directory());
    command.arg(directory().join("verify.mjs")).arg(modules);
    assert_judged_right(command);
}

#[test]
fn the_example_in_node_verifies_what_we_send() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("verify.mjs");
    let example = &blocks("webhooks-out.md", "js")[0];
    std::fs::write(&file, format!("{example}{JUDGE_IN_NODE}")).expect("a file");
    let mut command = Command::new("node");
    command.arg(file);
    assert_judged_right(command);
}

#[test]
fn the_example_in_python_verifies_what_we_send() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("verify.py");
    let example = &blocks("webhooks-out.md", "python")[0];
    std::fs::write(&file, format!("{example}{JUDGE_IN_PYTHON}")).expect("a file");
    let mut command = Command::new(python::interpreter());
    command.arg(file);
    assert_judged_right(command);
}

/// Gives a program webhooks to judge, one on a line: of each type as it is sent, and with what must be refused.
pub(in crate::cli) fn assert_judged_right(command: Command) {
    let now = Clock::System.now_micros() / SECOND;
    let (new, old, other) = (
        signature::new_secret(),
        signature::new_secret(),
        signature::new_secret(),
    );
    let (mut input, mut expected) = (String::new(), Vec::new());
    let mut judge = |body: &str,
                     signed: &str,
                     at: i64,
                     by: &[&SecretText],
                     with: &SecretText,
                     verdict: &str| {
        let id = "evt_01kgv5r3mq7x2h9d4t8w6c0b1e";
        let signature = signature::sign(id, at, signed.as_bytes(), by.iter().copied());
        let line = json!({
            "webhook-id": id, "webhook-timestamp": at.to_string(), "webhook-signature": signature.expect("secrets"),
            "body": body, "secret": with.expose(),
        });
        input.push_str(&format!("{line}\n"));
        expected.push(verdict.to_owned());
    };
    for kind in Type::ALL {
        let body = samples::of(*kind);
        judge(body, body, now, &[&new], &new, kind.as_str());
        // While a secret is rotated, whoever has either verifies.
        for have in [&new, &old] {
            judge(body, body, now, &[&new, &old], have, kind.as_str());
        }
    }
    let body = samples::of(Type::ReferralConverted);
    let strange =
        json!({"type": "ping", "data": {"text": "Gr\u{fc}\u{df}e, \u{1f600}\r\n"}}).to_string();
    judge(&strange, &strange, now, &[&new], &new, "ping");
    judge(body, body, now, &[&new, &old], &other, "refused");
    judge(
        &body.replace("converted", "expired"),
        body,
        now,
        &[&new],
        &new,
        "refused",
    );
    judge(body, body, now - 600, &[&new], &new, "refused");
    judge(body, body, now + 600, &[&new], &new, "refused");
    let ran = finish(command, &input).ok();
    let verdicts: Vec<_> = ran
        .lines()
        .map(|line| line.split(':').next().unwrap_or_default())
        .collect();
    assert_eq!(verdicts, expected, "{ran}");
}
