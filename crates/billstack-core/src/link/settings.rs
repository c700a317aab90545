//! How the links of a project are set up.

use url::Host;

use super::{LONGEST_LANDING, Landing, Unfit, fold_host};

/// The most hosts besides that of the landing address.
const MOST_HOSTS: usize = 20;

/// For how many days a click may count.
pub const WINDOW_DAYS: std::ops::RangeInclusive<i64> = 1..=365;

/// The longest name of a parameter, in characters.
const LONGEST_PARAMETER: usize = 32;

/// The longest title of a card, in characters.
const LONGEST_TITLE: usize = 200;

/// The longest text of a card, in characters.
const LONGEST_TEXT: usize = 500;

/// How the links of a project are set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether links bring their code along. Visitors are sent on either way.
    pub enabled: bool,
    /// Where visitors are sent.
    pub landing_url: Option<String>,
    /// The hosts that a link may lead to besides that.
    pub redirect_hosts: Vec<String>,
    /// For how many days a click may count.
    pub window_days: i64,
    /// The parameter that brings the code.
    pub code_parameter: String,
    /// The parameter that brings the click token.
    pub click_parameter: String,
    /// What chats show of a link; without one they show the landing page's own.
    pub card: Option<Card>,
}

/// What chats show of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub title: String,
    pub text: Option<String>,
    pub image_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            enabled: false,
            landing_url: None,
            redirect_hosts: Vec::new(),
            window_days: 60,
            code_parameter: "ref".to_owned(),
            click_parameter: "ref_click".to_owned(),
            card: None,
        }
    }
}

/// What is wrong with settings, and so with which member.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Links are switched on, and lead nowhere.
    NoLanding,
    /// The landing address is none that visitors may be sent to.
    Landing(Unfit),
    /// A host is none, or has more than a name; or there are too many.
    Hosts,
    /// A click counts for fewer or more days than it may.
    Window,
    /// The name of the parameter for the code is not plain.
    CodeParameter,
    /// The name of the parameter for the token is not plain, or that for the code.
    ClickParameter,
    /// The title of the card is empty or too long, its text is too long, or its image has no safe address.
    Card,
}

impl Settings {
    /// Checks the settings, and puts hosts in the form in which addresses hold them.
    pub fn check(self) -> Result<Settings, Wrong> {
        match &self.landing_url {
            Some(url) => Landing::parse(url, &[]).map_err(Wrong::Landing).map(drop)?,
            None if self.enabled => return Err(Wrong::NoLanding),
            None => {}
        }
        let hosts: Option<Vec<String>> = self.redirect_hosts.iter().map(|h| host(h)).collect();
        let redirect_hosts = hosts
            .filter(|hosts| hosts.len() <= MOST_HOSTS)
            .ok_or(Wrong::Hosts)?;
        if !WINDOW_DAYS.contains(&self.window_days) {
            return Err(Wrong::Window);
        }
        if !is_parameter(&self.code_parameter) {
            return Err(Wrong::CodeParameter);
        }
        if !is_parameter(&self.click_parameter) || self.click_parameter == self.code_parameter {
            return Err(Wrong::ClickParameter);
        }
        if self.card.as_ref().is_some_and(|card| !card.is_fit()) {
            return Err(Wrong::Card);
        }
        Ok(Settings {
            redirect_hosts,
            ..self
        })
    }

    /// Where visitors are sent; `None` when nobody has said.
    pub fn landing(&self) -> Option<Landing> {
        Landing::parse(self.landing_url.as_deref()?, &self.redirect_hosts).ok()
    }
}

impl Card {
    fn is_fit(&self) -> bool {
        let fits = |text: &str, longest: usize| {
            !text.trim().is_empty()
                && text.chars().count() <= longest
                && !text.chars().any(char::is_control)
        };
        let text = self.text.as_deref();
        let image = self.image_url.as_deref();
        fits(&self.title, LONGEST_TITLE)
            && text.is_none_or(|text| fits(text, LONGEST_TEXT))
            && image
                .is_none_or(|url| url.len() <= LONGEST_LANDING && Landing::parse(url, &[]).is_ok())
    }
}

