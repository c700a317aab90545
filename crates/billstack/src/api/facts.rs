//! The facts of an event as they are told outside.

use billstack_core::event::Event;
use serde_json::Value;

use crate::clock::rfc3339;

/// What an event of this type was logged with; its times are told as all others are.
pub(super) fn told(kind: &str, facts: &str) -> Value {
    let mut facts: Value = serde_json::from_str(facts).unwrap_or_default();
    for (name, fact) in facts.as_object_mut().into_iter().flatten() {
        if Event::is_time(kind, name)
            && let Some(at) = fact.as_i64()
        {
            *fact = rfc3339(at).into();
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_told_as_everywhere_and_amounts_stay_numbers() {
        let facts = r#"{"amount":1797221749663886,"heldUntil":1797221749663886,"reason":null}"#;
        let wanted = json!({
            "amount": 1_797_221_749_663_886_i64, "heldUntil": "2026-12-14T04:15:49.663Z", "reason": null,
        });
        assert_eq!(told("credit.granted", facts), wanted);
        assert_eq!(
            told("credit.granted", r#"{"heldUntil":null}"#),
            json!({"heldUntil": null})
        );
        assert_eq!(told("credit.granted", "no JSON"), Value::Null);
    }
}
