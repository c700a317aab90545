//! The session cookie: how it is set, cleared and found again.

use axum::http::{HeaderMap, HeaderValue, header};

const PLAIN_NAME: &str = "billstack_session";
const SECURE_NAME: &str = "__Host-billstack_session";

const PLAIN_PORTAL_NAME: &str = "billstack_portal";
const SECURE_PORTAL_NAME: &str = "__Host-billstack_portal";

/// No token of ours is longer, so nothing longer is worth looking up.
const MAX_TOKEN_BYTES: usize = 256;

/// How this server writes and reads its session cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCookie {
    /// Whether people reach the server over https, so that the cookie may demand it too.
    pub secure: bool,
    /// Whose session it is.
    pub holder: Holder,
}

/// Who has a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Somebody who has signed in.
    User,
    /// A customer on their own page.
    Customer,
}

impl SessionCookie {
    /// The cookie's name. The `__Host-` prefix keeps a sibling domain from planting one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.holder, self.secure) {
            (Holder::User, true) => SECURE_NAME,
            (Holder::User, false) => PLAIN_NAME,
            (Holder::Customer, true) => SECURE_PORTAL_NAME,
            (Holder::Customer, false) => PLAIN_PORTAL_NAME,
        }
    }

    /// The `Set-Cookie` value that hands out a session.
    ///
    /// # Panics
    /// If `token` is not made of letters, digits, `-`, `_` and `.`: tokens are ours to choose.
    #[must_use]
    pub fn set(self, token: &str, max_age_seconds: u64) -> HeaderValue {
        assert!(
            is_token(token),
            "a session token is made of plain characters"
        );
        self.value(token, max_age_seconds)
    }

    /// The `Set-Cookie` value that takes the session away.
    #[must_use]
    pub fn clear(self) -> HeaderValue {
        self.value("", 0)
    }

    /// The token the client sent, if it sent exactly one of a possible shape.
    ///
    /// Two cookies of the same name mean that somebody else planted one; neither is believed.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> Option<String> {
        let mut found = None;
        for line in headers.get_all(header::COOKIE) {
            for pair in line.as_bytes().split(|b| *b == b';') {
                let Some((name, value)) = split_pair(pair) else {
                    continue;
                };
                if name != self.name().as_bytes() {
                    continue;
                }
                if found.replace(value).is_some() {
                    return None;
                }
            }
        }
        let token = std::str::from_utf8(found?).ok()?;
        is_token(token).then(|| token.to_owned())
    }

    fn value(self, token: &str, max_age: u64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}",
            self.name()
        );
        HeaderValue::try_from(text).expect("names, tokens and numbers are plain ASCII")
    }
}

fn split_pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|b| *b == b'=')?;
    Some((pair[..at].trim_ascii(), pair[at + 1..].trim_ascii()))
}

fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: SessionCookie = SessionCookie {
        secure: false,
        holder: Holder::User,
    };
    const SECURE: SessionCookie = SessionCookie {
        secure: true,
        ..PLAIN
    };

    fn sent(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn attributes() {
        assert_eq!(
            SECURE.set("abc", 60),
            "__Host-billstack_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            PLAIN.clear(),
            "billstack_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn found_among_others() {
        let headers = sent(&["a=1; billstack_session=tok-1 ;b=2", "c=3"]);
        assert_eq!(PLAIN.read(&headers).as_deref(), Some("tok-1"));
        assert_eq!(SECURE.read(&headers), None);
    }

    #[test]
    fn two_of_one_name_are_none() {
        let one_line = sent(&["billstack_session=a; billstack_session=a"]);
        let two_lines = sent(&["billstack_session=a", "billstack_session=b"]);
        assert_eq!(PLAIN.read(&one_line), None);
        assert_eq!(PLAIN.read(&two_lines), None);
    }

    #[test]
    fn shapes_that_are_no_token() {
        let long = format!("billstack_session={}", "x".repeat(257));
        for line in [
            "",
            "billstack_session=",
            "billstack_session=\"a\"",
            "billstack_session",
            &long,
        ] {
            assert_eq!(PLAIN.read(&sent(&[line])), None, "{line}");
        }
    }
}
