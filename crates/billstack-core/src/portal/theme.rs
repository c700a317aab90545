//! How the page looks: a colour, a radius, a font. Each value is parsed, so that none can be more than it says.

use std::fmt;

/// The contrast that text needs, after WCAG 2.2.
const ENOUGH: f64 = 4.5;

/// The largest radius of corners, in points.
const LARGEST_RADIUS: u8 = 24;

/// The longest name of a font, in characters.
const LONGEST_FONT: usize = 40;

/// How the page looks; what is `None` is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    pub accent: Option<Accent>,
    pub radius: Option<u8>,
    pub font: Option<Font>,
}

/// The colour of buttons and marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent([u8; 3]);

/// A font of the visitor's device, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Font(String);

impl Accent {
    /// Ours.
    pub const OURS: Accent = Accent([0x0b, 0x57, 0xd0]);

    /// Reads `#rrggbb` or `#rgb`.
    pub fn parse(text: &str) -> Option<Accent> {
        let digits = text.strip_prefix('#')?;
        let doubled: String;
        let digits = match digits.len() {
            3 if digits.is_ascii() => {
                doubled = digits.chars().flat_map(|digit| [digit, digit]).collect();
                doubled.as_str()
            }
            _ => digits,
        };
        let mut rgb = [0; 3];
        hex::decode_to_slice(digits, &mut rgb).ok()?;
        Some(Accent(rgb))
    }

    /// The colour of text on it: white, or black where white has too little contrast.
    pub fn text(self) -> Accent {
        let white = Accent([0xff; 3]);
        match self.contrast(white) >= ENOUGH {
            true => white,
            false => Accent([0; 3]),
        }
    }

    /// The contrast of two colours, from 1 to 21, after WCAG 2.2.
    pub fn contrast(self, other: Accent) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Source: <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            match part <= 0.04045 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", hex::encode(self.0))
    }
}

impl Font {
    /// Reads the name of a font: letters, digits, blanks and hyphens. `system` is none.
    pub fn parse(text: &str) -> Option<Font> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let fits = text.len() <= LONGEST_FONT && text.chars().all(is_plain);
        (begins && fits && !text.ends_with(' ') && text != SYSTEM).then(|| Font(text.to_owned()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The word for the font of the visitor's system.
const SYSTEM: &str = "system";

impl Theme {
    /// Reads what settings say of a font.
    pub fn font_of(text: &str) -> Option<Option<Font>> {
        match text {
            SYSTEM => Some(None),
            name => Font::parse(name).map(Some),
        }
    }

    /// What settings say of the font.
    pub fn font_name(&self) -> &str {
        self.font.as_ref().map_or(SYSTEM, Font::as_str)
    }

    /// Reads a radius that there may be.
    pub fn radius_of(text: &str) -> Option<u8> {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let radius = text.parse().ok().filter(|_| is_plain)?;
        (radius <= LARGEST_RADIUS).then_some(radius)
    }

    /// The theme that the query of a stylesheet's address describes; what cannot be read is ours.
    pub fn of_query(query: &str) -> Theme {
        let mut theme = Theme::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "accent" => theme.accent = Accent::parse(&format!("#{value}")),
                "radius" => theme.radius = Theme::radius_of(&value),
                "font" => theme.font = Font::parse(&value),
                _ => {}
            }
        }
        theme
    }

    /// The query of the stylesheet's address.
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(accent) = self.accent {
            query.append_pair("accent", &hex::encode(accent.0));
        }
        if let Some(radius) = self.radius {
            query.append_pair("radius", &radius.to_string());
        }
        if let Some(font) = &self.font {
            query.append_pair("font", font.as_str());
        }
        query.finish()
    }

    /// The stylesheet: three properties that the page's own one uses.
    pub fn css(&self) -> String {
        let accent = self.accent.unwrap_or(Accent::OURS);
        let radius = self.radius.unwrap_or(8);
        let font = self.font.as_ref().map(|font| format!("\"{}\", ", font.0));
        format!(
            ":root{{--accent:{accent};--on-accent:{};--radius:{radius}px;--font:{}system-ui,sans-serif}}\n",
            accent.text(),
            font.unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn colours_are_six_or_three_hex_digits() {
        let parse = |text: &str| Accent::parse(text).map(|accent| accent.to_string());
        assert_eq!(parse("#0B57d0").as_deref(), Some("#0b57d0"));
        assert_eq!(parse("#fa0").as_deref(), Some("#ffaa00"));
        for bad in [
            "", "#", "0b57d0", "#12345", "#1234567", "red", "#00000g", "#é0", "url(x)",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn fonts_and_radii_are_plain() {
        assert!(Font::parse("IBM Plex Sans").is_some());
        for bad in ["", " x", "x ", "a\"b", "a;b", "a}b", "system", "1x", "é"] {
            assert_eq!(Font::parse(bad), None, "{bad}");
        }
        assert_eq!(Theme::radius_of("24"), Some(24));
        for bad in ["25", "-1", "+1", "", "1.5", "256"] {
            assert_eq!(Theme::radius_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn light_colours_have_black_text() {
        let text = |accent: &str| Accent::parse(accent).unwrap().text().to_string();
        assert_eq!(text("#0b57d0"), "#ffffff");
        assert_eq!(text("#ffee00"), "#000000");
        assert_eq!(text("#777777"), "#000000");
        assert_eq!(text("#767676"), "#ffffff");
        let [black, white] = ["#000", "#fff"].map(|text| Accent::parse(text).unwrap());
        assert!((black.contrast(white) - 21.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn text_on_every_colour_can_be_read(rgb: [u8; 3]) {
            let accent = Accent(rgb);
            prop_assert!(accent.contrast(accent.text()) >= ENOUGH);
        }

        #[test]
        fn an_address_tells_the_whole_theme(rgb: Option<[u8; 3]>, radius in prop::option::of(0_u8..=24),
            font in prop::option::of("[A-Za-z][A-Za-z0-9 -]{0,38}[A-Za-z0-9]")) {
            let font = font.as_deref().and_then(Font::parse);
            let theme = Theme { accent: rgb.map(Accent), radius, font };
            prop_assert_eq!(Theme::of_query(&theme.query()), theme);
        }

        #[test]
        fn nothing_in_an_address_leaves_its_property(query in "\\PC{0,80}") {
            let css = Theme::of_query(&query).css();
            prop_assert_eq!(css.matches(['{', '}']).count(), 2);
            prop_assert_eq!(css.matches(';').count(), 3);
            prop_assert!(!css.contains("url") || query.contains("url"));
        }
    }
}
