//! How the pages of the customers of a project are set up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Locale, Names, Theme, origins};

/// The most origins that a project may allow.
pub const MOST_ORIGINS: usize = 20;

/// The longest text, in characters.
pub const LONGEST_TEXT: usize = 500;

/// How the pages of the customers of a project are set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The origins of pages that may show a customer's page, or ask for what it shows.
    pub allowed_origins: Vec<String>,
    /// What customers see of the names of their friends.
    pub names: Names,
    /// How the page looks.
    pub theme: Theme,
    /// Texts in place of ours.
    pub texts: Texts,
    /// Whether customers may give their code another name.
    pub allow_vanity: bool,
    /// Whether whoever follows a link is told the first name of who recommends.
    pub offer_name: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            allowed_origins: Vec::new(),
            names: Names::Initial,
            theme: Theme::default(),
            texts: Texts::default(),
            allow_vanity: false,
            offer_name: false,
        }
    }
}

/// Texts in place of ours, by language.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Texts(pub BTreeMap<String, Wording>);

/// The texts of one language. `{amount}` and `{link}` stand for what is promised and the share link.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct Wording {
    /// The title of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is promised, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
    /// What a customer sends to a friend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// On what terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

impl Wording {
    fn all(&self) -> impl Iterator<Item = &String> {
        let all = [&self.title, &self.offer, &self.message, &self.terms];
        all.into_iter().flatten()
    }
}

/// What is wrong with settings, and so with which member.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// There are too many origins.
    Origins,
    /// The origin at this place, counted from one, is none.
    Origin(usize),
    /// A language is not one of the page's, or a text is empty, too long, or not plain.
    Texts,
}

impl Settings {
    /// Checks the settings, and puts origins in the form in which browsers send them.
    pub fn check(self) -> Result<Settings, Wrong> {
        if self.allowed_origins.len() > MOST_ORIGINS {
            return Err(Wrong::Origins);
        }
        let origins = self.allowed_origins.iter().zip(1..);
        let origins: Result<Vec<String>, Wrong> = origins
            .map(|(text, place)| origins::read(text).ok_or(Wrong::Origin(place)))
            .collect();
        let allowed_origins = origins?;
        if !self.texts.are_fit() {
            return Err(Wrong::Texts);
        }
        Ok(Settings {
            allowed_origins,
            ..self
        })
    }
}

impl Texts {
    /// The texts of a language.
    pub fn of(&self, locale: Locale) -> Option<&Wording> {
        self.0.get(locale.as_str())
    }

    fn are_fit(&self) -> bool {
        let fits = |text: &String| {
            !text.trim().is_empty()
                && text.chars().count() <= LONGEST_TEXT
                && !text.chars().any(char::is_control)
        };
        self.0
            .iter()
            .all(|(locale, wording)| Locale::parse(locale).is_some() && wording.all().all(fits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_text(locale: &str, text: &str) -> Settings {
        let wording = Wording {
            offer: Some(text.to_owned()),
            ..Wording::default()
        };
        Settings {
            texts: Texts(BTreeMap::from([(locale.to_owned(), wording)])),
            ..Settings::default()
        }
    }

    #[test]
    fn origins_are_put_in_one_form_and_are_few() {
        let with = |origins: Vec<String>| Settings {
            allowed_origins: origins,
            ..Settings::default()
        };
        let checked = with(vec!["https://App.Example.com".to_owned()]).check();
        let checked = checked.unwrap().allowed_origins;
        assert_eq!(checked, ["https://app.example.com"]);
        let two = ["https://example.com", "https://example.com/"];
        let refused = with(two.map(str::to_owned).to_vec()).check();
        assert_eq!(refused, Err(Wrong::Origin(2)));
        let many = (0..=MOST_ORIGINS).map(|n| format!("https://h{n}.example"));
        assert_eq!(with(many.collect()).check(), Err(Wrong::Origins));
    }

    #[test]
    fn texts_are_plain_and_of_a_language_of_the_page() {
        assert!(
            with_text("de", "{amount} für dich: {link} <b>")
                .check()
                .is_ok()
        );
        for (locale, text) in [
            ("it", "ciao"),
            ("de", ""),
            ("de", " "),
            ("de", "a\nb"),
            ("de", &"x".repeat(501)),
        ] {
            assert_eq!(with_text(locale, text).check(), Err(Wrong::Texts), "{text}");
        }
        assert!(with_text("de", &"ß".repeat(500)).check().is_ok());
    }
}
