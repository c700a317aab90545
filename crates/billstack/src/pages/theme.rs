//! Light, dark, or as the system has it: a cookie, so that the first paint is right.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::app::App;

const COOKIE: &str = "billstack_theme";

/// How pages look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Theme {
    Light,
    Dark,
    #[default]
    System,
}

impl Theme {
    /// Every theme, and what people call it.
    pub(super) const ALL: [(Theme, &str); 3] = [
        (Theme::System, "As the system"),
        (Theme::Light, "Light"),
        (Theme::Dark, "Dark"),
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
            Theme::System => "system",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Theme> {
        let mut all = Theme::ALL.into_iter().map(|(theme, _)| theme);
        all.find(|theme| theme.as_str() == text)
    }

    /// What the cookie says; that of the system where it says nothing of use.
    pub(super) fn of(headers: &HeaderMap) -> Theme {
        let lines = headers.get_all(header::COOKIE).into_iter();
        let mut pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let found = pairs.find(|(name, _)| *name == COOKIE);
        found
            .and_then(|(_, value)| Theme::parse(value))
            .unwrap_or_default()
    }

    /// The cookie that keeps it for a year.
    pub(super) fn cookie(self, app: &App) -> HeaderValue {
        let secure = match app.is_https() {
            true => "; Secure",
            false => "",
        };
        let text = format!(
            "{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax{secure}",
            self.as_str()
        );
        HeaderValue::try_from(text).expect("plain ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_of_no_use_means_the_system() {
        for (line, theme) in [
            ("billstack_theme=dark", Theme::Dark),
            ("a=b; billstack_theme=light;c=d", Theme::Light),
            ("billstack_theme=system", Theme::System),
            ("billstack_theme=pink", Theme::System),
            ("xbillstack_theme=dark", Theme::System),
            ("", Theme::System),
        ] {
            let value = HeaderValue::from_static(line);
            let headers = HeaderMap::from_iter([(header::COOKIE, value)]);
            assert_eq!(Theme::of(&headers), theme, "{line}");
        }
    }
}
