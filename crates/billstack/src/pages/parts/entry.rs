//! Fields that may be left empty, or that take numbers or addresses.

use maud::{Markup, html};

use super::form::message;
use crate::error::ApiError;
use crate::pages::form::Form;

/// What is typed into a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::pages) enum Sort {
    #[default]
    Text,
    /// A whole number.
    Whole,
    /// An amount in whole units of a currency.
    Amount,
    /// An address.
    Url,
    /// So many lines.
    Lines(u8),
}

/// A field.
#[derive(Clone, Copy, Debug)]
pub(in crate::pages) struct Entry<'e> {
    pub(in crate::pages) label: &'e str,
    pub(in crate::pages) name: &'e str,
    pub(in crate::pages) sort: Sort,
    pub(in crate::pages) hint: Option<&'e str>,
    pub(in crate::pages) required: bool,
    /// The most characters.
    pub(in crate::pages) most: usize,
}

impl Default for Entry<'_> {
    fn default() -> Self {
        Entry {
            label: "",
            name: "",
            sort: Sort::Text,
            hint: None,
            required: false,
            most: 255,
        }
    }
}

/// The field with its label, and what is wrong about it or worth knowing below.
pub(in crate::pages) fn entry(entry: &Entry<'_>, typed: &Form, error: Option<&ApiError>) -> Markup {
    let Entry { label, name, .. } = entry;
    let value = typed.text(name);
    let notes = Notes::new(name, label, error, entry.hint);
    let (described, wrong) = (notes.ids(), notes.error.as_ref().map(|_| "true"));
    let mode = match entry.sort {
        Sort::Whole => Some("numeric"),
        Sort::Amount => Some("decimal"),
        Sort::Url => Some("url"),
        Sort::Text | Sort::Lines(_) => None,
    };
    html! {
        div.field {
            label for=(name) { (label) }
            @if let Sort::Lines(rows) = entry.sort {
                // A line break right behind the tag is none of the text.
                textarea id=(name) name=(name) rows=(rows) maxlength=(entry.most) required[entry.required]
                    aria-describedby=[described] aria-invalid=[wrong] { "\n" (value) }
            } @else {
                input id=(name) name=(name) type="text" inputmode=[mode] value=(value) maxlength=(entry.most)
                    autocomplete="off" required[entry.required] aria-describedby=[described] aria-invalid=[wrong];
            }
            (notes.shown())
        }
    }
}

/// A choice of one of a few, which may be wrong together with something else.
pub(in crate::pages) fn pick<'c>(
    (label, name): (&str, &str),
    choices: impl IntoIterator<Item = (&'c str, &'c str)>,
    (typed, error): (&Form, Option<&ApiError>),
    hint: Option<&str>,
) -> Markup {
    let chosen = typed.text(name);
    let notes = Notes::new(name, label, error, hint);
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) aria-describedby=[notes.ids()] aria-invalid=[notes.error.as_ref().map(|_| "true")] {
                @for (value, text) in choices { option value=(value) selected[value == chosen] { (text) } }
            }
            (notes.shown())
        }
    }
}

/// Hidden fields that carry what was typed to the next step.
pub(in crate::pages) fn carried(typed: &Form, names: &[&str]) -> Markup {
    let fields = typed.fields().filter(|(name, _)| names.contains(name));
    html! { @for (name, value) in fields { input type="hidden" name=(name) value=(value); } }
}

/// What stands below a field.
struct Notes<'n> {
    name: &'n str,
    error: Option<String>,
    hint: Option<&'n str>,
}

impl<'n> Notes<'n> {
    fn new(
        name: &'n str,
        label: &str,
        error: Option<&ApiError>,
        hint: Option<&'n str>,
    ) -> Notes<'n> {
        let error = error.filter(|error| error.field.as_deref() == Some(name));
        Notes {
            name,
            error: error.map(|error| message(error, label)),
            hint,
        }
    }

    fn ids(&self) -> Option<String> {
        let Notes { name, error, hint } = self;
        match (error, hint) {
            (None, None) => None,
            (None, Some(_)) => Some(format!("{name}-hint")),
            (Some(_), None) => Some(format!("{name}-error")),
            (Some(_), Some(_)) => Some(format!("{name}-error {name}-hint")),
        }
    }

    fn shown(&self) -> Markup {
        html! {
            @if let Some(error) = &self.error { p.error id={ (self.name) "-error" } { (error) } }
            @if let Some(hint) = self.hint { p.quiet id={ (self.name) "-hint" } { (hint) } }
        }
    }
}
