//! The document as people read it: what fits on a line stands on one, so that a difference is short.

use serde_json::{Value, json};

/// The members in the order of interest; those inside go by name.
const ORDER: [&str; 7] = [
    "openapi",
    "info",
    "servers",
    "tags",
    "paths",
    "webhooks",
    "components",
];

/// The longest line, unless a single text is longer.
const WIDTH: usize = 120;

/// The text of a finished document.
pub(super) fn written(document: &Value) -> String {
    let members = ORDER.map(|name| member(name, &document[name], 0));
    format!("{{\n  {}\n}}\n", members.join(",\n  "))
}

fn member(name: &str, value: &Value, indent: usize) -> String {
    format!("{}: {}", json!(name), laid_out(value, indent + 2))
}

/// A value that begins `indent` columns from the left, or a little further.
fn laid_out(value: &Value, indent: usize) -> String {
    let (open, parts, close): (_, Vec<String>, _) = match value {
        Value::Array(items) => {
            let items = items.iter().map(|item| laid_out(item, indent + 2));
            ('[', items.collect(), ']')
        }
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| member(name, value, indent));
            ('{', members.collect(), '}')
        }
        single => return single.to_string(),
    };
    let length = parts.iter().map(|part| part.len() + 2).sum::<usize>();
    let is_broken = parts.iter().any(|part| part.contains('\n'));
    if !is_broken && indent + length <= WIDTH {
        return format!("{open}{}{close}", parts.join(", "));
    }
    let margin = " ".repeat(indent);
    let parts = parts.join(&format!(",\n{margin}  "));
    format!("{open}\n{margin}  {parts}\n{margin}{close}")
}
