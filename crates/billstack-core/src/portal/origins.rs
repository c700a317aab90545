//! The origins of pages that may show a customer's page, or ask for what it shows.

use url::Host;

/// The longest origin, in bytes.
const LONGEST: usize = 300;

/// The origins that a project allows, as they were written.
pub type Origins = Vec<String>;

/// A pattern of origins, in parts.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    is_secure: bool,
    host: &'a str,
    /// As it is written; `None` for that of the scheme.
    port: Option<&'a str>,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = text.split_once("://")?;
    let is_secure = match scheme {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    Some(Parts {
        is_secure,
        host,
        port,
    })
}

/// Reads an origin that a project may allow, in small letters: `https://host`, `https://host:8443`,
/// `https://*.example.com`, `http://localhost:*`.
pub(super) fn read(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let Parts {
        is_secure,
        host,
        port,
    } = parts(&text)?;
    // A browser treats this machine as safe without TLS.
    let is_local = !is_secure && host == "localhost";
    let is_port = |port: &str| {
        let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
        is_plain && port.parse::<u16>().is_ok()
    };
    let port_fits = match port {
        None => true,
        Some("*") => is_local,
        Some(port) => is_port(port),
    };
    let host_fits = match host.strip_prefix("*.") {
        // Whoever allows a whole domain of the first level allows strangers.
        Some(domain) => is_secure && port.is_none() && domain.contains('.') && is_name(domain),
        None => is_local || (is_secure && is_name(host)),
    };
    // The port of the scheme is not written, neither by browsers.
    (port_fits && host_fits && port != Some("443")).then_some(text)
}

/// A name of a host as addresses hold it.
fn is_name(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let parsed = Host::parse(host).ok();
    host.bytes().all(is_plain)
        && matches!(parsed, Some(Host::Domain(name)) if name == host && !name.ends_with('.'))
}

/// Whether one of the allowed origins is this one, as a browser sends it.
pub fn allows(allowed: &[String], origin: &str) -> bool {
    let Some(asked) = parts(origin).filter(|_| read(origin).is_some() && !origin.contains('*'))
    else {
        return false;
    };
    allowed.iter().filter_map(|text| parts(text)).any(|known| {
        let host_fits = match known.host.strip_prefix('*') {
            Some(end) => asked.host.len() > end.len() && asked.host.ends_with(end),
            None => asked.host == known.host,
        };
        let port_fits = known.port == Some("*") || asked.port == known.port;
        known.is_secure == asked.is_secure && host_fits && port_fits
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for good in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "https://*.example.com",
            "http://localhost:*",
            "http://localhost:3000",
            "http://localhost",
            "https://xn--bcher-kva.example",
        ] {
            assert_eq!(read(good).as_deref(), Some(good));
        }
        assert_eq!(
            read("HTTPS://App.Example.com").as_deref(),
            Some("https://app.example.com")
        );
        for bad in [
            "",
            "*",
            "https://*",
            "https://*.com",
            "https://*.*.com",
            "https://a*.example.com",
            "http://example.com",
            "http://localhost.example.com",
            "https://example.com/",
            "https://example.com/path",
            "https://example.com?x",
            "https://me@example.com",
            "https://example.com:443",
            "https://example.com:0",
            "https://example.com:080",
            "https://example.com:*",
            "https://*.example.com:8443",
            "https://example.com; script-src *",
            "https://example.com 'unsafe-inline'",
            "https://exa\nmple.com",
            "https://example.com.",
            "https://10.0.0.1",
            "https://[::1]",
            "ftp://example.com",
            "null",
            "javascript://example.com",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_origin_is_allowed_by_name_or_below_a_domain() {
        let allowed: Vec<String> = [
            "https://app.example.com",
            "https://*.shop.example",
            "http://localhost:*",
            "https://odd.example:8443",
        ]
        .map(str::to_owned)
        .into();
        for good in [
            "https://app.example.com",
            "https://a.shop.example",
            "https://a.b.shop.example",
            "http://localhost:3000",
            "http://localhost",
            "https://odd.example:8443",
        ] {
            assert!(allows(&allowed, good), "{good}");
        }
        for bad in [
            "https://example.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://shop.example",
            "https://evilshop.example",
            "https://odd.example",
            "https://localhost:3000",
            "https://*.shop.example",
            "null",
            "",
        ] {
            assert!(!allows(&allowed, bad), "{bad}");
        }
        assert!(!allows(&[], "https://app.example.com"));
    }

    proptest! {
        #[test]
        fn what_is_read_fits_into_a_header(text in "\\PC{0,60}") {
            if let Some(read) = read(&text) {
                prop_assert!(read.bytes().all(|b| b.is_ascii_graphic() && !b";,'\"".contains(&b)));
                prop_assert_eq!(super::read(&read), Some(read.clone()));
            }
        }
    }
}
