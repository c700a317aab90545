//! What a tool may be told: named once, for its schema and for what is let through.

use billstack_core::time::Micros;
use serde_json::{Map, Value, json};

use super::trouble::Trouble;

/// The arguments of a call, as they were sent.
pub(super) type Sent = Map<String, Value>;

/// An argument of a tool.
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    pub(super) description: &'static str,
}

/// What an argument looks like.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    /// A whole number of this range.
    Whole(i64, i64),
    OneOf(&'static [&'static str]),
    /// RFC 3339.
    Time,
    /// A month of UTC.
    Month,
    Flag,
    /// A text that a header can hold, of at most so many characters.
    Token(usize),
    /// A code of ISO 4217.
    Currency,
}

/// An argument that may be left out.
pub(super) const fn may(name: &'static str, kind: Kind, description: &'static str) -> Param {
    Param {
        name,
        kind,
        is_required: false,
        description,
    }
}

/// An argument that must be there.
pub(super) const fn must(name: &'static str, kind: Kind, description: &'static str) -> Param {
    Param {
        is_required: true,
        ..may(name, kind, description)
    }
}

/// The JSON Schema of all arguments of a tool.
pub(super) fn schema<'p>(params: impl Iterator<Item = &'p Param> + Clone) -> Sent {
    let properties: Map<String, Value> = params
        .clone()
        .map(|param| (param.name.to_owned(), param.schema()))
        .collect();
    let required: Vec<_> = params
        .filter(|param| param.is_required)
        .map(|param| param.name)
        .collect();
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// Checks what was sent. What is null counts as left out.
pub(super) fn checked<'p>(
    params: impl Iterator<Item = &'p Param> + Clone,
    sent: Sent,
) -> Result<Sent, Trouble> {
    let given: Sent = sent
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    for (name, value) in &given {
        let Some(param) = params.clone().find(|param| param.name == name) else {
            let known: Vec<_> = params.clone().map(|param| param.name).collect();
            let message = format!("This tool knows {} and nothing else.", known.join(", "));
            return Err(Trouble::argument(name, message));
        };
        param.check(value)?;
    }
    for param in params {
        if param.is_required && !given.contains_key(param.name) {
            let message = format!("`{}` is needed. {}", param.name, param.description);
            return Err(Trouble::argument(param.name, message));
        }
    }
    Ok(given)
}

