//! Reading the log.

use serde_json::Value;

/// The facts of an event, read back from the log.
pub struct Facts(Value);

impl Facts {
    /// Reads what an event serialised as; what cannot be read tells nothing.
    pub fn read(text: &str) -> Facts {
        Facts(serde_json::from_str(text).unwrap_or_default())
    }

    /// The number that a member has.
    pub fn number(&self, member: &str) -> Option<i64> {
        self.0.get(member)?.as_i64()
    }

    /// The text that a member has.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str()
    }

    /// Whether a member has this value.
    pub fn tell(&self, member: &str, value: impl Into<Value>) -> bool {
        self.0.get(member) == Some(&value.into())
    }
}
