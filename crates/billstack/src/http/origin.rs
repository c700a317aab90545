//! Whether a write that carries a cookie comes from our own pages.
//!
//! Browsers attach the cookie to requests other sites cause, so the cookie alone proves nothing.
//! `Sec-Fetch-Site` is set by the browser and out of a page's reach; where it is missing, an
//! `Origin` equal to ours stands in for it. A request with neither is refused.

use axum::http::{HeaderMap, HeaderName, Uri, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the request was made by our own pages or by the person directly.
///
/// `base_url` is the address people reach us at; without one, the request's own `Host` counts.
#[must_use]
pub fn same_origin(headers: &HeaderMap, base_url: Option<&str>) -> bool {
    if headers.contains_key(&SEC_FETCH_SITE) {
        return matches!(only(headers, &SEC_FETCH_SITE), Some("same-origin" | "none"));
    }
    let Some(origin) = only(headers, &header::ORIGIN).and_then(Origin::of_header) else {
        return false;
    };
    match base_url {
        Some(url) => Origin::parse(url).is_some_and(|ours| ours == origin),
        None => only(headers, &header::HOST).is_some_and(|host| origin.is_at(host)),
    }
}

/// The value of a header that was sent exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    match values.next() {
        Some(_) => None,
        None => value.to_str().ok(),
    }
}

/// Scheme, host and port, as browsers compare them.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads the origin of a URL, whatever path follows it.
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let port = port_of(authority.as_str(), authority.host(), &scheme)?;
        let host = authority.host().to_ascii_lowercase();
        Some(Self { scheme, host, port })
    }

    /// Reads an `Origin` header, which has neither path nor query and is often just `null`.
    fn of_header(value: &str) -> Option<Self> {
        let (_, authority) = value.split_once("://")?;
        if authority.contains(['/', '?', '#']) {
            return None;
        }
        Self::parse(value)
    }

    /// Whether a `Host` header names this origin. It has no scheme, so ours is assumed.
    fn is_at(&self, host: &str) -> bool {
        let url = format!("{}://{host}", self.scheme);
        Self::of_header(&url).is_some_and(|other| other == *self)
    }
}

/// The port written after the host, or the scheme's own.
fn port_of(authority: &str, host: &str, scheme: &str) -> Option<u16> {
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    match authority.strip_prefix(host)? {
        "" => Some(default),
        rest => rest.strip_prefix(':')?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn allowed(sent: &[(&'static str, &str)], base_url: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        same_origin(&headers, base_url)
    }

    #[test]
    fn fetch_metadata_decides_when_present() {
        let site = |value| allowed(&[("sec-fetch-site", value)], None);
        assert!(site("same-origin"));
        assert!(site("none"));
        for other in ["same-site", "cross-site", "", "Same-Origin", "none, none"] {
            assert!(!site(other), "{other}");
        }
        let right_origin = [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://a.example"),
        ];
        assert!(!allowed(&right_origin, Some("https://a.example")));
        let twice = [("sec-fetch-site", "none"), ("sec-fetch-site", "none")];
        assert!(!allowed(&twice, None));
    }

    #[test]
    fn origin_against_the_base_url() {
        let from = |origin| allowed(&[("origin", origin)], Some("https://A.example/app/"));
        assert!(from("https://a.example"));
        assert!(from("https://a.example:443"));
        for other in [
            "http://a.example",
            "https://a.example:8443",
            "https://b.example",
            "https://a.example.evil.test",
            "https://x@a.example",
            "https://a.example/",
            "a.example",
            "null",
            "",
        ] {
            assert!(!from(other), "{other}");
        }
    }

    #[test]
    fn origin_against_the_host() {
        let at = |origin, host| allowed(&[("origin", origin), ("host", host)], None);
        assert!(at("http://localhost:8080", "localhost:8080"));
        assert!(at("https://a.example", "A.example"));
        assert!(at("https://a.example", "a.example:443"));
        assert!(at("http://[::1]:8080", "[::1]:8080"));
        assert!(!at("http://localhost:8081", "localhost:8080"));
        assert!(!at("http://a.example", "b.example"));
        assert!(!at("null", "null"));
    }

    #[test]
    fn silence_is_refused() {
        assert!(!allowed(&[], None));
        assert!(!allowed(&[("host", "a.example")], None));
        assert!(!allowed(&[("origin", "https://a.example")], None));
        let twice = [
            ("origin", "https://a.example"),
            ("origin", "https://a.example"),
        ];
        assert!(!allowed(&twice, Some("https://a.example")));
    }
}
