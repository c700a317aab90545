//! The fields of the form.

use std::sync::LazyLock;

use billstack_core::portal::{Locale, Settings, Wording};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::pages::form::Form;
use crate::pages::parts::entry::{Entry, Sort, entry, pick};
use crate::pages::parts::form::check;

/// Those of no language; texts are wrong as a whole.
const FIELDS: [&str; 5] = ["allowedOrigins", "names", "accent", "radius", "font"];

/// Those that have no place for what is wrong about them.
const MUTE: [&str; 2] = ["allowVanity", "offerName"];

/// The texts of a language, and what each is.
const TEXTS: [(&str, &str); 4] = [
    ("title", "Title"),
    ("offer", "Offer"),
    ("message", "What a customer sends"),
    ("terms", "Terms"),
];

/// What a language is called.
fn language(locale: Locale) -> &'static str {
    match locale {
        Locale::English => "English",
        Locale::German => "German",
        Locale::French => "French",
        Locale::Spanish => "Spanish",
        Locale::Portuguese => "Portuguese",
        Locale::Other(_) => "Another",
    }
}

fn field_of(locale: Locale, name: &str) -> String {
    format!("{}.{name}", locale.as_str())
}

/// All of them.
pub(super) fn names() -> Vec<&'static str> {
    static OF_LANGUAGES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let locales = Locale::ALL.iter();
        let names = locales.flat_map(|locale| TEXTS.map(|(name, _)| field_of(*locale, name)));
        names.collect()
    });
    let texts = OF_LANGUAGES.iter().map(String::as_str);
    FIELDS.into_iter().chain(MUTE).chain(texts).collect()
}

/// Those that say what is wrong about them.
pub(super) fn telling() -> Vec<&'static str> {
    let mut names = names();
    names.retain(|name| !MUTE.contains(name));
    names
}

