//! What a server tells of itself before anything has happened: alert rules count on it.

use std::path::Path;

use super::Place;

/// The names in the table of metrics that have no label, as the documentation lists them.
fn documented_without_labels() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operators/monitoring.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, _, "", ..] = cells[..] else {
            return None;
        };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        name.starts_with("billstack_").then(|| name.to_owned())
    });
    rows.collect()
}

#[test]
fn what_alert_rules_watch_is_there_before_it_first_happens() {
    let place = Place::new();
    let server = place.serve();
    let mut metrics = server.get("/metrics");
    // The workers of a server write too, and such a write may be queued at this very moment.
    for _ in 0..50 {
        if metrics.contains("billstack_write_queue_depth 0") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        metrics = server.get("/metrics");
    }
    let documented = documented_without_labels();
    assert!(documented.len() >= 5, "{documented:?}");
    for name in documented {
        // A histogram has no sample under its bare name, and the jobs of a server write too.
        let samples = [format!("{name} 0"), format!("{name}_count ")];
        let is_sample = |line: &str| samples.iter().any(|sample| line.starts_with(sample));
        let is_there = metrics.lines().any(is_sample);
        assert!(is_there, "{name} is missing in:\n{metrics}");
    }
    let route = "method=\"POST\",route=\"/api/webhooks/stripe/{teamId}\"";
    let failures = ["500", "502", "503"]
        .map(|status| format!("billstack_http_requests_total{{{route},status=\"{status}\"}} 0"));
    let outcomes = ["invalid_signature", "error", "failed", "ambiguous"]
        .map(|outcome| format!("billstack_webhook_events_total{{outcome=\"{outcome}\"}} 0"));
    for wanted in failures.iter().chain(&outcomes) {
        let is_there = metrics.lines().any(|line| line == wanted);
        assert!(is_there, "{wanted} is missing in:\n{metrics}");
    }
}
