//! The settings of a program as people call them, whether they stand in the log or are only wished for.

use billstack_core::event::ProgramFacts;
use billstack_core::money::Currency;
use billstack_core::program::Program;
use serde_json::{Map, Value};

/// Each setting by its name in the log, in the order of the form.
pub(super) const NAMES: [(&str, &str); 17] = [
    ("enabled", "Codes can be applied"),
    ("referrerCreditAmount", "Who refers gets"),
    ("refereeCreditAmount", "Who is new gets"),
    ("currency", "Currency"),
    ("conversionTrigger", "A referral converts"),
    ("excludeTrials", "Trials"),
    ("minimumPaidAmount", "The invoice brings at least"),
    ("referralExpiryDays", "Days until waiting ends"),
    ("creditDelivery", "Credits are given"),
    ("creditDescription", "Beside a credit in Stripe stands"),
    ("holdDays", "Days that a credit is held"),
    ("clawback", "A lost payment takes credits back"),
    ("clawbackWindowDays", "Days after the conversion"),
    ("clawbackApplied", "Of what is in Stripe's balance"),
    ("maxConversionsTotal", "Paid conversions a referrer"),
    ("maxConversionsPerMonth", "The same, in a month"),
    ("budget", "Budget"),
];

/// What a setting is called.
pub(super) fn label(name: &str) -> &'static str {
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, label)| label)
}

/// The words of the API in words of people.
pub(super) const TRIGGERS: [(&str, &str); 2] = [
    ("subscription_created", "when the friend subscribes"),
    ("first_paid_invoice", "when the friend first pays"),
];
pub(super) const DELIVERIES: [(&str, &str); 2] = [
    ("ledger", "in the books; you give them"),
    ("stripe_balance", "into the balance in Stripe"),
];
pub(super) const CLAWBACKS: [(&str, &str); 3] = [
    ("none", "never"),
    ("within_hold", "while they are held"),
    ("always", "for a number of days"),
];
pub(super) const APPLIED: [(&str, &str); 2] = [
    ("unused_only", "only what was not used"),
    ("always", "all; what was used is a debt"),
];

/// What people call a word of the API.
pub(super) fn word<'w>(name: &str, known: &'w str) -> &'w str {
    let words: &[(&str, &'static str)] = match name {
        "conversionTrigger" => &TRIGGERS,
        "creditDelivery" => &DELIVERIES,
        "clawback" => &CLAWBACKS,
        "clawbackApplied" => &APPLIED,
        _ => &[],
    };
    let found = words.iter().find(|(word, _)| *word == known);
    found.map_or(known, |(_, text)| text)
}

/// The facts of a program as the log would tell them.
pub(super) fn facts(program: &Program) -> Map<String, Value> {
    match serde_json::to_value(ProgramFacts::from(program)) {
        Ok(Value::Object(facts)) => facts,
        _ => Map::new(),
    }
}

/// A setting that differs: what it is called, what it was, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Differs {
    pub(super) label: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

/// All that differs.
pub(super) fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Differs> {
    let differs = NAMES.iter().map(|(name, label)| Differs {
        label,
        before: told(before, name),
        after: told(after, name),
    });
    differs
        .filter(|found| found.before != found.after)
        .collect()
}

/// A setting as people say it.
fn told(facts: &Map<String, Value>, name: &str) -> String {
    let value = facts.get(name).unwrap_or(&Value::Null);
    let text = value.as_str().unwrap_or_default();
    match name {
        "referrerCreditAmount" | "refereeCreditAmount" | "minimumPaidAmount" | "budget" => {
            amount(facts, value)
        }
        "enabled" if value == true => "yes".to_owned(),
        "enabled" => "no".to_owned(),
        "excludeTrials" if value == true => "do not count until they are over".to_owned(),
        "excludeTrials" => "count like any subscription".to_owned(),
        "currency" => text.to_ascii_uppercase(),
        "conversionTrigger" | "creditDelivery" | "clawback" | "clawbackApplied" => {
            word(name, text).to_owned()
        }
        "referralExpiryDays" if value.is_null() => "never".to_owned(),
        "maxConversionsTotal" | "maxConversionsPerMonth" if value.is_null() => {
            "no limit".to_owned()
        }
        _ => match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        },
    }
}

fn amount(facts: &Map<String, Value>, value: &Value) -> String {
    let currency = facts.get("currency").and_then(Value::as_str);
    match (value.as_i64(), currency.and_then(Currency::read)) {
        (Some(units), Some(currency)) => currency.text(units),
        (Some(units), None) => units.to_string(),
        (None, _) => "no limit".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_of_a_program_has_a_name() {
        let facts = facts(&Program::default());
        let names: std::collections::BTreeSet<_> = NAMES.iter().map(|(name, _)| *name).collect();
        let known: std::collections::BTreeSet<_> = facts.keys().map(String::as_str).collect();
        assert_eq!(names, known);
    }

    #[test]
    fn what_differs_is_told_in_words() {
        let before = facts(&Program::default());
        let mut after = Program {
            enabled: true,
            budget: Some(5_000),
            ..Program::default()
        };
        after.terms.hold_days = 14;
        after.terms.referral_expiry_days = Some(90);
        let after = facts(&after);
        let shown: Vec<_> = differences(&before, &after)
            .into_iter()
            .map(|found| (found.label, found.before, found.after))
            .collect();
        let owned = |label, before: &str, after: &str| (label, before.to_owned(), after.to_owned());
        assert_eq!(
            shown,
            [
                owned("Codes can be applied", "no", "yes"),
                owned("Days until waiting ends", "never", "90"),
                owned("Days that a credit is held", "0", "14"),
                owned("Budget", "no limit", "50.00 USD"),
            ]
        );
        assert_eq!(differences(&after, &after), []);
    }
}