/// The members of the call.
pub(super) fn members(form: &Form) -> Result<Map<String, Value>, ApiError> {
    let radius = form.text("radius").trim();
    let radius = match radius.parse::<u8>() {
        _ if radius.is_empty() => Value::Null,
        Ok(radius) if radius <= 24 => json!(radius),
        _ => {
            return Err(ApiError::invalid(
                "radius",
                "`radius` must be a whole number from 0 to 24, or empty for ours.",
            ));
        }
    };
    let accent = form.text("accent").trim();
    if !accent.is_empty() && billstack_core::portal::Accent::parse(accent).is_none() {
        return Err(ApiError::invalid(
            "accent",
            "`accent` must be a colour such as #0b57d0, or empty for ours.",
        ));
    }
    let font = form.text("font").trim();
    if !font.is_empty() && billstack_core::portal::Theme::font_of(font).is_none() {
        let why = "`font` must be `system`, or a name of letters, digits, blanks and hyphens.";
        return Err(ApiError::invalid("font", why));
    }
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let all = [
        ("allowedOrigins", json!(form.lines("allowedOrigins"))),
        ("names", json!(form.text("names"))),
        (
            "theme",
            json!({"accent": some(accent), "radius": radius, "font": some(font)}),
        ),
        ("texts", texts(form)),
        ("allowVanity", json!(!form.text("allowVanity").is_empty())),
        ("offerName", json!(!form.text("offerName").is_empty())),
    ];
    Ok(all
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}

/// The texts that were typed; a language without any is left out.
fn texts(form: &Form) -> Value {
    let of_language = |locale: &Locale| {
        let texts = TEXTS.iter().filter_map(|(name, _)| {
            let text = form.text(&field_of(*locale, name)).trim();
            (!text.is_empty()).then(|| ((*name).to_owned(), json!(text)))
        });
        let texts: Map<String, Value> = texts.collect();
        (!texts.is_empty()).then(|| (locale.as_str().to_owned(), Value::Object(texts)))
    };
    Value::Object(Locale::ALL.iter().filter_map(of_language).collect())
}

/// The form with what is set.
pub(super) fn filled(settings: &Settings) -> Form {
    let theme = &settings.theme;
    let flag = |flag: bool| if flag { "yes" } else { "" }.to_owned();
    let mut form = Form::of([
        ("allowedOrigins", settings.allowed_origins.join("\n")),
        ("names", settings.names.as_str().to_owned()),
        (
            "accent",
            theme
                .accent
                .map(|accent| accent.to_string())
                .unwrap_or_default(),
        ),
        (
            "radius",
            theme
                .radius
                .map(|radius| radius.to_string())
                .unwrap_or_default(),
        ),
        ("font", theme.font_name().to_owned()),
        ("allowVanity", flag(settings.allow_vanity)),
        ("offerName", flag(settings.offer_name)),
    ]);
    for locale in Locale::ALL {
        let own = settings.texts.of(*locale).cloned().unwrap_or_default();
        for (name, text) in TEXTS.iter().zip(of_wording(&own)) {
            form.add(&field_of(*locale, name.0), text);
        }
    }
    form
}

fn of_wording(own: &Wording) -> [&str; 4] {
    [&own.title, &own.offer, &own.message, &own.terms]
        .map(|text| text.as_deref().unwrap_or_default())
}

/// The fields.
pub(super) fn fields(typed: &Form, error: Option<&ApiError>) -> Markup {
    let show = |field: &Entry<'_>| entry(field, typed, error);
    let text = |label, name, hint, most| Entry {
        label,
        name,
        hint,
        most,
        ..Entry::default()
    };
    let names = [
        ("initial", "the first letter: G…"),
        ("first", "the first name"),
        ("hidden", "nothing: a friend"),
    ];
    html! {
        fieldset {
            legend { "Where" }
            (show(&Entry { sort: Sort::Lines(3), ..text("Origins that may show it", "allowedOrigins",
                Some("One a line: https://app.example.com, https://*.example.com or http://localhost:*."), 4000) }))
        }
        fieldset {
            legend { "Names" }
            (pick(("Of friends a customer sees", "names"), names, (typed, error), None))
            (check("Customers may give their code a name", "allowVanity", typed))
            (check("Whoever follows a link reads the first name of who recommends", "offerName", typed))
        }
        fieldset {
            legend { "Theme" }
            (show(&text("Colour of buttons", "accent", Some("Such as #0b57d0; empty for ours."), 7)))
            (show(&Entry { sort: Sort::Whole, ..text("Radius of corners", "radius", Some("0 to 24; empty for ours."), 2) }))
            (show(&text("Font", "font", Some("system, or the name of one that visitors have."), 40)))
        }
        @for locale in Locale::ALL { (of_language(*locale, typed, error)) }
    }
}

/// The texts of a language, open where there is one.
fn of_language(locale: Locale, typed: &Form, error: Option<&ApiError>) -> Markup {
    let names = TEXTS.map(|(name, label)| (field_of(locale, name), label));
    let is_set = names.iter().any(|(name, _)| !typed.text(name).is_empty());
    html! {
        details open[is_set] {
            summary { "Texts: " (language(locale)) }
            fieldset {
                legend { (language(locale)) }
                @for (name, label) in &names {
                    (entry(&Entry { label, name, sort: Sort::Lines(2), most: 500, hint: Some("Empty for ours. {amount} and {link} stand for what is promised."),
                        ..Entry::default() }, typed, error))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_is_sent_as_it_came_changes_nothing() {
        let mut settings = Settings {
            allowed_origins: vec!["https://a.test".to_owned()],
            ..Settings::default()
        };
        settings.theme.radius = Some(4);
        let own = Wording {
            offer: Some("Give {amount}.".to_owned()),
            ..Wording::default()
        };
        settings.texts.0.insert("de".to_owned(), own);
        let members = members(&filled(&settings)).expect("members");
        assert_eq!(members["allowedOrigins"], json!(["https://a.test"]));
        assert_eq!(
            members["theme"],
            json!({"accent": null, "radius": 4, "font": "system"})
        );
        assert_eq!(members["texts"], json!({"de": {"offer": "Give {amount}."}}));
        assert_eq!(members["allowVanity"], json!(false));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (field, value) in [
            ("radius", "25"),
            ("radius", "x"),
            ("accent", "blue"),
            ("font", "a;b"),
        ] {
            let error = members(&Form::with(field, value)).expect_err("refused");
            assert_eq!(error.field.as_deref(), Some(field), "{value}");
        }
    }
}
