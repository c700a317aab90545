//! What every request shares: the store, the settings, the clock, and the keys to the secrets.

use std::sync::{Arc, OnceLock};

use billstack_core::ids::{IdSeed, TeamId};
use billstack_core::portal;
use billstack_core::time::Micros;
use billstack_store::store::Store;
use billstack_store::{Actor, Origin};
use tokio::sync::Semaphore;

use crate::api::attention::Ledgers;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::links::{Counts, KnownLinks, Pace};
use crate::password::PasswordHasher;
use crate::portal::PortalPace;
use crate::rate_limit::{MissBudget, RateLimiter, SignInThrottle};
use crate::secrets::{Cipher, random_bytes};
use crate::settings::Settings;
use crate::stripe::{KnownConnections, Openable, Rates, Silence, StripeClient};
use crate::tickets::Tickets;
use crate::webhooks::out::client::WebhookClient;
use crate::webhooks::stripe::RefusedCalls;

/// The state of a running server, shared by its requests and workers.
///
/// Drop the last one outside of async code: the store joins its threads.
pub struct App {
    /// Where everything is kept.
    pub store: Store,
    /// How the operator wants it.
    pub settings: Settings,
    pub clock: Clock,
    /// Seals Stripe secrets.
    pub cipher: Cipher,
    pub stripe: StripeClient,
    /// Calls the endpoints that webhooks are sent to.
    pub webhooks_out: WebhookClient,
    /// Teams whose events came before.
    pub known_connections: KnownConnections,
    /// Teams for which Stripe has just not answered this node.
    pub silence: Silence,
    /// How fast each team may call.
    pub stripe_rates: Arc<Rates>,
    /// Whether the secrets in the database are sealed with our key.
    pub openable: Openable,
    /// Calls of webhooks that this node refused.
    pub refused_calls: RefusedCalls,
    /// What was added up of ledgers lately.
    pub ledgers: Ledgers,
    /// Bytes of large answers that are on their way, by caller.
    pub answers: Arc<Budget>,
    /// Bytes of large request bodies, by caller.
    pub bodies: Arc<Budget>,
    /// Bytes of events that are larger than usual, by address.
    pub large_events: Arc<Budget>,
    pub api_document: &'static str,
    /// What is known of share links.
    pub known_links: KnownLinks,
    /// Clicks on them that are not written yet.
    pub clicks: Counts,
    /// How fast addresses click.
    pub click_pace: Pace,
    /// Writes and reads the sessions of customers on their own pages.
    pub portal_key: portal::Key,
    /// How fast such sessions call, and addresses.
    pub portal_pace: PortalPace,
    /// Unknown codes per address that asks for an offer.
    pub offer_misses: MissBudget,
    /// Requests per caller.
    pub rate: Arc<RateLimiter>,
    /// Tests of webhooks per endpoint.
    pub webhook_tests: RateLimiter,
    /// Unknown codes per caller.
    pub misses: MissBudget,
    /// The same per caller and referee.
    pub misses_of_referee: MissBudget,
    /// Failed sign-ins per account and address.
    pub sign_ins: SignInThrottle,
    /// Links that sign in once.
    pub tickets: Tickets,
    /// Hashes passwords, a few at a time.
    pub passwords: PasswordHasher,
    /// Whether the books of a project may be verified now: one at a time.
    pub verifying: Semaphore,
    /// The address it listens on, for the URLs it gives when no base URL is set.
    pub local_url: String,
    /// Set once there is a user, for ever.
    pub has_user: OnceLock<()>,
}

/// The state as handlers get it.
pub type Shared = Arc<App>;

impl App {
    /// The time in microseconds.
    pub fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    /// The origin of a change that happens now: its time, and a seed for its ids.
    pub fn origin(&self, actor: Actor, request_id: &str) -> Origin {
        let seed = IdSeed::new(self.now(), random_bytes());
        Origin {
            seed,
            actor,
            request_id: request_id.to_owned(),
        }
    }

    /// How long before an apply a subscription may have begun, in microseconds.
    pub fn grace(&self) -> i64 {
        i64::from(self.settings.referral_grace_hours) * billstack_core::time::HOUR
    }

    /// Whether people reach us over https.
    pub fn is_https(&self) -> bool {
        let base_url = self.settings.base_url.as_deref();
        base_url.is_some_and(|url| url.starts_with("https://"))
    }

    /// The address that others reach this server at, without a slash at the end.
    pub fn base_url(&self) -> &str {
        self.settings.base_url.as_deref().unwrap_or(&self.local_url)
    }

    /// Whether that is an address which only this machine itself can reach.
    pub fn is_local(&self) -> bool {
        let url = url::Url::parse(self.base_url());
        match url.as_ref().ok().and_then(url::Url::host) {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The address of what strangers see, without a slash at the end.
    pub fn public_url(&self) -> &str {
        let public_url = self.settings.public_url.as_deref();
        public_url.unwrap_or(self.base_url())
    }

    /// Where Stripe sends a team's events.
    pub fn webhook_url(&self, team_id: &TeamId) -> String {
        format!("{}/api/webhooks/stripe/{team_id}", self.base_url())
    }
}
