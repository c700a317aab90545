//! The calls themselves: one POST and its answer, with a bound on everything.
//!
//! No redirect is followed, no proxy is taken from the environment, no cookie is kept.

mod connection;
mod dial;
mod metered;
mod pool;
mod resolve;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use billstack_core::time::{Micros, SECOND};
use billstack_core::webhook::attempt::AttemptError;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout, timeout_at};

pub use resolve::{Resolve, SystemResolver};

use super::address::{AllowedNetworks, Reach, reach};
use super::url::{BadUrl, Host, Target};
use connection::{Connection, Response};
use pool::Pool;

/// How long it may take until a connection is there: the look-up, the connection itself, the handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long everything may take.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// How many bytes of an answer are kept.
const KEPT: usize = 1_024;

/// The most addresses of a host that are looked at; one with more is not called.
const MOST_ADDRESSES: usize = 64;

/// Calls endpoints.
pub struct WebhookClient {
    resolver: Arc<dyn Resolve>,
    allowed: AllowedNetworks,
    /// Made when it is first needed: it reads the certificates of the machine.
    tls: OnceLock<Arc<ClientConfig>>,
    pool: Pool,
}

/// What is sent, and until when.
struct Post<'a> {
    target: &'a Target,
    headers: &'a HeaderMap,
    body: &'a Bytes,
    until: Instant,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// How long it asks to wait, in microseconds.
    pub retry_after: Option<i64>,
    /// How its body begins; `None` from the operator's own networks, where whoever chose the URL must not read
    /// what is there.
    pub body: Option<String>,
}

/// Why a URL may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    /// Its form.
    Url(BadUrl),
    /// An address of its host.
    Address,
    /// Its host has no address, or the look-up failed.
    Unknown,
}

impl NotAllowed {
    /// What whoever chose the URL is told.
    pub fn message(self) -> &'static str {
        match self {
            NotAllowed::Url(wrong) => wrong.message(),
            NotAllowed::Address => "Webhooks are not sent to the address of this host.",
            NotAllowed::Unknown => "The host of the URL cannot be found.",
        }
    }

    fn error(self) -> AttemptError {
        match self {
            NotAllowed::Unknown => AttemptError::Dns,
            NotAllowed::Url(_) | NotAllowed::Address => AttemptError::AddressNotAllowed,
        }
    }
}

impl WebhookClient {
    /// A client that trusts the certificates that the machine does.
    pub fn new(allowed: AllowedNetworks) -> WebhookClient {
        WebhookClient {
            resolver: Arc::new(SystemResolver::default()),
            allowed,
            tls: OnceLock::new(),
            pool: Pool::default(),
        }
    }

    /// A client with another resolver, and other certificates to trust.
    pub fn with(
        allowed: AllowedNetworks,
        resolver: Arc<dyn Resolve>,
        tls: ClientConfig,
    ) -> WebhookClient {
        WebhookClient {
            resolver,
            allowed,
            tls: OnceLock::from(Arc::new(tls)),
            pool: Pool::default(),
        }
    }

    /// Reads a URL, and looks whether it may be called now. Each call looks again.
    pub async fn admit(&self, url: &str) -> Result<Target, NotAllowed> {
        let target = Target::parse(url).map_err(NotAllowed::Url)?;
        let found = timeout(CONNECT_TIMEOUT, self.addresses(&target)).await;
        found.unwrap_or(Err(NotAllowed::Unknown))?;
        Ok(target)
    }

    /// Sends a body, and reads the answer. `now` is the time of day, for an answer that names a time to come back.
    pub async fn post(
        &self,
        url: &str,
        headers: &HeaderMap,
        body: &Bytes,
        now: Micros,
    ) -> Result<Answer, AttemptError> {
        // What is allowed may have been changed since the URL was saved.
        let target = Target::parse(url).map_err(|_| AttemptError::AddressNotAllowed)?;
        let post = Post {
            target: &target,
            headers,
            body,
            until: Instant::now() + TIMEOUT,
        };
        let (response, peer) = self.exchange(&post).await?;
        let reach = reach(peer.ip(), &self.allowed);
        Ok(Answer {
            status: response.status,
            retry_after: retry_after(&response.headers, now),
            body: (reach == Some(Reach::Public)).then(|| beginning(&response.body)),
        })
    }

    /// Sends a body over a connection that is there, or over a new one.
    async fn exchange(&self, post: &Post<'_>) -> Result<(Response, SocketAddr), AttemptError> {
        let until = Instant::now() + CONNECT_TIMEOUT;
        let addresses = timeout_at(until, self.addresses(post.target)).await;
        let addresses = addresses.map_err(|_| AttemptError::Timeout)?;
        let addresses = addresses.map_err(NotAllowed::error)?;
        if let Some(kept) = self.pool.take(post.target, &addresses) {
            match self.ask(kept, post).await {
                // It was closed on the other side while nobody used it; a new one is not.
                Err(AttemptError::Closed) => {}
                answered => return answered,
            }
        }
        let until = post.until.min(Instant::now() + CONNECT_TIMEOUT);
        let tls = self.tls.get_or_init(|| Arc::new(dial::tls()));
        let made = timeout_at(until, Connection::make(post.target, &addresses, tls)).await;
        let made = made.map_err(|_| AttemptError::Timeout)??;
        self.ask(made, post).await
    }

    async fn ask(
        &self,
        mut connection: Connection,
        post: &Post<'_>,
    ) -> Result<(Response, SocketAddr), AttemptError> {
        let response = connection.ask(post).await?;
        let peer = connection.peer();
        if response.is_whole {
            self.pool.put(post.target, connection);
        }
        Ok((response, peer))
    }

    /// The addresses of the host of a target, all of which may be called.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, NotAllowed> {
        let addresses: Vec<IpAddr> = match target.host() {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|_| NotAllowed::Unknown)?
            }
        };
        if addresses.is_empty() {
            return Err(NotAllowed::Unknown);
        }
        if addresses.len() > MOST_ADDRESSES {
            return Err(NotAllowed::Address);
        }
        for address in &addresses {
            match (reach(*address, &self.allowed), target.inner_only()) {
                (Some(Reach::Inner), _) | (Some(Reach::Public), None) => {}
                (_, Some(why)) => return Err(NotAllowed::Url(why)),
                (None, None) => return Err(NotAllowed::Address),
            }
        }
        let port = target.port();
        let pinned = addresses.iter().map(|ip| SocketAddr::new(*ip, port));
        Ok(pinned.collect())
    }
}

impl fmt::Debug for WebhookClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookClient")
    }
}

/// How a body begins, as a text that every database can keep.
fn beginning(body: &[u8]) -> String {
    let cut = &body[..body.len().min(KEPT)];
    let mut text = String::from_utf8_lossy(cut).replace('\0', "\u{fffd}");
    // What cannot be read was replaced by more bytes.
    text.truncate(text.floor_char_boundary(KEPT));
    text
}

/// How long an answer asks to wait: a number of seconds, or a time.
fn retry_after(headers: &HeaderMap, now: Micros) -> Option<i64> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse().unwrap_or(i64::MAX);
        return Some(Micros::from_secs(seconds).0);
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    let at = Micros::from_secs(i64::try_from(at).ok()?);
    Some(at.since(now).max(0)).filter(|wait| *wait < i64::MAX / SECOND)
}

#[cfg(test)]
mod tests;
