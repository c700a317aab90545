//! The languages of the page.

text_enum! {
    /// A language of the page.
    pub enum Locale {
        English = "en",
        German = "de",
        French = "fr",
        Spanish = "es",
        Portuguese = "pt",
    }
}

impl Locale {
    /// Reads a tag such as `de`, `de-AT` or `pt_BR`; `None` for a language that the page does not have.
    pub fn of_tag(tag: &str) -> Option<Locale> {
        let language = tag.split(['-', '_']).next()?;
        Locale::parse(&language.to_ascii_lowercase())
    }

    /// The language that an `Accept-Language` wants most, of those that the page has.
    pub fn of_accept_language(header: &str) -> Option<Locale> {
        let mut best: Option<(u32, Locale)> = None;
        for part in header.split(',').take(32) {
            let mut words = part.split(';');
            let locale = words.next().and_then(|tag| Locale::of_tag(tag.trim()));
            let weight = words.find_map(|word| word.trim().strip_prefix("q="));
            let weight = weight.map_or(Some(1000), thousandths).unwrap_or(0);
            // Of two that are wanted as much, the first one counts.
            if let Some(locale) = locale.filter(|_| weight > best.map_or(0, |(most, _)| most)) {
                best = Some((weight, locale));
            }
        }
        best.map(|(_, locale)| locale)
    }
}

/// Reads a weight such as `0.8` in thousandths.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u32 = format!("{part:0<3}").parse().ok()?;
    Some((whole * 1000 + part).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_wanted_most_counts() {
        for (header, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some(Locale::German)),
            ("it,fr;q=0.5,es;q=0.7", Some(Locale::Spanish)),
            ("en;q=0, pt-BR;q=0.1", Some(Locale::Portuguese)),
            ("fr, de", Some(Locale::French)),
            ("it, ja", None),
            ("", None),
            ("de;q=x,en;q=0.1", Some(Locale::English)),
            ("*", None),
        ] {
            assert_eq!(Locale::of_accept_language(header), expected, "{header}");
        }
        assert_eq!(Locale::of_tag("PT_br"), Some(Locale::Portuguese));
        assert_eq!(Locale::of_tag("deu"), None);
    }
}
