//! Which URLs an endpoint may have.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use url::{Host as UrlHost, Url};

/// The most bytes of a URL.
pub const MOST_BYTES: usize = 2_048;

/// A URL that webhooks may be sent to, as far as its form tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: Host,
    port: u16,
    is_tls: bool,
    inner_only: Option<BadUrl>,
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// One whose addresses are to be looked up.
    Name(String),
    /// One that is an address.
    Address(IpAddr),
}

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadUrl {
    /// It has too many bytes.
    TooLong,
    /// It is no URL, or one that programs read differently.
    Malformed,
    /// It names a user.
    UserInfo,
    /// It has a fragment, which is never sent.
    Fragment,
    /// It does not begin with `https://`.
    NotHttps,
    /// Its host is no name.
    NoName,
    /// Its port is one of those that other services have.
    Port,
}

impl BadUrl {
    /// What whoever chose it is told.
    pub fn message(self) -> &'static str {
        match self {
            BadUrl::TooLong => "The URL must have 2048 bytes at most.",
            BadUrl::Malformed => {
                "This is no URL, or not written in the usual form: https://host/path."
            }
            BadUrl::UserInfo => "The URL must not name a user or a password.",
            BadUrl::Fragment => "The URL must not have a fragment.",
            BadUrl::NotHttps => "The URL must begin with https://.",
            BadUrl::NoName => "The host of the URL must be a name, such as hooks.example.com.",
            BadUrl::Port => "The port of the URL must be 443 or above 1023.",
        }
    }
}

