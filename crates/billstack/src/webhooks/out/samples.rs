//! A sample of each type, for those who build a receiver and for trying an endpoint.
//!
//! They are what the service told of events that really happened, with other ids and times; a test makes them anew
//! and compares.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use billstack_core::time::Micros;
use billstack_core::webhook::types::Type;
use billstack_store::Place;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::clock::rfc3339;

const TEXT: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/integrators/webhooks-out.json"
));

static SAMPLES: LazyLock<BTreeMap<&'static str, &'static RawValue>> =
    LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// The sample of a type, as JSON.
pub fn of(kind: Type) -> &'static str {
    let sample = kind.known().and_then(|kind| SAMPLES.get(kind));
    sample.map_or("{}", |sample| sample.get())
}

/// What is sent to try an endpoint: the sample of a type as if it had happened now and there, and marked as a test.
pub fn test(kind: Type, place: &Place, id: &str, now: Micros) -> String {
    let mut sample: Map<String, Value> = serde_json::from_str(of(kind)).unwrap_or_default();
    for (name, value) in [
        ("id", json!(id)),
        ("timestamp", json!(rfc3339(now.0))),
        ("teamId", json!(place.team_id.to_string())),
        ("projectId", json!(place.project_id.to_string())),
        ("test", json!(true)),
    ] {
        sample.insert(name.to_owned(), value);
    }
    Value::Object(sample).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_of_each_type_and_no_other() {
        let there: Vec<_> = SAMPLES.keys().copied().collect();
        let types: Vec<_> = Type::ALL.iter().map(Type::as_str).collect();
        assert_eq!(there, types);
        for kind in Type::ALL {
            let sample: Value = serde_json::from_str(of(*kind)).expect("JSON");
            assert_eq!(sample["type"], kind.as_str());
            assert!(sample["data"].is_object(), "{kind}");
        }
    }

    #[test]
    fn what_is_sent_to_try_an_endpoint_says_so() {
        let place = Place::new("team_1", "proj_1");
        for kind in Type::ALL {
            let text = test(*kind, &place, "evt_1", Micros(0));
            let sent: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(
                (&sent["type"], &sent["test"], &sent["id"]),
                (&json!(kind.as_str()), &json!(true), &json!("evt_1"))
            );
            assert_eq!(sent["projectId"], "proj_1");
        }
    }
}
