//! Calls to Stripe, written by hand over HTTP.
//!
//! We need some twenty calls and a few members of their answers. A generated client reads whole objects
//! and fails on the shapes of other API versions; this one reads what it needs and lets the rest
//! pass. No call is ever made inside a transaction.

mod balance;
mod calls;
mod connection;
mod endpoints;
mod error;
mod failure;
mod known;
mod openable;
mod pages;
mod probe;
mod rates;
mod silence;
mod subscriptions;
mod transport;
mod webhook;

pub use balance::{BalanceLine, CustomerState, Posted};
pub use calls::{Account, CustomerFound, NewStripeCustomer, object_path};
pub use connection::{
    Mode, SecretField, publishable_key, seal, secret_key, unsealed, webhook_secret,
};
pub use endpoints::Endpoint;
pub use error::StripeError;
pub use failure::{Failure, Refused, Silent};
pub use known::{KnownConnections, Opened};
pub use openable::{Openable, sealed};
pub use pages::{About, MOST_TYPES, One, Page};
pub use probe::{Probe, Probed, ProbedEndpoint};
pub use rates::Rates;
pub use silence::Silence;
pub use subscriptions::MOST_CUSTOMERS;
pub use webhook::{ByHand, Made, Obstacle, Wanted};

use std::fmt;
use std::time::Duration;

/// The API version whose shapes our calls are answered in. Events come in whatever version their
/// endpoint was made under, and are read without asking which.
const VERSION: &str = "2026-10-28.endive";

/// How long the connection to Stripe may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Calls Stripe's API.
pub struct StripeClient {
    http: reqwest::Client,
    base: String,
    timeout: Duration,
}

impl StripeClient {
    /// A client for the API at `base`, whose calls may each take as long as `timeout`.
    pub fn new(base: &str, timeout: Duration) -> Result<StripeClient, reqwest::Error> {
        let http = client(timeout)?;
        Ok(StripeClient {
            http,
            base: base.trim_end_matches('/').to_owned(),
            timeout,
        })
    }
}

/// A client for calls to others, each of which may take as long as `timeout`.
pub(crate) fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // Refused when another part of the process was first; theirs serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder(timeout).build().or_else(|error| {
        // A machine without root certificates can do everything but call Stripe, and a team
        // that connects no secret key never does.
        tracing::warn!(%error, "no root certificates (package ca-certificates): Stripe cannot be called");
        builder(timeout).tls_certs_only([]).build()
    })
}

/// Proxies are not read from the environment and redirects are not followed: a secret key goes to
/// the configured address or nowhere.
fn builder(timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(timeout)
        .connect_timeout(timeout.min(CONNECT_TIMEOUT))
        .user_agent(concat!("billstack-referrals/", env!("CARGO_PKG_VERSION")))
}

impl fmt::Debug for StripeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StripeClient({})", self.base)
    }
}

#[cfg(test)]
mod tests;
