//! Where a share link leads.
//!
//! A link that leads wherever its reader asks for is a gift to those who send false mails. So a visitor comes to the
//! landing address of the project, or to a path there, or to a host that the project has named; whatever else a link
//! asks for is as if it had asked for nothing.

mod settings;
mod visit;

pub use settings::{Card, Settings, WINDOW_DAYS, Wrong};
pub use visit::{Headers, Visit, is_wanted, visit};

use url::{Host, Url};

/// The longest landing address, in bytes.
pub const LONGEST_LANDING: usize = 2048;

/// The longest path or address that a link may ask for, in bytes.
const LONGEST_WISH: usize = 2048;

/// What of a request's `utm_*` is passed on: so many members,
const MOST_PASSED: usize = 8;

/// each with a name and a value of so many bytes at most.
const LONGEST_PASSED: usize = 200;

/// Where the links of a project lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    url: Url,
    hosts: Vec<String>,
}

/// By what ways a link reaches people: what `s` of a link may say.
pub const CHANNELS: [&str; 4] = ["link", "qr", "whatsapp", "mail"];

/// By what way a link with this `s` reached somebody.
pub fn channel(said: Option<&str>) -> &'static str {
    let known = CHANNELS.into_iter().find(|known| Some(*known) == said);
    known.unwrap_or(CHANNELS[0])
}

/// What is wrong with a landing address or a host.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is not an address at all, or longer than [`LONGEST_LANDING`].
    NotAnAddress,
    /// It is not `https`, nor `http` of this machine.
    NotSecure,
    /// It holds a name and a password, which every visitor would get.
    HasUserInfo,
}

/// What a visitor takes along.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Baggage<'a> {
    /// The name of the member that holds the code, and the code as people know it; none when it is not passed on.
    pub code: Option<(&'a str, &'a str)>,
    /// The same for the click token.
    pub token: Option<(&'a str, &'a str)>,
}

impl Landing {
    /// Reads a landing address, and the hosts that a link may lead to besides it.
    pub fn parse(url: &str, hosts: &[String]) -> Result<Landing, Unfit> {
        let url = address(url)?;
        let hosts = hosts.iter().map(|host| fold_host(host)).collect();
        Ok(Landing { url, hosts })
    }

    /// The address that a visitor is sent to: `wish` is the `to` of the link, and `asked` is the whole query of the
    /// request, of which `utm_*` is passed on.
    ///
    /// It is ASCII without blanks or control characters, so it fits into a header as it is.
    pub fn target<'q>(
        &self,
        wish: Option<&str>,
        baggage: Baggage<'_>,
        asked: impl IntoIterator<Item = (&'q str, &'q str)>,
    ) -> String {
        let granted = wish.and_then(|wish| self.grant(wish));
        let mut url = granted.unwrap_or_else(|| self.url.clone());
        let ours: Vec<(&str, &str)> = [baggage.code, baggage.token]
            .into_iter()
            .flatten()
            .collect();
        let passed: Vec<(&str, &str)> = asked
            .into_iter()
            .filter(is_passed)
            .take(MOST_PASSED)
            .collect();
        let is_replaced = |name: &str| ours.iter().chain(&passed).any(|(ours, _)| *ours == name);
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !is_replaced(name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.set_query(None);
        if !(kept.is_empty() && ours.is_empty() && passed.is_empty()) {
            url.query_pairs_mut()
                .extend_pairs(kept)
                .extend_pairs(passed)
                .extend_pairs(ours);
        }
        url.into()
    }

    /// What a link asks for, if it may have it.
    fn grant(&self, wish: &str) -> Option<Url> {
        // Browsers read a backslash as a slash and leave out what cannot be seen: nobody who means well sends these.
        let is_odd = |c: char| c == '\\' || c.is_control() || c.is_whitespace();
        if wish.len() > LONGEST_WISH || wish.contains(is_odd) {
            return None;
        }
        if wish.starts_with('/') && !wish.starts_with("//") {
            let there = self.url.join(wish).ok()?;
            return (there.origin() == self.url.origin()).then_some(there);
        }
        let there = address(wish).ok()?;
        // `address` accepts `https:host` too, as browsers do; a link says what it means.
        let says_so = wish.get(..there.scheme().len() + 3)?.ends_with("://");
        let is_landing = there.origin() == self.url.origin();
        (says_so && (is_landing || self.is_named(&there))).then_some(there)
    }

    fn is_named(&self, url: &Url) -> bool {
        let is_usual = url.scheme() == "https" && url.port().is_none();
        is_usual
            && url
                .host_str()
                .is_some_and(|host| self.hosts.iter().any(|named| named == host))
    }
}

fn is_passed((name, value): &(&str, &str)) -> bool {
    let fits = |text: &str| text.len() <= LONGEST_PASSED;
    name.starts_with("utm_") && fits(name) && fits(value)
}

/// Reads an address that visitors may be sent to.
fn address(text: &str) -> Result<Url, Unfit> {
    if text.len() > LONGEST_LANDING {
        return Err(Unfit::NotAnAddress);
    }
    let url = Url::parse(text).map_err(|_| Unfit::NotAnAddress)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Unfit::HasUserInfo);
    }
    let is_secure = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_this_machine(&url),
        _ => false,
    };
    is_secure.then_some(url).ok_or(Unfit::NotSecure)
}

/// Browsers treat these as safe without TLS, and developers have nothing else.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A host in the form in which addresses hold it: small letters, and other scripts as `xn--`.
pub fn fold_host(host: &str) -> String {
    let parsed = Host::parse(host);
    parsed.map_or_else(|_| host.to_ascii_lowercase(), |host| host.to_string())
}

#[cfg(test)]
mod tests;
