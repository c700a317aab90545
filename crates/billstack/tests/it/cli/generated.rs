//! Requests made from the API document, some good and some bad: every answer is one that the document promises.
//!
//! `SEED` makes other requests than usual, `EXAMPLES` more of them.

use std::path::Path;
use std::process::Command;

use fake_stripe::FakeStripe;
use serde_json::{Value, json};

use super::{PASSWORD, Place, Server, finish};
use crate::support::python;

#[test]
fn generated_requests_get_answers_of_the_document() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let stripe = runtime.block_on(FakeStripe::start());
    let place = Place::new();
    let mut made: Value = serde_json::from_str(&place.init().ok()).expect("JSON");
    made["email"] = json!("ada@example.com");
    made["password"] = json!(PASSWORD);
    let mut serve = place.command(&["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off"]);
    serve.args(["--stripe-api-base", &stripe.base_url()]);
    serve.args(["--webhook-allowed-networks", "127.0.0.0/8"]);
    let server = Server::start(serve);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
    let mut run = Command::new(python::with("schemathesis", &directory));
    run.arg(directory.join("run.py"));
    run.arg(format!("http://{}", server.address));
    let ran = finish(run, &made.to_string());
    assert_eq!(ran.code(), Some(0), "{}\n{}", ran.out(), ran.err());
    // A run that tested nothing would be green as well.
    let tested = |text: &str| ran.out().matches(text).count();
    assert_eq!(tested("Tested:"), 3, "{}", ran.out());
    assert!(ran.out().contains("Fuzzing"), "{}", ran.out());
}
