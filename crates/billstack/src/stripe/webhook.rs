//! Making the webhook endpoint of a team with nothing but its secret key.
//!
//! Stripe tells the secret of an endpoint once. If that answer is lost, the endpoint is of no use, and is deleted the
//! next time: so a cut anywhere leaves one endpoint at most.

use std::net::IpAddr;
use std::time::Duration;

use billstack_core::ids::TeamId;
use billstack_core::stripe_access::{EVENTS, missing};
use reqwest::Url;
use sha2::{Digest, Sha256};

use super::endpoints::{Endpoint, NewEndpoint};
use super::{Failure, Mode, Refused, Silent, StripeClient, VERSION};
use crate::settings::SecretText;

/// How many endpoints an account may have in a mode.
const MOST: usize = 16;

/// How often making one is tried.
const MOST_TRIES: u32 = 5;

/// How long the first pause between two tries is.
const PAUSE: Duration = Duration::from_millis(200);

/// What is to be there in the end.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// The secret key.
    pub key: &'w SecretText,
    /// Its mode.
    pub mode: Mode,
    /// The team.
    pub team_id: &'w TeamId,
    /// Where events are to be sent.
    pub url: &'w str,
    /// The endpoint that we made before, if its secret is at hand.
    pub known: Option<&'w str>,
    /// What tells this connection from the one before: after it has been stored, another endpoint may be made.
    pub since: i64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Made {
    /// The endpoint whose secret is at hand is as it should be.
    Kept(String),
    /// There is a new one.
    New(String, SecretText),
    /// A person has to make one.
    ByHand(ByHand),
}

/// Why a person has to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// In a word.
    pub obstacle: Obstacle,
    /// In a sentence.
    pub message: String,
}

/// What is in the way of making an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The key may not.
    PermissionMissing,
    /// There are as many as there may be.
    TooManyEndpoints,
    /// Stripe does not send events to our address.
    AddressNotPublic,
    /// Stripe said no for another reason.
    Refused,
}

impl StripeClient {
    /// Makes the endpoint, unless it is there and its secret at hand.
    pub async fn make_webhook(&self, wanted: &Wanted<'_>) -> Result<Made, Failure> {
        if wanted.mode == Mode::Live && !is_public(wanted.url) {
            return Ok(Made::ByHand(not_public()));
        }
        match self.make(wanted).await {
            // To list them is refused first, for want of what to write contains.
            Err(Failure::PermissionMissing(_)) => Ok(Made::ByHand(ByHand {
                obstacle: Obstacle::PermissionMissing,
                message: "The key lacks the permission rak_webhook_write.".to_owned(),
            })),
            Err(Failure::Refused(refused)) => Ok(Made::ByHand(obstacle(&refused))),
            Err(Failure::NotFound) => Ok(Made::ByHand(ByHand {
                obstacle: Obstacle::Refused,
                message: "Stripe has no webhook endpoints for this key.".to_owned(),
            })),
            made => made,
        }
    }

