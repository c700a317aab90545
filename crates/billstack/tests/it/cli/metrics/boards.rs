//! The board and the alert rules that we ship: they ask for metrics that there are, in words that Prometheus reads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::super::Place;

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(file(path)).expect("the file")
}

/// The queries of the rules, in their order.
fn rules() -> Vec<String> {
    let text = read("deploy/alerts.yml");
    let lines = text.lines();
    lines
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .map(str::to_owned)
        .collect()
}

/// The queries of the board, with its variables filled in.
fn queries() -> Vec<String> {
    let board: Value = serde_json::from_str(&read("deploy/grafana.json")).expect("a board");
    let panels = board["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let queries = targets.map(|target| target["expr"].as_str().expect("a query"));
    queries
        .map(|query| {
            query
                .replace("$__rate_interval", "5m")
                .replace("$instance", ".*")
        })
        .collect()
}

/// The metrics that a query names.
fn named(query: &str) -> BTreeSet<&str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("billstack_") || word.starts_with("process_"))
        .collect()
}

#[test]
fn board_and_rules_ask_for_metrics_that_there_are() {
    let place = Place::new();
    let server = place.serve();
    // Routes are counted once they were called.
    server.get("/readyz");
    let metrics = server.get("/metrics");
    let kinds = metrics.lines().filter_map(|line| {
        let mut words = line.strip_prefix("# TYPE ")?.split(' ');
        Some((words.next()?, words.next()?))
    });
    let mut there = BTreeSet::new();
    for (name, kind) in kinds {
        there.insert(name.to_owned());
        if kind == "histogram" {
            there.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}")));
        }
    }
    let (rules, queries) = (rules(), queries());
    assert!(rules.len() > 5 && queries.len() > 15);
    for query in rules.iter().chain(&queries) {
        let names = named(query);
        assert!(!names.is_empty(), "{query}");
        for name in names {
            assert!(
                there.contains(name),
                "{name} of `{query}` is missing in:\n{metrics}"
            );
        }
    }
}

#[test]
fn the_rules_are_those_of_the_page() {
    let page = read("docs/operators/monitoring.md");
    let section = page.split("## When to wake somebody").nth(1).expect("it");
    let section = section.split("Worth a look").next().expect("its table");
    let cells = section.lines().filter_map(|row| row.split('|').nth(2));
    let told = cells.filter_map(|cell| cell.split('`').nth(1));
    let told: Vec<_> = told.filter(|query| !named(query).is_empty()).collect();
    assert_eq!(rules(), told);
}

#[test]
fn prometheus_reads_the_rules_and_the_queries() {
    // A board has no checker of its own, so its queries are checked as rules.
    let board = queries().into_iter().enumerate().map(|(number, query)| {
        format!(
            "      - record: board:{number}\n        expr: {}\n",
            Value::from(query)
        )
    });
    let board = format!(
        "groups:\n  - name: board\n    rules:\n{}",
        board.collect::<String>()
    );
    let folder = tempfile::tempdir().expect("a folder");
    let of_board = folder.path().join("board.yml");
    std::fs::write(&of_board, board).expect("a file");
    for rules in [file("deploy/alerts.yml"), of_board] {
        let checked = Command::new("promtool")
            .args(["check", "rules"])
            .arg(&rules)
            .output()
            .expect("promtool (Debian: prometheus)");
        let told = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{told}");
    }
}
