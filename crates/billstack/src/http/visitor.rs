//! Who calls a route that anybody may call: from where, and with which session cookie.
//!
//! Signing in, up or out writes a cookie, so another site must not be able to cause it: a person
//! signed in to an attacker's account would hand their data over (login CSRF). There may be no
//! cookie yet to protect, so a request with the marks of a browser must come from our own pages,
//! and only one with neither marks nor cookie, such as a script's, is let through without them.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::session_cookie;
use crate::http::origin::same_origin;
use crate::http::request_id::RequestId;
use crate::http::serve::Peer;
use crate::secrets::token_hash;

/// Whether a browser asks, for a person to read.
pub fn takes_html(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).into_iter();
    accepted.any(|value| value.to_str().unwrap_or_default().contains("text/html"))
}

/// Somebody who need not be signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The hash of the session token the request carries, dead or alive.
    pub token_hash: Option<String>,
    /// Where the request comes from, to count attempts by.
    pub address: String,
    /// The `X-Request-Id` of this request.
    pub request_id: String,
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        let token = session_cookie(app).read(&parts.headers);
        let base_url = app.settings.base_url.as_deref();
        let may_write = may_write(&parts.headers, base_url, token.is_some());
        if !parts.method.is_safe() && !may_write {
            return Err(ApiError::new(Reason::CrossSiteRequest));
        }
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        Ok(Visitor {
            token_hash: token.as_deref().map(token_hash),
            address: client_address(parts, app)?,
            request_id: request_id.unwrap_or_default(),
        })
    }
}

/// Where a request comes from, as far as it may be believed.
pub(crate) fn client_address(parts: &Parts, app: &Shared) -> Result<String, ApiError> {
    // Every connection has a peer; without one nobody would know whom to count.
    let peer = parts.extensions.get::<Peer>();
    let Peer(peer) = peer.ok_or(ApiError::new(Reason::Internal))?;
    let forwarded = if app.settings.trust_forwarded_for {
        last_forwarded_for(&parts.headers)
    } else {
        None
    };
    Ok(network(forwarded.unwrap_or(peer.ip())))
}

fn may_write(headers: &HeaderMap, base_url: Option<&str>, has_cookie: bool) -> bool {
    let from_browser =
        headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    !(from_browser || has_cookie) || same_origin(headers, base_url)
}

/// The address that the proxy in front saw; what stands before it, the client may have made up.
pub(crate) fn last_forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all("x-forwarded-for").iter().next_back()?;
    let entry = line.to_str().ok()?.rsplit(',').next()?.trim();
    let with_port = || entry.parse::<SocketAddr>().map(|address| address.ip());
    let bare = entry
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok();
    bare.or_else(|| with_port().ok())
}

/// An IPv4 address, or the /64 of an IPv6 address: whoever has one of those has all of it.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(sent: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_a_script_without_a_cookie_needs_no_origin() {
        let may = |sent, has_cookie| may_write(&headers(sent), Some("https://a.test"), has_cookie);
        assert!(may(&[], false));
        assert!(!may(&[], true));
        for has_cookie in [false, true] {
            assert!(may(&[("origin", "https://a.test")], has_cookie));
            assert!(may(&[("sec-fetch-site", "same-origin")], has_cookie));
            assert!(!may(&[("origin", "https://b.test")], has_cookie));
            assert!(!may(&[("origin", "null")], has_cookie));
            assert!(!may(&[("sec-fetch-site", "cross-site")], has_cookie));
        }
    }

    #[test]
    fn the_last_forwarded_address_counts() {
        let last = |sent| last_forwarded_for(&headers(sent)).map(|address| address.to_string());
        let one = [("x-forwarded-for", "6.6.6.6, 192.0.2.1")];
        assert_eq!(last(&one).as_deref(), Some("192.0.2.1"));
        let two = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-for", "192.0.2.2:4711"),
        ];
        assert_eq!(last(&two).as_deref(), Some("192.0.2.2"));
        let six = [("x-forwarded-for", "[2001:db8::1]:443")];
        assert_eq!(last(&six).as_deref(), Some("2001:db8::1"));
        assert_eq!(last(&[("x-forwarded-for", "unknown")]), None);
        assert_eq!(last(&[]), None);
    }

    #[test]
    fn neighbours_in_ipv6_count_as_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:0:1::5"), network("2001:db8:0:1:ffff::"));
        assert_ne!(network("2001:db8:0:1::5"), network("2001:db8:0:2::5"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.2"), network("192.0.2.1"));
    }
}
