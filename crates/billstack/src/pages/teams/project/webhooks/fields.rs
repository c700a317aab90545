//! The fields of an endpoint.

use billstack_store::webhooks::Endpoint;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::words;
use crate::error::ApiError;
use crate::pages::form::Form;
use crate::pages::parts::entry::{Entry, Sort, entry};

pub(super) const FIELDS: [&str; 3] = ["url", "description", "types"];

/// Those that a form of an endpoint is filled with.
pub(super) const FILLED: [&str; 4] = ["url", "description", "told", "types"];

/// Which of all types there are.
const EVERY: &str = "every";

/// The members of the call. A field that was left empty is not sent.
pub(super) fn members(form: &Form) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("url".to_owned(), json!(form.text("url").trim()));
    let description = form.text("description").trim();
    if !description.is_empty() {
        members.insert("description".to_owned(), json!(description));
    }
    let types: Vec<&str> = match form.text("told") {
        EVERY => vec!["*"],
        _ => form.all("types").collect(),
    };
    members.insert("types".to_owned(), json!(types));
    members
}

/// The members of a change: what nobody changed is not sent, so that types of a newer version stay.
pub(super) fn changed(form: &Form) -> Map<String, Value> {
    let mut members = members(form);
    members.entry("description").or_insert(Value::Null);
    members.retain(|name, _| match name.as_str() {
        "types" => form.is_changed("types") || form.is_changed("told"),
        name => form.is_changed(name),
    });
    members
}

/// A form with what an endpoint is.
pub(super) fn filled(endpoint: &Endpoint) -> Form {
    let names = endpoint.types.names();
    let told = if names == ["*"] { EVERY } else { "some" };
    // Of all types none is ticked, as a browser sends it.
    let ticked = names.iter().filter(|name| **name != "*");
    let types = ticked.map(|name| ("types", (*name).to_owned()));
    Form::of(
        [
            ("url", endpoint.url.clone()),
            (
                "description",
                endpoint.description.clone().unwrap_or_default(),
            ),
            ("told", told.to_owned()),
        ]
        .into_iter()
        .chain(types),
    )
}

/// The fields.
pub(super) fn fields(typed: &Form, error: Option<&ApiError>) -> Markup {
    let url = Entry {
        label: "Address",
        name: "url",
        sort: Sort::Url,
        hint: Some(
            "It begins with https://, and its host is in the public Internet or in a network that the operator allows.",
        ),
        required: true,
        most: 2048,
    };
    let description = Entry {
        label: "What it is for",
        name: "description",
        most: 500,
        ..Entry::default()
    };
    html! {
        fieldset {
            legend { "Where" }
            (entry(&url, typed, error))
            (entry(&description, typed, error))
        }
        (types(typed, error))
    }
}

fn types(typed: &Form, error: Option<&ApiError>) -> Markup {
    let error = error.filter(|error| error.field.as_deref() == Some("types"));
    let ticked: Vec<&str> = typed.all("types").collect();
    let is_some = typed.text("told") == "some";
    html! {
        fieldset aria-describedby=[error.map(|_| "types-error")] {
            legend { "What it is told" }
            @if error.is_some() { p.error.wide id="types-error" { "Tick at least one type, or choose all." } }
            label.check { input type="radio" name="told" value=(EVERY) checked[!is_some]; "All types, those to come included" }
            label.check { input type="radio" name="told" value="some" checked[is_some]; "Only those that are ticked" }
            details.wide open[is_some] {
                summary { "Types" }
                div.ticks {
                    @for name in words::all() {
                        label.check { input type="checkbox" name="types" value=(name) checked[ticked.contains(&name)]; (name) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_types_are_one_word() {
        let form = |text: &str| Form::parse(text.as_bytes());
        let every = members(&form("url=+https%3A%2F%2Fa.test+&told=every&types=ping"));
        assert_eq!(
            every,
            *json!({"url": "https://a.test", "types": ["*"]})
                .as_object()
                .expect("an object")
        );
        let some = members(&form(
            "url=x&description=CRM&told=some&types=ping&types=code.created",
        ));
        assert_eq!(
            some,
            *json!({"url": "x", "description": "CRM", "types": ["ping", "code.created"]})
                .as_object()
                .expect("an object")
        );
    }
}
