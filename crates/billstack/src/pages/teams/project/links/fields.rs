//! The fields of the form.

use billstack_core::link::Settings;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::pages::form::Form;
use crate::pages::parts::entry::{Entry, Sort, entry, pick};

/// All of them; a card is wrong as a whole.
pub(super) const FIELDS: [&str; 9] = [
    "enabled",
    "landingUrl",
    "redirectHosts",
    "windowDays",
    "codeParameter",
    "clickParameter",
    "cardTitle",
    "cardText",
    "cardImageUrl",
];

/// The members of the call.
pub(super) fn members(form: &Form) -> Map<String, Value> {
    let text = |name: &str| form.text(name).trim().to_owned();
    let or_null = |name: &str| match text(name) {
        empty if empty.is_empty() => Value::Null,
        text => json!(text),
    };
    let days = text("windowDays");
    let days = days.parse::<i64>().map_or(json!(days), |days| json!(days));
    let card = [
        ("title", "cardTitle"),
        ("text", "cardText"),
        ("imageUrl", "cardImageUrl"),
    ];
    let card = card.map(|(member, field)| (member.to_owned(), or_null(field)));
    let card = match card.iter().all(|(_, value)| value.is_null()) {
        true => Value::Null,
        // Without a title it is none, which is told of the card.
        false => Value::Object(card.into_iter().collect()),
    };
    let all = [
        ("enabled", json!(form.text("enabled") == "on")),
        ("landingUrl", or_null("landingUrl")),
        ("redirectHosts", json!(form.lines("redirectHosts"))),
        ("windowDays", days),
        ("codeParameter", json!(text("codeParameter"))),
        ("clickParameter", json!(text("clickParameter"))),
        ("card", card),
    ];
    all.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The form with what is set.
pub(super) fn filled(settings: &Settings) -> Form {
    let card = settings.card.as_ref();
    let of_card = |text: Option<&String>| text.cloned().unwrap_or_default();
    Form::of([
        (
            "enabled",
            if settings.enabled { "on" } else { "off" }.to_owned(),
        ),
        (
            "landingUrl",
            settings.landing_url.clone().unwrap_or_default(),
        ),
        ("redirectHosts", settings.redirect_hosts.join("\n")),
        ("windowDays", settings.window_days.to_string()),
        ("codeParameter", settings.code_parameter.clone()),
        ("clickParameter", settings.click_parameter.clone()),
        ("cardTitle", of_card(card.map(|card| &card.title))),
        (
            "cardText",
            of_card(card.and_then(|card| card.text.as_ref())),
        ),
        (
            "cardImageUrl",
            of_card(card.and_then(|card| card.image_url.as_ref())),
        ),
    ])
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
    html! {
        fieldset {
            legend { "Where they lead" }
            (pick(("Links bring their code along", "enabled"), [("on", "yes"), ("off", "no")], (typed, error), None))
            (show(&Entry { sort: Sort::Url, ..text("Landing page", "landingUrl", Some("It begins with https://."), 2048) }))
            (show(&Entry { sort: Sort::Lines(3), ..text("Other hosts that a link may lead to", "redirectHosts",
                Some("One a line, such as docs.example.com."), 6000) }))
        }
        fieldset {
            legend { "What they bring" }
            (show(&Entry { sort: Sort::Whole, ..text("Days that a click counts", "windowDays", Some("1 to 365."), 4) }))
            (show(&text("Parameter of the code", "codeParameter", Some("For the eye."), 32)))
            (show(&text("Parameter of the click", "clickParameter", Some("For your server."), 32)))
        }
        fieldset {
            legend { "What chats show" }
            (show(&text("Title", "cardTitle", Some("Empty for what your page says itself."), 200)))
            (show(&Entry { sort: Sort::Lines(3), ..text("Text", "cardText", None, 500) }))
            (show(&Entry { sort: Sort::Url, ..text("Picture", "cardImageUrl", Some("An address with https."), 2048) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use billstack_core::link::Card;

    #[test]
    fn a_form_that_is_sent_as_it_came_changes_nothing() {
        let settings = Settings {
            redirect_hosts: vec!["a.test".to_owned(), "b.test".to_owned()],
            card: Some(Card {
                title: "Hi".to_owned(),
                text: None,
                image_url: None,
            }),
            ..Settings::default()
        };
        let members = members(&filled(&settings));
        assert_eq!(members["redirectHosts"], json!(["a.test", "b.test"]));
        assert_eq!(
            members["card"],
            json!({"title": "Hi", "text": null, "imageUrl": null})
        );
        assert_eq!(
            (&members["landingUrl"], &members["windowDays"]),
            (&Value::Null, &json!(60))
        );
        let bare = super::members(&filled(&Settings::default()));
        assert_eq!(bare["card"], Value::Null);
    }
}
