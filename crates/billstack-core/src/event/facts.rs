//! Reading the log.

use serde_json::Value;

use super::Event;

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

impl Event<'_> {
    /// Whether a member of what an event of this type serialises as is a time, in microseconds since 1970.
    pub fn is_time(kind: &str, member: &str) -> bool {
        Event::MEMBERS.iter().any(|[of, name, declared]| {
            *of == kind && declared.contains("Micros") && camel(name).eq(member.chars())
        })
    }
}

/// A name with a capital letter in place of each underscore.
fn camel(name: &str) -> impl Iterator<Item = char> {
    let mut is_after = false;
    name.chars().filter_map(move |c| {
        if c == '_' {
            is_after = true;
            return None;
        }
        let begins = std::mem::take(&mut is_after);
        Some(if begins { c.to_ascii_uppercase() } else { c })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_as_a_time_is_one() {
        for (kind, member) in [
            ("credit.granted", "heldUntil"),
            ("api_key.created", "expiresAt"),
            ("attention.dismissed", "until"),
            ("project.clock_advanced", "from"),
            ("project.clock_advanced", "to"),
        ] {
            assert!(Event::is_time(kind, member), "{kind} {member}");
        }
        for (kind, member) in [
            ("credit.granted", "amount"),
            ("credit.granted", "held_until"),
            ("credit.reversed", "heldUntil"),
            ("member.role_changed", "from"),
        ] {
            assert!(!Event::is_time(kind, member), "{kind} {member}");
        }
    }
}
