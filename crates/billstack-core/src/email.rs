//! E-mail addresses: how one is compared, and when two belong to one person.
//!
//! The rule is kept small enough for one regular expression, so that the API document can state it
//! exactly and a client can check it before calling. It does not try to prove that mail arrives.

/// The longest part before the `@`, in characters (RFC 5321, section 4.5.3.1.1).
const LOCAL_MAX: usize = 64;

/// The longest part after the `@`, in characters: what [`LOCAL_MAX`] and the `@` leave of the 254
/// that a mail path can carry (RFC 3696, erratum 1690).
const DOMAIN_MAX: usize = 189;

/// The inputs that [`normalize`] accepts, as a regular expression for a JSON schema.
///
/// It reads the same in ECMA-262, Python, Java and Rust: no look-around, and no `\s`, whose
/// meaning differs among them. The excluded ranges are Unicode's control and white-space
/// characters; lengths count characters.
pub const PATTERN: &str = concat!(
    r"^[\t\n\f\r ]*",
    r"[^@\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{1,64}",
    r"@",
    r"[^@\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{1,189}",
    r"[\t\n\f\r ]*$",
);

/// The form in which addresses are stored and compared: trimmed and in lower case, ASCII only.
///
/// `None` unless there is exactly one `@` with 1 to 64 characters before it and 1 to 189 after it,
/// none of them white space or a control character. That makes 254 characters at most.
pub fn normalize(text: &str) -> Option<String> {
    let trimmed = text.trim_ascii();
    let (local, domain) = trimmed.split_once('@')?;
    let well_formed = is_part(local, LOCAL_MAX) && is_part(domain, DOMAIN_MAX);
    well_formed.then(|| trimmed.to_ascii_lowercase())
}

fn is_part(part: &str, longest: usize) -> bool {
    let allowed = |c: char| c != '@' && !c.is_whitespace() && !c.is_control();
    // Checks the length in bytes first, so that a huge text is refused without reading it.
    (1..=longest * 4).contains(&part.len())
        && part.chars().count() <= longest
        && part.chars().all(allowed)
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

    /// The characters that [`PATTERN`] excludes besides `@`, written out a second time.
    fn is_excluded(c: char) -> bool {
        matches!(
            c,
            '\u{0}'..='\u{20}' | '\u{7f}'..='\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
                | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
        )
    }

    /// What [`PATTERN`] says, without a regular expression engine.
    fn matches_pattern(text: &str) -> bool {
        let inner = text.trim_matches(['\t', '\n', '\u{c}', '\r', ' ']);
        let parts: Vec<&str> = inner.split('@').collect();
        let fits = |part: &str, longest| {
            (1..=longest).contains(&part.chars().count()) && !part.chars().any(is_excluded)
        };
        parts.len() == 2 && fits(parts[0], 64) && fits(parts[1], 189)
    }

    #[test]
    fn the_pattern_excludes_what_unicode_calls_space_or_control() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_excluded(c), c.is_whitespace() || c.is_control(), "{c:?}");
        }
        for bound in [LOCAL_MAX, DOMAIN_MAX] {
            assert!(PATTERN.contains(&format!("{{1,{bound}}}")));
        }
        assert_eq!(LOCAL_MAX + 1 + DOMAIN_MAX, 254);
    }

    #[test]
    fn trims_and_folds_ascii() {
        let normal = |text| normalize(text).unwrap();
        assert_eq!(normal(" Alice@Example.COM\r\n"), "alice@example.com");
        assert_eq!(normal("a@b"), "a@b");
        assert_eq!(normal("JOSÉ@example.com"), "josÉ@example.com");
        assert_eq!(normal(&format!("{}@b", "é".repeat(64))).len(), 130);
    }

    #[test]
    fn refuses_what_is_no_address() {
        let long_local = format!("{}@b", "a".repeat(65));
        let long_domain = format!("a@{}", "b".repeat(190));
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
            &long_local,
            &long_domain,
        ] {
            assert_eq!(normalize(bad), None, "{bad:?}");
        }
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
            prop_assert!(normalize(&text).is_some());
        }

        #[test]
        fn accepts_nothing_else(text in prop_oneof![nearly_an_address(), any::<String>()]) {
            prop_assert_eq!(normalize(&text).is_some(), matches_pattern(&text));
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
