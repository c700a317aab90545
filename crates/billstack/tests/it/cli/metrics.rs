//! What a server tells of itself before anything has happened: alert rules count on it.

mod boards;

use std::path::Path;
use std::time::{Duration, Instant};

use super::{PATIENCE, Place};

/// The names and kinds in the table of metrics that have no label, as the documentation lists them.
fn documented_without_labels() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operators/monitoring.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, kind, "", ..] = cells[..] else {
            return None;
        };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        let ours = name.starts_with("billstack_");
        ours.then(|| (name.to_owned(), kind.to_owned()))
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
    for (name, kind) in documented {
        // A histogram has no sample under its bare name, and the jobs of a server write too. A gauge shows what is.
        let samples = match kind.as_str() {
            "gauge" => [format!("{name} "), format!("{name} ")],
            _ => [format!("{name} 0"), format!("{name}_count ")],
        };
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

/// The value of a sample.
fn value(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample));
    let value = line.unwrap_or_else(|| panic!("{sample} is missing in:\n{metrics}"));
    value.trim().parse().expect("a number")
}

#[test]
fn a_server_says_what_it_is_and_what_it_takes() {
    let place = Place::new();
    let server = place.serve();
    let begin = Instant::now();
    let mut metrics = server.get("/metrics");
    while value(&metrics, "billstack_database_bytes") == 0.0 && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
        metrics = server.get("/metrics");
    }
    let version = env!("CARGO_PKG_VERSION");
    let info = metrics
        .lines()
        .find(|line| line.starts_with("billstack_build_info{"));
    let info = info.unwrap_or_else(|| panic!("{metrics}"));
    assert!(info.contains(&format!("version=\"{version}\"")), "{info}");
    assert!(
        info.contains("engine=\"sqlite\"") && info.contains("schema=\""),
        "{info}"
    );
    assert!(value(&metrics, "billstack_database_bytes") > 4096.0);
    assert!(value(&metrics, "billstack_stripe_last_event_age_seconds") < 60.0);
    assert!(value(&metrics, "process_resident_memory_bytes") > 1e6);
    assert!(value(&metrics, "process_open_fds") > 3.0);
    assert!(value(&metrics, "process_max_fds") > 3.0);
    assert!(value(&metrics, "process_start_time_seconds") > 1.7e9);
    assert!(value(&metrics, "process_cpu_seconds_total") >= 0.0);
}
