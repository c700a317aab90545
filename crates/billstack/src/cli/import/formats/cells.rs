//! What stands in a cell.

use reqwest::Url;

/// How it is written that there is nothing where a number or a time is asked for, and that there is something.
const NOTHING: [&str; 6] = ["false", "no", "none", "null", "nil", "n/a"];
const SOMETHING: [&str; 2] = ["true", "yes"];

/// Whether a cell says that there is something: an amount of money other than zero, however it is written, a number or a
/// time. Nothing where it cannot be read.
pub(super) fn is_something(cell: &str) -> Option<bool> {
    let mut digits = cell.chars().filter(|c| c.is_numeric()).peekable();
    if digits.peek().is_some() {
        return Some(digits.any(|digit| digit != '0'));
    }
    let word = cell.trim().to_lowercase();
    let is_nothing = !word.contains(char::is_alphanumeric) || NOTHING.contains(&&*word);
    match is_nothing {
        true => Some(false),
        false => SOMETHING.contains(&&*word).then_some(true),
    }
}

/// The key of a link, which is the last part of its path; anything else is a key as it is.
pub(super) fn key_of(cell: &str) -> String {
    key_of_link(cell).unwrap_or_else(|| cell.to_owned())
}

fn key_of_link(cell: &str) -> Option<String> {
    let url = Url::parse(cell).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let last = url.path_segments()?.rfind(|part| !part.is_empty())?;
    let decoded = percent_encoding::percent_decode_str(last)
        .decode_utf8()
        .ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_nothing_however_it_is_written() {
        for nothing in [
            "0",
            "0.0",
            "0.00",
            "$0.00",
            "-$0.00",
            "0,00 \u{20ac}",
            "US$ 0",
            "USD 0.00",
            "0.000 KWD",
            "\u{a5}0",
            "0000-00-00 00:00:00",
            "false",
            "No",
            "null",
            "n/a",
            "-",
            "\u{2014}",
            "",
        ] {
            assert_eq!(is_something(nothing), Some(false), "{nothing:?}");
        }
        for something in [
            "1",
            "0.01",
            "$0.01",
            "-$5.00",
            "0,50 \u{20ac}",
            "$1,049.00",
            "2025-01-01T00:00:00Z",
            "true",
            "yes",
            "\u{662}",
        ] {
            assert_eq!(is_something(something), Some(true), "{something:?}");
        }
        for unread in ["Jan", "soon", "\u{434}\u{430}"] {
            assert_eq!(is_something(unread), None, "{unread:?}");
        }
    }

    #[test]
    fn the_key_of_a_link_is_the_last_part_of_its_path() {
        for (cell, key) in [
            ("https://go.example.com/adam", "adam"),
            ("http://go.example.com/refer/adam/?utm=x#top", "adam"),
            ("https://go.example.com/caf%C3%A9", "caf\u{e9}"),
            ("https://go.example.com/", "https://go.example.com/"),
            ("adam", "adam"),
            ("adam@example.com", "adam@example.com"),
            ("mailto:adam@example.com", "mailto:adam@example.com"),
        ] {
            assert_eq!(key_of(cell), key);
        }
    }
}