impl Target {
    /// Reads a URL. One that only the operator's own networks may have is read too; see
    /// [`inner_only`](Target::inner_only).
    pub fn parse(text: &str) -> Result<Target, BadUrl> {
        if text.len() > MOST_BYTES {
            return Err(BadUrl::TooLong);
        }
        look(text)?;
        let url = Url::parse(text).map_err(|_| BadUrl::Malformed)?;
        if url.as_str().len() > MOST_BYTES {
            return Err(BadUrl::TooLong);
        }
        let is_tls = url.scheme() == "https";
        let host = match url.host().ok_or(BadUrl::Malformed)? {
            UrlHost::Domain(name) => Host::Name(sound_name(name)?),
            UrlHost::Ipv4(address) => Host::Address(address.into()),
            UrlHost::Ipv6(address) => Host::Address(address.into()),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let port = port.ok_or(BadUrl::Port)?;
        let inner_only = if !is_tls {
            Some(BadUrl::NotHttps)
        } else if matches!(host, Host::Address(_)) {
            Some(BadUrl::NoName)
        } else if port != 443 && port <= 1023 {
            Some(BadUrl::Port)
        } else {
            None
        };
        Ok(Target {
            url,
            host,
            port,
            is_tls,
            inner_only,
        })
    }

    /// The URL as it is kept and sent to.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is called over TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// What only the operator's own networks may have: then every address of its host must be in them.
    pub fn inner_only(&self) -> Option<BadUrl> {
        self.inner_only
    }

    /// What stands in the first line of a request.
    pub(super) fn path_and_query(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// What stands in the header `Host`.
    pub(super) fn authority(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }
}

/// Looks at the text itself. A parser of browsers' URLs mends much: it drops line ends, takes `\` for `/`, any number of
/// slashes for two, and decodes a host. Another program that reads the same text may take it for another URL, so
/// whatever would be mended is refused.
fn look(text: &str) -> Result<(), BadUrl> {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if text.contains(is_odd) {
        return Err(BadUrl::Malformed);
    }
    let (scheme, rest) = text.split_once("://").ok_or(BadUrl::Malformed)?;
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(BadUrl::NotHttps);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if authority.contains('@') {
        return Err(BadUrl::UserInfo);
    }
    if authority.is_empty() || authority.contains('%') || authority.ends_with(':') {
        return Err(BadUrl::Malformed);
    }
    if rest.contains('#') {
        return Err(BadUrl::Fragment);
    }
    Ok(())
}

/// A name that can be looked up, and that a certificate can be for. With a dot at its end it would be the same host
/// under another name, and many certificates would not do.
fn sound_name(name: &str) -> Result<String, BadUrl> {
    let is_sound = !name.ends_with('.') && ServerName::try_from(name).is_ok();
    is_sound.then(|| name.to_owned()).ok_or(BadUrl::NoName)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Target {
        Target::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
    }

    #[test]
    fn a_usual_url_is_taken() {
        for (text, kept, port) in [
            ("https://a.test", "https://a.test/", 443),
            ("https://a.test:443/x", "https://a.test/x", 443),
            ("HTTPS://A.Test/X?y=1&z", "https://a.test/X?y=1&z", 443),
            ("https://a.test:1024/", "https://a.test:1024/", 1024),
            ("https://a.test:65535/", "https://a.test:65535/", 65535),
            ("https://a_b.test/", "https://a_b.test/", 443),
            ("https://bücher.test/", "https://xn--bcher-kva.test/", 443),
            ("https://a.test/%2e%2e/ü", "https://a.test/%C3%BC", 443),
            ("https://a.test/@b", "https://a.test/@b", 443),
            ("https://receiver/", "https://receiver/", 443),
        ] {
            let target = parsed(text);
            assert_eq!((target.as_str(), target.port()), (kept, port));
            assert_eq!(target.inner_only(), None, "{text}");
            assert!(target.is_tls() && matches!(target.host(), Host::Name(_)));
        }
        let target = parsed("https://a.test:8443/b/c?d=e");
        assert_eq!(target.authority(), "a.test:8443");
        assert_eq!(target.path_and_query(), "/b/c?d=e");
    }

    #[test]
    fn a_host_that_is_an_address_is_one_however_it_is_written() {
        for text in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.0.1/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://0X7F.0.0.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://①②⑦.⓪.⓪.①/",
            "https://１２７.０.０.１/",
            "https://127。0。0。1/",
            "https://127｡0｡0｡1/",
        ] {
            let target = parsed(text);
            let loopback = Host::Address("127.0.0.1".parse().expect("an address"));
            assert_eq!(*target.host(), loopback, "{text}");
            assert_eq!(target.inner_only(), Some(BadUrl::NoName), "{text}");
        }
        for (text, address) in [
            ("https://[::1]/", "::1"),
            ("https://[::ffff:7f00:1]/", "::ffff:127.0.0.1"),
            ("https://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1"),
            ("https://[0:0::0:1]:8443/", "::1"),
            ("https://[64:ff9b::7f00:1]/", "64:ff9b::7f00:1"),
            ("https://169.254.169.254/", "169.254.169.254"),
            ("https://0/", "0.0.0.0"),
        ] {
            let target = parsed(text);
            let address = Host::Address(address.parse().expect("an address"));
            assert_eq!(*target.host(), address, "{text}");
            assert_eq!(target.inner_only(), Some(BadUrl::NoName), "{text}");
        }
    }

    #[test]
    fn what_only_inner_networks_may_have_is_told() {
        for (text, why) in [
            ("http://a.test/", BadUrl::NotHttps),
            ("http://a.test:8443/", BadUrl::NotHttps),
            ("http://127.0.0.1:22/", BadUrl::NotHttps),
            ("https://a.test:22/", BadUrl::Port),
            ("https://a.test:80/", BadUrl::Port),
            ("https://a.test:1023/", BadUrl::Port),
        ] {
            assert_eq!(parsed(text).inner_only(), Some(why), "{text}");
        }
    }

    #[test]
    fn odd_forms_are_refused() {
        for (text, why) in [
            ("", BadUrl::Malformed),
            ("a.test", BadUrl::Malformed),
            ("//a.test/", BadUrl::Malformed),
            ("https:a.test", BadUrl::Malformed),
            ("https:/a.test", BadUrl::Malformed),
            ("https:///a.test", BadUrl::Malformed),
            ("https:\\\\a.test", BadUrl::Malformed),
            ("https://a.test\\b", BadUrl::Malformed),
            (" https://a.test/", BadUrl::Malformed),
            ("https://a.test/ ", BadUrl::Malformed),
            ("https://a.test/\n", BadUrl::Malformed),
            ("https://a.te\tst/", BadUrl::Malformed),
            ("https://a.test/\u{0}", BadUrl::Malformed),
            ("https://a.test/\u{85}", BadUrl::Malformed),
            ("https://a.test/\u{a0}", BadUrl::Malformed),
            ("https://", BadUrl::Malformed),
            ("https:///", BadUrl::Malformed),
            ("https://:443/", BadUrl::Malformed),
            ("https://a.test:/", BadUrl::Malformed),
            ("https://a.test:x/", BadUrl::Malformed),
            ("https://a.test:65536/", BadUrl::Malformed),
            ("https://a.test:-1/", BadUrl::Malformed),
            ("https://a.test:0/", BadUrl::Port),
            ("https://user@a.test/", BadUrl::UserInfo),
            ("https://user:pass@a.test/", BadUrl::UserInfo),
            ("https://@a.test/", BadUrl::UserInfo),
            ("https://:@a.test/", BadUrl::UserInfo),
            ("https://a.test@127.0.0.1/", BadUrl::UserInfo),
            ("https://a.test/#x", BadUrl::Fragment),
            ("https://a.test#@b.test/", BadUrl::Fragment),
            ("https://a.test?x#y", BadUrl::Fragment),
            ("ftp://a.test/", BadUrl::NotHttps),
            ("file:///etc/passwd", BadUrl::NotHttps),
            ("gopher://a.test/", BadUrl::NotHttps),
            ("javascript://a.test/", BadUrl::NotHttps),
            ("unix://run/docker.sock", BadUrl::NotHttps),
            ("https://%31%32%37.0.0.1/", BadUrl::Malformed),
            ("https://a.test%2f@b/", BadUrl::UserInfo),
            ("https://a.test%00/", BadUrl::Malformed),
            ("https://[fe80::1%25eth0]/", BadUrl::Malformed),
            ("https://[fe80::1%eth0]/", BadUrl::Malformed),
            ("https://[::1/", BadUrl::Malformed),
            ("https://::1/", BadUrl::Malformed),
            ("https://[127.0.0.1]/", BadUrl::Malformed),
            ("https://1.2.3.4.5/", BadUrl::Malformed),
            ("https://127.0.0.256/", BadUrl::Malformed),
            ("https://4294967296/", BadUrl::Malformed),
            ("https://a.0x7f/", BadUrl::Malformed),
            ("https://a.test./", BadUrl::NoName),
            ("https://localhost./", BadUrl::NoName),
            ("https://./", BadUrl::NoName),
            ("https://a..test/", BadUrl::NoName),
            ("https://.a.test/", BadUrl::NoName),
            ("https://a.test,b.test/", BadUrl::NoName),
            ("https://a*b.test/", BadUrl::NoName),
            ("https://xn--a/", BadUrl::Malformed),
            ("https://a<b.test/", BadUrl::Malformed),
            ("https://a test/", BadUrl::Malformed),
        ] {
            assert_eq!(Target::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn its_length_is_bounded_in_bytes_as_it_is_kept() {
        let of = |bytes: usize| format!("https://a.test/{}", "x".repeat(bytes - 15));
        assert!(Target::parse(&of(2_048)).is_ok());
        assert_eq!(Target::parse(&of(2_049)), Err(BadUrl::TooLong));
        // Each letter becomes six bytes.
        let wide = format!("https://a.test/{}", "ü".repeat(400));
        assert_eq!(Target::parse(&wide), Err(BadUrl::TooLong));
        let label = |letters| format!("https://{}.test/", "a".repeat(letters));
        assert!(Target::parse(&label(63)).is_ok());
        assert_eq!(Target::parse(&label(64)), Err(BadUrl::NoName));
        let long = format!("https://{}test/", "a.".repeat(125));
        assert_eq!(Target::parse(&long), Err(BadUrl::NoName));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_kept_is_read_the_same(
            text in "(https?://)?[a-z0-9.:@/\\\\%\\[\\]?#é\u{3002} -]{0,40}",
        ) {
            if let Ok(target) = Target::parse(&text) {
                prop_assert_eq!(Target::parse(target.as_str()), Ok(target));
            }
        }

        #[test]
        fn a_name_is_never_a_form_of_an_address(
            text in "[0-9a-fxX.]{1,16}",
        ) {
            if let Ok(Host::Name(name)) = Target::parse(&format!("https://{text}/")).map(|target| target.host) {
                let last = name.rsplit('.').next().unwrap_or_default();
                prop_assert!(!last.bytes().all(|byte| byte.is_ascii_digit()), "{}", name);
                prop_assert!(name.parse::<IpAddr>().is_err());
            }
        }
    }
}
