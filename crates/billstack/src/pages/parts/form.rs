//! Fields of forms, with what was typed and what is wrong about it.

use maud::{Markup, Render, html};

use crate::error::ApiError;
use crate::pages::form::{Form, ONCE};
use crate::secrets::random_bytes;

/// What is typed into a field.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::pages) enum Kind {
    #[default]
    Text,
    Email,
    /// It never comes back.
    Password,
}

/// A field for one line.
#[derive(Clone, Copy, Debug)]
pub(in crate::pages) struct Field<'f> {
    pub(in crate::pages) label: &'f str,
    pub(in crate::pages) name: &'f str,
    pub(in crate::pages) kind: Kind,
    pub(in crate::pages) autocomplete: &'f str,
    pub(in crate::pages) hint: Option<&'f str>,
    /// Whether it may be left empty.
    pub(in crate::pages) is_optional: bool,
    /// The most characters.
    pub(in crate::pages) longest: u16,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Field {
            label: "",
            name: "",
            kind: Kind::Text,
            autocomplete: "off",
            hint: None,
            is_optional: false,
            longest: 255,
        }
    }
}

/// The field with its label, and the message about it below.
pub(in crate::pages) fn field(field: &Field<'_>, typed: &Form, error: Option<&ApiError>) -> Markup {
    let Field { label, name, .. } = field;
    let kind = match field.kind {
        Kind::Text => "text",
        Kind::Email => "email",
        Kind::Password => "password",
    };
    let value = match field.kind {
        Kind::Password => "",
        _ => typed.text(name),
    };
    let error = error.filter(|error| error.field.as_deref() == Some(*name));
    let (of_hint, of_error) = (format!("{name}-hint"), format!("{name}-error"));
    let described = match (field.hint, error) {
        (None, None) => None,
        (Some(_), None) => Some(of_hint.clone()),
        (None, Some(_)) => Some(of_error.clone()),
        (Some(_), Some(_)) => Some(format!("{of_error} {of_hint}")),
    };
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) required[!field.is_optional] maxlength=(field.longest)
                autocomplete=(field.autocomplete) aria-describedby=[described]
                aria-invalid=[error.map(|_| "true")] autofocus[error.is_some()];
            @if let Some(error) = error { p.error id=(of_error) { (message(error, label)) } }
            @if let Some(hint) = field.hint { p.quiet id=(of_hint) { (hint) } }
        }
    }
}

/// The sentence of a refusal, about the field as people see it.
pub(super) fn message(error: &ApiError, label: &str) -> String {
    let Some(field) = error.field.as_deref() else {
        return error.message.to_string();
    };
    let mut message = error
        .message
        .replace(&format!("`{field}`"), &format!("“{label}”"));
    for (of_api, of_people) in WORDS {
        message = message.replace(of_api, of_people);
    }
    message
}

/// What the API says in its own words, and how people read it beside a field.
const WORDS: [(&str, &str); 8] = [
    ("`within_hold`", "“while they are held”"),
    ("`holdDays`", "“Days that a credit is held”"),
    ("`secretKey`", "“Secret key”"),
    ("`webhookSecret`", "“Signing secret”"),
    ("`from`", "“From”"),
    ("`to`", "“To”"),
    ("`until`", "“To”"),
    (
        "a time such as 2030-01-31T09:30:00Z (RFC 3339)",
        "a time such as 2030-01-31 09:30",
    ),
];

/// What is wrong about a form as a whole: about none of these fields.
pub(in crate::pages) fn fault(error: Option<&ApiError>, fields: &[&str]) -> Markup {
    let of_field = |error: &&ApiError| {
        let field = error.field.as_deref();
        !field.is_some_and(|field| fields.contains(&field))
    };
    let wait = |error: &ApiError| match error.retry_after {
        Some(1) => " Wait a second.".to_owned(),
        Some(seconds) => format!(" Wait {seconds} seconds."),
        None => String::new(),
    };
    html! {
        @if let Some(error) = error.filter(of_field) {
            p.notice.bad role="alert" { (error.message) (wait(error)) }
        }
    }
}

/// A field of a form that narrows a list.
pub(in crate::pages) fn line(label: &str, name: &str, kind: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) maxlength="64" autocomplete="off";
        }
    }
}

/// A choice of one of a few.
pub(in crate::pages) fn choice<'c>(
    label: &str,
    name: &str,
    choices: impl IntoIterator<Item = (&'c str, &'c str)>,
    chosen: &str,
) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, text) in choices {
                    option value=(value) selected[value == chosen] { (text) }
                }
            }
        }
    }
}

/// A box to tick.
pub(in crate::pages) fn check(label: &str, name: &str, typed: &Form) -> Markup {
    html! {
        label.check { input type="checkbox" name=(name) value="yes" checked[!typed.text(name).is_empty()]; (label) }
    }
}

/// The hidden field that makes a form one of its kind.
pub(in crate::pages) fn once() -> Markup {
    let random: [u8; 16] = random_bytes();
    html! { input type="hidden" name=(ONCE) value=(hex::encode(random)); }
}

/// What ends a form of filters: the button, and the way to the list at `path` without any where it has some.
pub(in crate::pages) fn apply(path: &str, is_filtered: bool) -> Markup {
    html! {
        div.actions {
            button { "Apply" }
            @if is_filtered { a href=(path) { "Clear filters" } }
        }
    }
}

/// A button that sends a form.
pub(in crate::pages) struct Submit<'s> {
    label: &'s str,
    /// Whether it is not what the page is for.
    is_plain: bool,
}

/// A button that sends the form.
pub(in crate::pages) fn submit(label: &str) -> Submit<'_> {
    Submit {
        label,
        is_plain: false,
    }
}

impl<'s> Submit<'s> {
    /// The button steps back: it is not what the page is for.
    pub(in crate::pages) fn plain(self) -> Submit<'s> {
        Submit {
            is_plain: true,
            ..self
        }
    }
}

impl Render for Submit<'_> {
    fn render(&self) -> Markup {
        html! {
            div.actions {
                button class=[self.is_plain.then_some("plain")] { (self.label) }
            }
        }
    }
}