    async fn make(&self, wanted: &Wanted<'_>) -> Result<Made, Failure> {
        let mut gone = Vec::new();
        for attempt in 0..MOST_TRIES {
            let there = self.webhook_endpoints(wanted.key).await?;
            let (ours, others): (Vec<_>, Vec<_>) = there
                .into_iter()
                .partition(|one| one.is_ours(wanted.team_id, wanted.url));
            let (kept, lost): (Vec<_>, Vec<_>) =
                ours.into_iter().partition(|one| wanted.keeps(one));
            for lost in lost {
                self.delete_webhook_endpoint(wanted.key, &lost.id).await?;
                gone.push(lost.id);
            }
            if let [kept, ..] = &kept[..] {
                return self.mended(wanted.key, kept).await;
            }
            if others.len() >= MOST {
                return Ok(Made::ByHand(too_many()));
            }
            let idempotency_key = wanted.idempotency_key(&gone);
            let (key, team_id, url) = (wanted.key, wanted.team_id, wanted.url);
            let made = self.create_webhook_endpoint(key, &idempotency_key, team_id, url);
            match made.await {
                Ok(new) if !new.replayed || self.is_there(key, &new).await? => {
                    return Ok(Made::New(new.endpoint.id, new.secret));
                }
                // It was made before and deleted since: another key makes another one.
                Ok(new) => gone.push(new.endpoint.id),
                Err(Failure::ServerError { .. } | Failure::KeyReused) => {
                    gone.push(format!("try {attempt}"));
                }
                // Somebody else is at it.
                Err(Failure::KeyInUse | Failure::RateLimited { .. }) => {
                    tokio::time::sleep(PAUSE * (1 << attempt)).await;
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Unknown(Silent::TimedOut))
    }

    /// An endpoint that stays, sending everything. If the key may not change it, it stays as it is.
    async fn mended(&self, key: &SecretText, kept: &Endpoint) -> Result<Made, Failure> {
        let is_off = kept.status.as_deref() == Some("disabled");
        if is_off || !missing(&kept.enabled_events).is_empty() {
            match self.mend_webhook_endpoint(key, &kept.id).await {
                Ok(_) | Err(Failure::PermissionMissing(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Made::Kept(kept.id.clone()))
    }

    async fn is_there(&self, key: &SecretText, new: &NewEndpoint) -> Result<bool, Failure> {
        let there = self.webhook_endpoints(key).await?;
        Ok(there.iter().any(|one| one.id == new.endpoint.id))
    }
}

impl Wanted<'_> {
    /// Whether an endpoint can stay: its secret is at hand, and its version, which nobody can change, is ours.
    fn keeps(&self, endpoint: &Endpoint) -> bool {
        self.known == Some(&endpoint.id) && endpoint.api_version.as_deref() == Some(VERSION)
    }

    /// The same for everybody who tries to make the same endpoint, and another one once it is gone.
    fn idempotency_key(&self, gone: &[String]) -> String {
        let since = self.since.to_string();
        let parts = [self.url, VERSION, &since];
        let gone = gone.iter().map(String::as_str);
        let mut hash = Sha256::new();
        for part in parts.into_iter().chain(EVENTS).chain(gone) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let digest = hex::encode(&hash.finalize()[..16]);
        format!("billstack-webhook-{}-{digest}", self.team_id)
    }
}

/// Whether Stripe may send live events there: over https, and not to an address of a machine's own network.
fn is_public(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_public = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            !(address.is_private() || address.is_loopback() || address.is_unspecified())
        }
        Ok(IpAddr::V6(address)) => {
            !(address.is_unique_local() || address.is_loopback() || address.is_unspecified())
        }
        Err(_) => host.contains('.') && !host.ends_with(".local"),
    };
    url.scheme() == "https" && is_public
}

/// What a refusal is about, as far as it says so.
fn obstacle(refused: &Refused) -> ByHand {
    let says = |word: &str| refused.message.contains(word);
    if refused.code.as_deref() == Some("url_invalid") || says("URL") {
        return not_public();
    }
    if says("maximum") || says("limit") {
        return too_many();
    }
    ByHand {
        obstacle: Obstacle::Refused,
        message: format!("Stripe refused to make an endpoint: {}", refused.message),
    }
}

fn not_public() -> ByHand {
    ByHand {
        obstacle: Obstacle::AddressNotPublic,
        message: "Stripe cannot send events to this address: it must be public, and https. Is BILLSTACK_BASE_URL set?"
            .to_owned(),
    }
}

fn too_many() -> ByHand {
    ByHand {
        obstacle: Obstacle::TooManyEndpoints,
        message: format!("The account has {MOST} webhook endpoints already; delete one first."),
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn live_events_go_to_public_addresses_only() {
        for url in [
            "https://referrals.example.com/api",
            "https://203.0.113.7/x",
            "https://[2001:db8::1]/x",
        ] {
            assert!(is_public(url), "{url}");
        }
        for url in [
            "http://referrals.example.com",
            "https://localhost:8080",
            "https://127.0.0.1",
            "https://10.0.0.1",
            "https://192.168.1.1",
            "https://[::1]",
            "https://[fd00::1]",
            "https://billstack",
            "https://box.local",
            "",
        ] {
            assert!(!is_public(url), "{url}");
        }
    }
}
