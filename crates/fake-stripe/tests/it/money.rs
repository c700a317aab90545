//! What happens to money without a call.

mod disputes;
mod invoices;
mod notes;
mod refunds;
mod shapes;

use fake_stripe::{FakeStripe, Generation};
use serde_json::Value;

/// The kinds of the events told since the last look.
fn kinds(fake: &FakeStripe, generation: Generation) -> Vec<String> {
    let events = fake.take_events(generation);
    let kinds = events.iter().map(|event| event["type"].as_str());
    kinds.flatten().map(str::to_owned).collect()
}

/// What there is to tell is told, so that a test sees what comes next.
fn forget(fake: &FakeStripe) {
    fake.take_events(Generation::Endive);
}

/// The last event of a kind, with everything told before it taken as well.
fn last(fake: &FakeStripe, kind: &str, generation: Generation) -> Value {
    let events = fake.take_events(generation).into_iter().rev();
    let mut found = events.filter(|event| event["type"] == kind);
    found.next().unwrap_or_else(|| panic!("no {kind}"))
}