impl Param {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text(longest) => json!({"type": "string", "minLength": 1, "maxLength": longest}),
            Kind::Whole(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Kind::OneOf(words) => json!({"type": "string", "enum": words}),
            Kind::Time => json!({"type": "string", "format": "date-time"}),
            Kind::Month => {
                json!({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"})
            }
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Token(longest) => {
                json!({"type": "string", "pattern": "^[!-~]+$", "maxLength": longest})
            }
            Kind::Currency => json!({"type": "string", "pattern": "^[A-Za-z]{3}$"}),
        };
        schema["description"] = json!(self.description);
        schema
    }

    fn check(&self, value: &Value) -> Result<(), Trouble> {
        let text = value.as_str();
        let fits = match self.kind {
            Kind::Text(longest) => text.is_some_and(|text| fits(text, longest)),
            Kind::Whole(least, most) => value
                .as_i64()
                .is_some_and(|number| (least..=most).contains(&number)),
            Kind::OneOf(words) => text.is_some_and(|text| words.contains(&text)),
            Kind::Time => text.is_some_and(|text| Micros::from_rfc3339(text).is_some()),
            Kind::Month => text.is_some_and(is_month),
            Kind::Flag => value.is_boolean(),
            Kind::Token(longest) => text.is_some_and(|text| is_token(text, longest)),
            Kind::Currency => text.is_some_and(is_currency),
        };
        if fits {
            return Ok(());
        }
        let message = format!("`{}` must be {}.", self.name, self.kind.wanted());
        Err(Trouble::argument(self.name, message))
    }
}

impl Kind {
    fn wanted(self) -> String {
        match self {
            Kind::Text(longest) => format!("a text of 1 to {longest} characters"),
            Kind::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Kind::OneOf(words) => format!("one of {}", words.join(", ")),
            Kind::Time => "a time such as 2030-01-31T09:30:00Z".to_owned(),
            Kind::Month => "a month such as 2030-01".to_owned(),
            Kind::Flag => "true or false".to_owned(),
            Kind::Token(longest) => {
                format!("1 to {longest} letters, digits and signs of ASCII, without blanks")
            }
            Kind::Currency => "the three letters of a currency, such as usd".to_owned(),
        }
    }
}

fn fits(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.contains('\0')
}

fn is_token(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_month(text: &str) -> bool {
    let Some((year, month)) = text.split_once('-') else {
        return false;
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let in_year = month
        .parse()
        .is_ok_and(|month: u8| (1..=12).contains(&month));
    year.len() == 4 && month.len() == 2 && is_number(year) && is_number(month) && in_year
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &[Param] = &[
        must("id", Kind::Text(4), "Which."),
        may("limit", Kind::Whole(1, 9), "How many."),
        may("by", Kind::OneOf(&["day", "week"]), "By what."),
        may("from", Kind::Time, "From when."),
        may("month", Kind::Month, "Which month."),
        may("all", Kind::Flag, "All of them."),
        may("key", Kind::Token(5), "Under which key."),
        may("currency", Kind::Currency, "Of which currency."),
    ];

    fn field_at_fault(sent: Value) -> Option<String> {
        let Value::Object(sent) = sent else {
            panic!("an object")
        };
        let trouble = checked(PARAMS.iter(), sent).err()?;
        trouble.told()["error"]["field"].as_str().map(str::to_owned)
    }

    #[test]
    fn what_is_sent_is_checked_and_the_field_at_fault_named() {
        for fine in [
            json!({"id": "a"}),
            json!({"id": "äöüß", "limit": 9, "by": "week", "all": false, "month": "2030-12"}),
            json!({"id": "a", "key": "a-1_b", "currency": "EUR"}),
            json!({"id": "a", "limit": null, "from": "2030-01-31T09:30:00Z"}),
        ] {
            assert_eq!(field_at_fault(fine.clone()), None, "{fine}");
        }
        for (field, wrong) in [
            ("id", json!({})),
            ("id", json!({"id": null})),
            ("id", json!({"id": ""})),
            ("id", json!({"id": "  "})),
            ("id", json!({"id": "abcde"})),
            ("id", json!({"id": "a\0"})),
            ("id", json!({"id": 7})),
            ("limit", json!({"id": "a", "limit": 0})),
            ("limit", json!({"id": "a", "limit": 10})),
            ("limit", json!({"id": "a", "limit": "3"})),
            ("limit", json!({"id": "a", "limit": 1.5})),
            ("by", json!({"id": "a", "by": "year"})),
            ("from", json!({"id": "a", "from": "yesterday"})),
            ("month", json!({"id": "a", "month": "2030-13"})),
            ("month", json!({"id": "a", "month": "2030-1"})),
            ("all", json!({"id": "a", "all": "true"})),
            ("key", json!({"id": "a", "key": "a\nb"})),
            ("key", json!({"id": "a", "key": " a"})),
            ("key", json!({"id": "a", "key": "ä"})),
            ("key", json!({"id": "a", "key": "abcdef"})),
            ("currency", json!({"id": "a", "currency": "us"})),
            ("currency", json!({"id": "a", "currency": "€uro"})),
            ("other", json!({"id": "a", "other": 1})),
        ] {
            assert_eq!(
                field_at_fault(wrong.clone()).as_deref(),
                Some(field),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_schema_says_what_is_checked() {
        let schema = Value::Object(schema(PARAMS.iter()));
        assert_eq!(schema["required"], json!(["id"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        let limit =
            json!({"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."});
        assert_eq!(schema["properties"]["limit"], limit);
    }
}
