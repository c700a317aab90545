//! E-mail addresses: the one form in which they are kept and compared, and when two belong to one person.
//!
//! Two spellings that mail systems deliver to one place must not be two people, so every address that comes in (from
//! a caller, from Stripe, from the command line) goes through [`normalize`] before it is compared:
//!
//! 1. White space and invisible characters around it go, and so does `mailto:` (RFC 6068, section 2). Invisible are
//!    those that Unicode calls default ignorable, direction marks among them
//!    (<https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point>).
//! 2. The part before the `@` is folded as RFC 6532, section 3.1, advises for comparison: compatibility forms
//!    (NFKC), then lower case.
//! 3. The domain is mapped as browsers and mail programs map it (UTS 46, <https://www.unicode.org/reports/tr46/>):
//!    full-width letters, upper case and the `xn--` form become one. A dot at its end, which only says that the name
//!    is complete (RFC 1034, section 3.1), goes.
//!
//! What no mail system would take is no address: anything invisible inside, a special character of RFC 5322 outside
//! of quotes, an empty or too long label. It does not try to prove that mail arrives.

use unicode_normalization::UnicodeNormalization as _;

/// The longest part before the `@`, in characters (RFC 5321, section 4.5.3.1.1).
const LOCAL_MAX: usize = 64;

/// The longest address, in characters: what a mail path can carry (RFC 3696, erratum 1690).
const LONGEST: usize = 254;

/// The longest label of a domain, in characters (RFC 1035, section 2.3.4).
const LABEL_MAX: usize = 63;

/// What may stand around an address.
macro_rules! edge {
    () => {
        concat!(
            r"[\t\n\f\r \u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f",
            r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8]*"
        )
    };
}

/// The characters outside of ASCII that may not stand inside: controls, white space and what is invisible.
macro_rules! unseen {
    () => {
        concat!(
            r"\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f",
            r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
        )
    };
}

/// The part before the `@`.
macro_rules! local {
    () => {
        concat!(r#"[^@\u0000-\u0020"(),:;<>\[\\\]"#, unseen!(), "]{1,64}")
    };
}

/// A label of the domain.
macro_rules! label {
    () => {
        concat!(
            r"[^\u0000-\u002c\u002e\u002f\u003a-\u0040\u005b-\u005e\u0060\u007b-\u007e",
            unseen!(),
            "]{1,63}"
        )
    };
}

/// The inputs that [`normalize`] may accept, as a regular expression for a JSON schema. In ASCII it accepts all of
/// them that are not longer than an address can be; outside, a few that match are not an address after mapping.
///
/// It reads the same in ECMA-262, Python, Java and Rust: no look-around, no `\s`, whose meaning differs among them,
/// and nothing beyond `\uffff`.
pub const PATTERN: &str = concat!(
    "^",
    edge!(),
    "([Mm][Aa][Ii][Ll][Tt][Oo]:)?",
    local!(),
    "@",
    label!(),
    r"(\.",
    label!(),
    r")*\.*",
    edge!(),
    "$",
);

/// The form in which addresses are stored and compared; `None` when it is no address.
pub fn normalize(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || is_invisible(c));
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &text[7..],
        _ => text,
    };
    // Looks at the length in bytes first, so that a huge text is refused without reading it.
    if text.len() > LONGEST * 4 {
        return None;
    }
    let (local, domain) = text.split_once('@')?;
    if !is_local(local) || !domain.chars().all(is_of_domain) {
        return None;
    }
    let (local, domain) = (fold_local(local), fold_domain(domain)?);
    let address = format!("{local}@{domain}");
    let fits = is_local(&local) && address.chars().count() <= LONGEST;
    fits.then_some(address)
}

fn is_local(local: &str) -> bool {
    let allowed = |c: char| c != '@' && !is_unseen(c) && !r#""(),:;<>[\]"#.contains(c);
    (1..=LOCAL_MAX).contains(&local.chars().count()) && local.chars().all(allowed)
}

