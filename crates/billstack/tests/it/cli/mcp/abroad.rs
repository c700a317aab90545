//! The official client of another language, on standard input and output and over HTTP, by the protocol of today and the
//! one before.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::cli::{Place, Server, finish};
use crate::support::bench::Bench;
use crate::support::fixture::text;
use crate::support::python;

on_both_engines! {
    the_official_client_gets_along_with_it,
}

fn abroad(wanted: &Value) -> Value {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp");
    let mut run = Command::new(python::with("mcp", &directory));
    run.arg(directory.join("client.py"));
    let ran = finish(run, &wanted.to_string());
    serde_json::from_str(&ran.ok()).expect("JSON")
}

async fn the_official_client_gets_along_with_it(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    let (origin, key) = (&t.nodes[0].origin, &t.key.key);
    let place = Place::new();
    let listening = ["mcp", "--url", origin, "--listen", "127.0.0.1:0"];
    let server = Server::start(place.command(&listening));
    let calls = json!([
        ["list_projects", {}],
        ["find", {"text": pair.code}],
        ["explain_referral", {"referralId": referral}],
        ["customer", {"email": "a-referrer@example.com"}],
        ["what_is_owed", {}],
        ["program_performance", {"by": "week"}],
        ["stripe_events", {}],
        ["attention", {}],
        ["list_referrals", {}],
        ["list_credits", {}],
        ["list_codes", {}],
        ["month_report", {}],
        ["explain_referral", {"referralId": "ref_none"}],
        ["attention", {"unheardOf": 1}],
    ]);
    let mut told = Vec::new();
    for mode in ["legacy", "auto"] {
        let program = json!({
            "command": env!("CARGO_BIN_EXE_billstack"), "args": ["mcp", "--url", origin],
            "key": key, "mode": mode, "calls": calls,
        });
        let over_http = json!({
            "url": format!("http://{}/mcp", server.address), "key": key, "mode": mode, "calls": calls,
        });
        told.extend([abroad(&program), abroad(&over_http)]);
    }
    for one in &told {
        assert!(text(&one["instructions"]).contains("explain_referral"));
        let tools = one["tools"].as_array().expect("a list");
        assert!(tools.len() >= 12 && tools.iter().all(|tool| tool["inputSchema"].is_object()));
        let answers = one["answers"].as_array().expect("a list");
        let wrong: Vec<bool> = answers
            .iter()
            .map(|answer| answer["isError"] == json!(true))
            .collect();
        let expected: Vec<bool> = (0..14).map(|place| place >= 12).collect();
        assert_eq!(wrong, expected, "{one}");
        assert_eq!(answers[2]["structured"]["referral"]["id"], referral);
        assert_eq!(
            answers[12]["structured"]["error"]["reason"],
            "referral_not_found"
        );
        assert_eq!(answers[13]["structured"]["error"]["field"], "unheardOf");
    }
    // Whichever way it is asked, the answers are one; but for the ids of requests, and when was looked.
    let facts = |one: &Value| one["answers"][2]["structured"].clone();
    assert!(told.iter().all(|one| facts(one) == facts(&told[0])));
}