/// A host without anything around it, in the form in which addresses hold it.
fn host(text: &str) -> Option<String> {
    let is_plain = !text.is_empty() && text.len() <= 253 && !text.contains('*');
    let parsed = Host::parse(text).ok().filter(|_| is_plain)?;
    matches!(parsed, Host::Domain(_)).then(|| fold_host(text))
}

/// A name that needs no escapes, and none of those that are passed on.
fn is_parameter(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=LONGEST_PARAMETER).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with("utm_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Settings {
        Settings {
            enabled: true,
            landing_url: Some("https://example.com/welcome".to_owned()),
            ..Settings::default()
        }
    }

    fn wrong(change: impl FnOnce(&mut Settings)) -> Option<Wrong> {
        let mut settings = usual();
        change(&mut settings);
        settings.check().err()
    }

    #[test]
    fn what_is_set_up_leads_somewhere() {
        assert_eq!(Settings::default().check(), Ok(Settings::default()));
        assert_eq!(usual().check(), Ok(usual()));
        assert!(usual().landing().is_some());
        assert_eq!(wrong(|s| s.landing_url = None), Some(Wrong::NoLanding));
        for url in ["http://example.com", "//example.com", "javascript:alert(1)"] {
            let found = wrong(|s| s.landing_url = Some(url.to_owned()));
            assert!(matches!(found, Some(Wrong::Landing(_))), "{url}");
        }
    }

    #[test]
    fn a_host_is_a_name_and_no_more() {
        let mut settings = usual();
        settings.redirect_hosts = vec!["BÜCHER.example".to_owned(), "docs.example.com".to_owned()];
        let checked = settings.check().unwrap();
        assert_eq!(
            checked.redirect_hosts,
            ["xn--bcher-kva.example", "docs.example.com"]
        );
        for host in [
            "",
            "https://example.com",
            "example.com/x",
            "example.com:8443",
            "me@example.com",
            "192.0.2.1",
            "[::1]",
            "*.example.com",
            "a b",
        ] {
            let found = wrong(|s| s.redirect_hosts = vec![host.to_owned()]);
            assert_eq!(found, Some(Wrong::Hosts), "{host}");
        }
        let many = |count: usize| (0..count).map(|n| format!("h{n}.example")).collect();
        assert_eq!(wrong(|s| s.redirect_hosts = many(MOST_HOSTS)), None);
        let found = wrong(|s| s.redirect_hosts = many(MOST_HOSTS + 1));
        assert_eq!(found, Some(Wrong::Hosts));
    }

    #[test]
    fn parameters_are_plain_and_two() {
        for name in ["", "utm_ref", "a=b", "a b", "a&b", "é", &"x".repeat(33)] {
            let found = wrong(|s| s.code_parameter = name.to_owned());
            assert_eq!(found, Some(Wrong::CodeParameter), "{name}");
            let found = wrong(|s| s.click_parameter = name.to_owned());
            assert_eq!(found, Some(Wrong::ClickParameter), "{name}");
        }
        let found = wrong(|s| s.click_parameter = "ref".to_owned());
        assert_eq!(found, Some(Wrong::ClickParameter));
    }

    #[test]
    fn a_click_counts_for_a_year_at_most() {
        for (days, expected) in [(0, Some(Wrong::Window)), (1, None), (365, None)] {
            assert_eq!(wrong(|s| s.window_days = days), expected, "{days}");
        }
        assert_eq!(wrong(|s| s.window_days = 366), Some(Wrong::Window));
    }

    #[test]
    fn a_card_has_a_title_and_safe_parts() {
        let card = |title: &str, text: Option<&str>, image: Option<&str>| {
            let card = Card {
                title: title.to_owned(),
                text: text.map(str::to_owned),
                image_url: image.map(str::to_owned),
            };
            wrong(|s| s.card = Some(card))
        };
        let image = Some("https://example.com/card.png");
        assert_eq!(card("5 USD for you", Some("Join \"Ada\" <3"), image), None);
        assert_eq!(card("Hi", None, None), None);
        for (title, text, image) in [
            ("", None, None),
            (" ", None, None),
            ("a\nb", None, None),
            (&"x".repeat(LONGEST_TITLE + 1), None, None),
            ("Hi", Some(""), None),
            ("Hi", None, Some("http://example.com/card.png")),
            ("Hi", None, Some("card.png")),
        ] {
            assert_eq!(card(title, text, image), Some(Wrong::Card), "{title}");
        }
    }
}