fn is_of_domain(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "-_.".contains(c),
        false => !is_unseen(c),
    }
}

fn fold_local(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let folded: String = local.nfkc().collect();
    folded.to_lowercase().nfkc().collect()
}

/// The domain as its readers see it: in lower case, mapped, without a dot at its end.
fn fold_domain(domain: &str) -> Option<String> {
    let mut folded = domain.to_ascii_lowercase();
    if !folded.is_ascii() || folded.contains("xn--") {
        let ascii = idna::domain_to_ascii(&folded).ok()?;
        let (mapped, valid) = idna::domain_to_unicode(&ascii);
        valid.ok()?;
        folded = mapped;
    }
    let folded = folded.trim_end_matches('.');
    let is_label = |label: &str| (1..=LABEL_MAX).contains(&label.chars().count());
    let well_formed = folded.split('.').all(is_label) && folded.chars().all(is_of_domain);
    well_formed.then(|| folded.to_owned())
}

/// White space, a control character, or one that is not seen.
fn is_unseen(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_invisible(c)
}

/// Whether Unicode calls it default ignorable: it is drawn as nothing.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The mailbox behind a normalised address, for telling whether two people are one.
///
/// Removes a `+tag`, and for `gmail.com` and `googlemail.com`, which name the same mailboxes, the
/// dots that Google ignores (<https://support.google.com/mail/answer/7436150>). Never used to send
/// mail or to find a customer: elsewhere dots and even `+` may tell people apart.
pub fn identity(normalized: &str) -> String {
    let Some((local, domain)) = normalized.split_once('@') else {
        return normalized.to_owned();
    };
    // An address that begins with `+` has no name in front of the tag; cutting would make all of
    // them one person.
    let mailbox = match local.find('+') {
        Some(tag) if tag > 0 => &local[..tag],
        _ => local,
    };
    if domain != "gmail.com" && domain != "googlemail.com" {
        return format!("{mailbox}@{domain}");
    }
    let undotted = mailbox.replace('.', "");
    let mailbox = if undotted.is_empty() {
        mailbox
    } else {
        &undotted
    };
    format!("{mailbox}@gmail.com")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::string::string_regex;

    #[test]
    fn one_address_has_one_form() {
        for spelling in [
            "kim@gmail.com",
            " Kim@GMail.com\r\n",
            "kim@gmail.com.",
            "kim@gmail.com..",
            "\u{feff}kim@gmail.com\u{200b}",
            "\u{2066}kim@gmail.com\u{2069}",
            "\u{202a}mailto:kim@gmail.com\u{202c}",
            "MAILTO:kim@gmail.com",
            "ｋｉｍ@gmail.com",
            "kim@ｇｍａｉｌ.com",
            "kim@gmail。com",
            "\u{e0020}kim@gmail.com",
        ] {
            assert_eq!(
                normalize(spelling).as_deref(),
                Some("kim@gmail.com"),
                "{spelling:?}"
            );
        }
        for spelling in [
            "k@bücher.example",
            "K@BÜCHER.example",
            "k@xn--bcher-kva.example",
        ] {
            assert_eq!(normalize(spelling).as_deref(), Some("k@bücher.example"));
        }
        let normal = |text| normalize(text).unwrap();
        assert_eq!(normal("a@b"), "a@b");
        assert_eq!(normal("JOSÉ@example.com"), "josé@example.com");
        assert_eq!(normal("jose\u{301}@example.com"), "josé@example.com");
        assert_eq!(normal("a_b@my_host.example"), "a_b@my_host.example");
        assert_eq!(normal(&format!("{}@b", "é".repeat(64))).len(), 130);
    }

    #[test]
    fn refuses_what_is_no_address() {
        let long_local = format!("{}@b", "a".repeat(65));
        let long_label = format!("a@{}", "b".repeat(64));
        let long = format!("a@{}b", "b.".repeat(127));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "ab",
            "a@b@c",
            "a b@c",
            "a@b\0",
            "a@b\u{a0}",
            "\u{b}a@b",
            "a\u{3000}@b",
            "a@b\u{85}",
            "a@.",
            "a@.b",
            "a@b..c",
            "ki\u{200b}m@gmail.com",
            "kim@gm\u{2060}ail.com",
            "kim@gmail\u{202e}.com",
            "ki\u{ad}m@gmail.com",
            "mailto:mailto:kim@gmail.com",
            "http:kim@gmail.com",
            "kim,tim@gmail.com",
            "<kim@gmail.com>",
            "kim@gmail.com?subject=x",
            "kim@gmail.com/",
            "\"k\"@b",
            "kim＠tim@gmail.com",
            "k@xn--a",
            "k\u{e0041}@b",
            &long_local,
            &long_label,
            &long,
        ] {
            assert_eq!(normalize(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_pattern_says_the_same_bounds() {
        assert!(PATTERN.contains(&format!("{{1,{LOCAL_MAX}}}@")));
        assert!(PATTERN.contains(&format!("{{1,{LABEL_MAX}}}")));
        let written = |c: char| PATTERN.contains(&format!("\\u{:04x}", u32::from(c)));
        for c in ['\u{ad}', '\u{200b}', '\u{202e}', '\u{2060}', '\u{feff}'] {
            assert!(is_invisible(c) && !c.is_whitespace(), "{c:?}");
        }
        assert!(written('\u{feff}') && written('\u{ad}'));
    }

    #[test]
    fn one_person_has_one_identity() {
        for (address, mailbox) in [
            ("ann+shop@example.com", "ann@example.com"),
            ("ann+a+b@example.com", "ann@example.com"),
            ("a.nn@example.com", "a.nn@example.com"),
            ("a.n.n+x@gmail.com", "ann@gmail.com"),
            ("ann@googlemail.com", "ann@gmail.com"),
            ("+a@example.com", "+a@example.com"),
            ("...@gmail.com", "...@gmail.com"),
            ("ann@mail.gmail.com", "ann@mail.gmail.com"),
            ("not an address", "not an address"),
        ] {
            assert_eq!(identity(address), mailbox);
        }
    }

    /// Texts that are nearly addresses, so that both outcomes come up often.
    fn nearly_an_address() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-zA-Z0-9.+-]{1,40}",
            1 => "[ \t\r\n\u{b}\u{c}]{1,2}",
            1 => any::<char>().prop_map(String::from),
            3 => Just("@".to_owned()),
        ];
        prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn accepts_whatever_matches_the_pattern(
            text in string_regex(PATTERN.trim_matches(['^', '$'])).unwrap(),
        ) {
            let (is_short, is_ascii) = (text.trim().len() <= LONGEST, text.is_ascii());
            prop_assert!(normalize(&text).is_some() || !is_short || !is_ascii);
        }

        #[test]
        fn accepts_whatever_is_plain(
            text in r"[ \t]{0,2}(mailto:)?[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9_-]{1,20}(\.[a-z]{1,20}){0,4}\.{0,2}[\u{feff}\n]{0,2}",
        ) {
            prop_assume!(!text.contains("xn--"));
            prop_assert!(normalize(&text).is_some(), "{:?}", text);
        }

        #[test]
        fn keeps_nothing_that_is_not_seen(text in any::<String>(), edge in any::<char>()) {
            for text in [format!("{text}@b"), format!("a@{text}"), format!("a{edge}@b")] {
                if let Some(address) = normalize(&text) {
                    prop_assert!(!address.chars().any(is_unseen));
                    prop_assert_eq!(normalize(&address), Some(address.clone()));
                }
            }
        }

        #[test]
        fn both_forms_are_stable(text in nearly_an_address()) {
            if let Some(address) = normalize(&text) {
                prop_assert_eq!(normalize(&address), Some(address.clone()));
                let mailbox = identity(&address);
                prop_assert_eq!(identity(&mailbox), mailbox.clone());
                prop_assert_eq!(normalize(&mailbox), Some(mailbox));
            }
        }
    }
}
